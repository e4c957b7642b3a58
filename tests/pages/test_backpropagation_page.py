"""The backpropagation page in Streamlit's AppTest: presets, trained networks, updates, own numbers, odd addresses."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.runs import shared_runs

APP = Path(__file__).parents[2] / "app.py"


@pytest.fixture(scope="module", autouse=True)
def workers():
    yield
    shared_runs().close()


def opened(**parameters: str) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    page.switch_page("pages/backpropagation.py")
    for name, value in parameters.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def text(page: AppTest) -> str:
    return " ".join(paragraph.value for paragraph in page.markdown)


@pytest.mark.parametrize("preset", ["mazur", "xor", "saturated", "chain", "trained"])
def test_every_preset_opens(preset):
    page = opened(preset=preset)
    assert not page.warning
