"""The home page: what this is, and where to go."""

import streamlit as st

from pages.components import frame

header = frame.page("")
header.tools()

main, side = st.columns([3, 2], gap="large")
with main:
    st.markdown("### See why a neural network does not learn, and cure it.")
    st.markdown(
        "When a network does not learn, something inside it is wrong: a gradient that fades on its way back, weights "
        "that start badly, steps that are too long. "
        "Here you examine such patients layer by layer and step by step, read why they fail, change one thing, and "
        "watch the treated network recover beside the sick one. "
        "Nothing is sketched: every number and every curve is measured on real networks, trained when you ask for them."
    )
    st.subheader("The ward", anchor=False)
    with st.container(key="ward"):
        for lesson in frame.lessons():
            with st.container(border=True):
                st.markdown(lesson.card)
                frame.link(lesson, f"Open {lesson.title.lower()}")
with side:
    st.subheader("New here?", anchor=False)
    st.markdown(
        "Open the lesson on this page and change nothing yet: read the sentence at the top, then press play. "
        "Then change one thing of the treated network, and guess what will happen before you look. "
        "Knowing what a weight and a derivative are is enough."
    )
    st.subheader("Teaching?", anchor=False)
    st.markdown(
        "*Projector*, at the top right of every page, makes the type larger for the last row. "
        "Set up two networks, press *Share*, and send the link: every student starts from your screen. "
        "The same link brings it back next year."
    )
frame.footer()
