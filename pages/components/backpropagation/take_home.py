"""What is taken home from the backpropagation page: its update as a script, and as a table."""

from functools import partial

import numpy as np
import streamlit as st

from pages.components.lesson.cards import dialog_focus
from pages.components.lesson.take_home import download
from pages.walkthrough.calculation import Update
from pages.walkthrough.update_script import update_script, update_table


def take_home(update: Update, link: str) -> None:
    """Draw the button that opens what can be taken home; nothing where a number of the update is not finite."""
    if not np.isfinite([update.loss, *update.after.flat[0]]).all():
        return
    if st.button("Take home", icon=":material/download:", key="take_home", help="PyTorch script, all numbers"):
        _dialog(update, link)


@st.dialog("Take home", icon=":material/download:")
def _dialog(update: Update, link: str) -> None:
    dialog_focus(key="dialog_focus")
    with st.container(horizontal=True):
        download("PyTorch script", partial(update_script, update, link), "update_torch.py", "text/x-python")
        download("All numbers (CSV)", partial(update_table, update), "update.csv", "text/csv")
    st.markdown(
        ":small[The script has these weights and examples, lets PyTorch find the gradient, takes the update, and "
        "prints what it comes to beside what this page says. The table has every weight and bias: its value, its "
        "gradient, and what it becomes.]"
    )
