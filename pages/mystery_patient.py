"""The mystery patient: a network that misbehaves and hides its settings, to be diagnosed and treated for points."""

from pages.components.mystery.mystery import admitted, bedside, choose, how_points_come_about, looked_at, result
from pages.components.shell.frame import footer, page

shell = page("mystery_patient")
choice = choose()
shell.tools()
shell.share(choice.address)
here = admitted(choice)
if here and here.visit.committed:
    result(here)
elif here:
    bedside(here)
    looked_at(here)
how_points_come_about()
footer()
