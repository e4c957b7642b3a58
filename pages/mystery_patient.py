"""The mystery patient: a network that misbehaves and hides its settings, to be diagnosed and treated for points."""

from pages.components.lesson.take_home import take_home
from pages.components.mystery.arrival import arrival, arrival_place
from pages.components.mystery.patient import admitted, bedside, choose, preparable
from pages.components.mystery.result import COMPARED, how_points_come_about, result
from pages.components.shell.frame import footer, page
from pages.components.shell.studio import studio_button

shell = page("mystery_patient")
choice = choose()
shell.tools()
shell.share(choice.address, choice.address)
place = arrival_place()
here = admitted(choice)
if here and here.visit.committed:
    sentence, taken = result(here)
    arrival(place, sentence, "score", keeps=COMPARED)
    with shell.link.container(width="content"):
        take_home(taken)
elif here:
    arrival(place, bedside(here), "patient")
how_points_come_about(choice)
studio_button(shell.prepare, preparable(choice))
footer()
