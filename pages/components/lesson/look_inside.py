"""From a lesson into its networks: links that open one on the backpropagation page, at the timeline's step."""

from urllib.parse import urlencode

from engine import Experiment
from pages.components.backpropagation.network_address import PAGE, link_to
from pages.components.shell.component import component

_look_inside = component("look_inside")


def look_inside(patient: Experiment, treated: Experiment) -> None:
    """Draw the links.  assets/components/look_inside.js adds the step, which is known in the browser alone."""
    links = {"patient": urlencode(link_to(patient, 0)), "treated": urlencode(link_to(treated, 0))}
    _look_inside(key="look_inside", data={"page": PAGE, **links})
