"""Do training, validation and test agree?"""

import pandas as pd

from engine import RunHistory
from pages.charts.one_run import three_sets
from pages.charts.style.figure import PATIENT, AnimatedFigure

TITLE = three_sets.TITLE
QUESTION = three_sets.QUESTION
HOW_TO_READ = three_sets.HOW_TO_READ
LOOKS = (PATIENT,)


def figure(history: RunHistory) -> AnimatedFigure:
    """What the result achieves on each set."""
    return three_sets.figure(history, looks=LOOKS)


def alt(history: RunHistory) -> str:
    """The three numbers."""
    return three_sets.alt(history, looks=LOOKS)


def table(history: RunHistory) -> pd.DataFrame:
    """One row a set."""
    return three_sets.table(history, looks=LOOKS)
