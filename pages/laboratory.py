"""The laboratory: a table of one's own, up to four networks on it, and what is wrong with each."""

from pages.components.laboratory.comparison import compare
from pages.components.laboratory.data import choose_data
from pages.components.laboratory.link import read
from pages.components.laboratory.networks import choose_networks, keep_address
from pages.components.laboratory.settings_map import draw_map
from pages.components.lesson.catalogue import glossary_of
from pages.components.lesson.explanations import explanations
from pages.components.shell.frame import footer, page

shell = page("laboratory")
found, entering = read()
shell.tools()
explanations(glossary_of("laboratory"))
if own := choose_data(found, entering):
    networks = choose_networks(own, found, entering)
    if networks:
        compare(own, networks, found, entering, shell.waiting)
        draw_map(networks[0].experiment, networks[0].look, own, found, entering)
link = keep_address()
shell.share(link, link)
footer()
