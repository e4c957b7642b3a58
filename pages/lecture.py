"""Lectures that are ready to give: their overview, and one scene after the other."""

from pages.components.lecture.overview import overview
from pages.components.lecture.scenes import PAGE, requested_scene, show_scene
from pages.components.shell.frame import footer, page
from pages.components.shell.stage_view import viewing

shell = page(PAGE)
requested = requested_scene()
shell.tools()
if requested.lecture is None:
    overview()
else:
    shell.share(requested.address, requested.address)
    show_scene(requested.lecture, requested.scene, shell.waiting)
if not viewing():
    footer()
