"""What the glossary's words mean, where a text uses them.  assets/components/explanations.js shows it."""

from collections.abc import Mapping

import streamlit as st

from pages.components.shell.component import component
from pages.text.glossary import slug

_explanations = component("explanations", styled=False)


def explanations(entries: Mapping[str, str]) -> None:
    """Explain these words wherever the page marks them.  entries: name -> explanation."""
    with st.container(key="unseen_words", height=1, border=False):
        _explanations(key="explanations", data={slug(name): [name, text] for name, text in entries.items()})
