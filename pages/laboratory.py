"""The laboratory: a table of one's own, up to four networks on it, and what is wrong with each."""

import streamlit as st

from pages.components.laboratory.assigned import NO_FILE, draw_asked, hides, preparable
from pages.components.laboratory.comparison import compare, measure, shown
from pages.components.laboratory.data import choose_data
from pages.components.laboratory.link import ALL_CHARTS, read
from pages.components.laboratory.networks import begin_settings, choose_networks, keep_address
from pages.components.laboratory.settings_map import draw_map
from pages.components.lesson.catalogue import glossary_of
from pages.components.lesson.explanations import explanations
from pages.components.lesson.take_home import take_home
from pages.components.shell.frame import absolute, footer, page
from pages.components.shell.studio import studio_button

shell = page("laboratory")
found, entering = read()
shell.tools()
explanations(glossary_of("laboratory"))
begin_settings(found, entering)
goal_place = draw_asked()
ignored = st.empty()
verdict = ""
with st.container(key="bench"):
    with st.container(key="set_up"):
        if own := choose_data(found, entering):
            networks, way_on = choose_networks(own, found, entering, ignored)
    if own:
        verdict = compare(own, networks, found, entering, shell.waiting, goal_place) if networks else ""
        way_on(networks if verdict else ())
    if own and verdict:
        with st.container(key="measured"):
            measure(own, networks)
            if not hides(ALL_CHARTS):
                draw_map(networks[0].experiment, networks[0].look, own, found, entering)
link = keep_address()
shell.share(link, link, NO_FILE if "data_digest" in st.query_params else "")
if own and verdict:
    with shell.link.container(width="content"):
        take_home(shown(shell.title, absolute(link), own, networks, verdict))
studio_button(shell.prepare, preparable())
footer()
