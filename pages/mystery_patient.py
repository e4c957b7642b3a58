"""The mystery patient: a network that misbehaves and hides its settings, to be diagnosed and treated for points."""

from pages.components.mystery.patient import admitted, bedside, choose, looked_at
from pages.components.mystery.result import how_points_come_about, result
from pages.components.shell.frame import footer, page

shell = page("mystery_patient")
choice = choose()
shell.tools()
shell.share(choice.address, choice.address)
here = admitted(choice)
if here and here.visit.committed:
    result(here)
elif here:
    bedside(here)
    looked_at(here)
how_points_come_about()
footer()
