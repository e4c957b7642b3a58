"""The home page: what this is, and where to go."""

import streamlit as st

from pages.components import frame

header = frame.page("")

st.markdown(
    "A neural network that does not learn is a patient: it has symptoms, a cause and, mostly, a cure. "
    "Here you examine real networks while they train, layer by layer and step by step, read why they fail, change one "
    "thing, and watch the treated network recover beside the sick one. "
    "Nothing is drawn from memory: every number is measured on networks that were trained for you a moment ago."
)

newcomer, lecturer = st.columns(2, gap="large")
with newcomer:
    st.subheader("New here?", anchor=False)
    st.markdown(
        "Open the first lesson below and change nothing: read the sentence at the top, then press play. "
        "Then change one thing of the treated network, and guess before you look. "
        "Knowing what a weight and a derivative are is enough."
    )
with lecturer:
    st.subheader("Teaching?", anchor=False)
    st.markdown(
        "Switch on *Projector* at the top right: larger type for the last row. "
        "Set up two networks, press *Share*, and send the link: every student sees your screen and goes on from there. "
        "The same link brings it back next year."
    )

st.subheader("The ward", anchor=False)
for row in frame.lessons():
    with st.container(border=True):
        st.page_link(row.file, label=f"**{row.title}**", icon=row.icon)
        st.markdown(row.card)

header.tools()
frame.footer()
