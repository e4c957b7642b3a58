"""Backpropagation, one step at a time: forward, loss, backward, update, with numbers that can be checked."""

import streamlit as st

from pages.components.backpropagation.base_network import COURSE, DERIVATION, NETWORK
from pages.components.backpropagation.calculations import course_of, draw_calculation, draw_course, draw_phases
from pages.components.backpropagation.chosen_network import (
    address,
    choose,
    draw_updates,
    hides,
    look_at,
    preparable,
    short_address,
)
from pages.components.backpropagation.network import draw_network
from pages.components.backpropagation.take_home import take_home
from pages.components.lesson.catalogue import glossary_of
from pages.components.lesson.explanations import explanations
from pages.components.shell.frame import absolute, footer, page
from pages.components.shell.studio import studio_button

shell = page("backpropagation")
explanations(glossary_of("backpropagation"))
chosen = choose()
picture, written = st.columns((6, 5), gap="medium")
with picture:
    graph = st.container(key=None if NETWORK in chosen.asked.hidden else "graph")
    taken = course_of(chosen, draw_updates(chosen))
    if not hides(chosen, COURSE):
        draw_course(taken)
with written:
    place = look_at(chosen)
    if not hides(chosen, DERIVATION):
        draw_calculation(taken.next, place, chosen.example)
with graph:
    if not hides(chosen, NETWORK):
        draw_network(chosen, taken.next, place)
shell.tools()
shell.share(short_address(chosen), address(chosen))
if not chosen.asked.hidden:
    with shell.link.container(width="content"):
        take_home(taken.next, absolute(short_address(chosen)))
draw_phases(taken.next, place, chosen)
studio_button(shell.prepare, preparable(chosen))
footer()
