"""Into view: what appears far from where somebody looks."""

from pages.components.shell.component import component

into_view = component("into_view", styled=False)  # drawn in the container that is to come into the window
