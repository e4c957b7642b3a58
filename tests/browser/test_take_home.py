"""Take home: what is downloaded is what the button says, and the saved page works from a disk without a network."""

from pathlib import Path

from playwright.sync_api import BrowserContext, Download, Page, expect

from tests.browser.conftest import without_errors

LESSON = "vanishing_gradients"


def downloaded(page: Page, name: str, index: int = 0) -> Download:
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name=name).nth(index).click()
    return download.value


def test_a_page_is_taken_home_and_moves_there(page: Page, context: BrowserContext, home: str, tmp_path: Path):
    page.goto(home + LESSON + "?steps=60")
    expect(page.locator(".chart[data-version]").first).to_be_visible()
    page.get_by_role("button", name="Take home").click()
    script = downloaded(page, "PyTorch script", 1)
    assert script.suggested_filename == f"{LESSON}_treated_torch.py"
    assert "torch.relu(z)" in script.path().read_text("utf-8")
    saved = tmp_path / "page.html"
    downloaded(page, "Page as HTML").save_as(saved)
    expect(page.get_by_role("button", name="Page as HTML")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    context.set_offline(True)
    try:
        with context.new_page() as alone, without_errors(alone):
            _moves(alone, saved)
    finally:
        context.set_offline(False)


def _moves(page: Page, saved: Path) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(saved.as_uri())
    charts = page.locator(".chart[data-version]")
    expect(charts.first).to_have_attribute("data-step", "60")
    expect(page.get_by_role("heading", level=2)).to_contain_text("Before training, the first layer receives")
    timeline = page.get_by_role("slider", name="Training step")
    before = page.locator(".strip .patient .cells button").first.get_attribute("aria-label")
    drawn = charts.first.locator("svg").first.inner_html()
    timeline.fill("0")
    expect(charts.first).to_have_attribute("data-step", "0")
    expect(page.locator(".readout").first).to_have_text("step 0 of 60")
    assert page.locator(".strip .patient .cells button").first.get_attribute("aria-label") != before
    assert charts.first.locator("svg").first.inner_html() != drawn
    page.get_by_role("button", name="Play").click()
    expect(charts.first).not_to_have_attribute("data-step", "0")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-chart]")).to_have_count(8)
    assert not [url for url in requested if not url.startswith(("file:", "data:", "blob:"))]
