"""What `streamlit run` imports, for the app that it then serves; as a script it is the home page."""

import streamlit as st

from pages.components.shell.first_html import routes
from pages.components.shell.start import get_ready

if __name__ == "__main__":
    from pages.components.home.page import home

    home()
else:
    get_ready()
    app = st.App(__file__, routes=routes())
