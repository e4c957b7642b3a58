"""The home page: what this is, where to begin, the lessons, and the ward with its patients.

`streamlit run` imports this file first, for the app that it then serves; as a script it is the home page.
"""

import streamlit as st

from pages.components.lesson.ward import draw_cards, draw_previews
from pages.components.shell import frame
from pages.components.shell.start import import_everything, keep_memory_low

LESSONS_A_ROW = 3


def home() -> None:
    header = frame.page("")
    header.tools()

    st.subheader("See why a neural network does not learn, and cure it.", anchor=False)
    st.markdown(
        "When a network does not learn, something inside it is wrong: a gradient that fades on its way back, weights "
        "that start badly, steps that are too long. Here you examine such patients layer by layer and step by step, "
        "change one thing, and watch the treated network recover beside the sick one. "
        "Every number and every curve is measured on real networks, trained when you ask for them."
    )
    with st.container(key="lessons"):
        lessons = frame.lessons()
        for start in range(0, len(lessons), LESSONS_A_ROW):
            for lesson, column in zip(lessons[start : start + LESSONS_A_ROW], st.columns(LESSONS_A_ROW), strict=False):
                with column:
                    frame.link(lesson, lesson.title)
                    st.markdown(lesson.card)
    new, teaching = st.columns(2, gap="large")
    with new:
        st.subheader("New here?", anchor=False)
        st.markdown(
            "Open *Vanishing gradients* and change nothing yet: read the sentence at the top, then press play. "
            "Then change one thing in the treated network, and guess what will happen before you look. "
            "You need to know what a weight and a derivative are; *Backpropagation* shows how the derivatives are "
            "calculated."
        )
    with teaching:
        st.subheader("Teaching?", anchor=False)
        st.markdown(
            "*Projector*, at the top right of every page, makes the type larger for the last row. "
            "Set up two networks, press *Share*, and send the link: every student starts from your two networks. "
            "The same link opens them again next year. The link of a *Mystery patient* gives everyone the same case."
        )
    st.subheader("The ward", anchor=False)
    st.markdown(
        "Each patient has one thing wrong with it. The curves show the loss on new data (faint: on training data) of "
        "the :orange[● **patient**] and of the :blue[◆ **treated** network, dashed], both trained just now."
    )
    places = draw_cards()
    frame.footer()
    draw_previews(places)


if __name__ == "__main__":
    home()
else:
    import_everything()
    keep_memory_low()
    app = st.App(__file__)
