"""A home page and two lessons of nothing but controls, for the tests of the address."""

import streamlit as st

from pages.components.shell import frame

header = frame.page("")
header.tools()
st.text("at home")
frame.footer()
