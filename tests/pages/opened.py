"""Pages of the app in Streamlit's AppTest, and what they were sent."""

import json
import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from pages.components.shell.address import PART, PARTS
from pages.text.glossary import LINK
from tests.patience import SOON

APP = Path(__file__).parents[2] / "app.py"
# Pages that compare a patient with a treated network.
LESSONS = sorted(
    path.stem for path in APP.parent.glob("assets/lessons/*.toml") if "[patient]" in path.read_text("utf-8")
)


def opened(name: str = "", /, **parameters: str | list[str]) -> AppTest:
    """A page, the home page without a name, as this address opens it; it raises nothing."""
    page = AppTest.from_file(APP, default_timeout=SOON)
    if name:
        page.switch_page(f"pages/{name}.py")
    for parameter, value in parameters.items():
        page.query_params[parameter] = value
    page.run()
    assert not page.exception
    return page


def headline(page: AppTest) -> str:
    return plain(page.header[0].value)


def plain(text: str) -> str:
    """Without the links to the words' explanations."""
    return re.sub(rf"\[([^][]*)\]\({LINK}[^)]*\)", r"\1", text)


def charts(page: AppTest) -> list[dict]:
    """What each chart of the page was sent."""
    components = [element.proto for element in page.get("bidi_component")]
    return [sent(proto.bytes) for proto in components if proto.component_name == "backprop_clinic_chart_place"]


def in_part(page: AppTest, part: str) -> AppTest:
    """The same page of a lesson with another part open."""
    page.session_state[PART] = part
    page.query_params[PART] = part  # as a browser writes it
    page.run()
    assert not page.exception
    return page


def charts_of_all_parts(page: AppTest) -> list[dict]:
    """What the charts of a lesson are sent, part by part."""
    return [chart for part in PARTS for chart in charts(in_part(page, part))]


def shared_link(page: AppTest) -> str:
    """What the page would have shared."""
    (proto,) = [one.proto for one in page.get("bidi_component") if one.proto.component_name == "backprop_clinic_share"]
    return json.loads(proto.json)["full"]


def sent(data: bytes) -> dict:
    return json.loads(data[data.index(b"{") :])
