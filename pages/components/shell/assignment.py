"""What a lecturer's link asks of a page beside its settings: what is hidden, a task, a question with choices, a goal.

All of it is plain text from outside: it is shown as text, whatever it looks like.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from engine.experiment import SETTINGS
from engine.settings import OutOfRange
from pages.components.shell.address import (
    ALTERED_HIDE,
    CHOICES,
    GOAL,
    HIDDEN,
    HIDE,
    QUESTION,
    RIGHT,
    SEAL,
    TASK,
    Address,
    Field,
    FieldOf,
    all_parameters,
    hidden_by,
    ignored,
    only,
    read_address,
)
from pages.components.shell.session import this_session
from pages.text.goals import AnyGoal, read_goal
from pages.walkthrough.user_input import read_number

MOST_CHARACTERS = 280  # of a task, and of a question
MOST_OF_CHOICE = 120
FEWEST_CHOICES, MOST_CHOICES = 2, 5
QUESTIONS = TASK, CHOICES, QUESTION, RIGHT  # parameters of every page that asks
PARAMETERS = HIDE, *QUESTIONS, GOAL, SEAL
JOINER = "\u2060"  # is not seen


@dataclass(frozen=True)
class Question:
    """right: the number of the right choice, counted from 0; None: the lecturer keeps that to himself."""

    text: str
    choices: tuple[str, ...]
    right: int | None = None


@dataclass(frozen=True)
class Assignment:
    """What the link asks.  hidden: names of what the page can hide."""

    hidden: tuple[str, ...] = ()
    task: str = ""
    question: Question | None = None
    goal: AnyGoal | None = None

    @property
    def texts(self) -> dict[str, str]:
        """Its parameters of the address."""
        texts = {HIDE: ",".join(self.hidden), TASK: self.task, GOAL: self.goal.text if self.goal else ""}
        if self.question:
            right = self.question.right
            texts |= {QUESTION: self.question.text, CHOICES: "\n".join(self.question.choices)}
            texts |= {} if right is None else {RIGHT: str(right + 1)}
        return {name: text for name, text in texts.items() if text}


def read_assignment(
    requested: Mapping[str, Sequence[str]],
    hides: Sequence[str] = HIDDEN,
    goal: Callable[[str], AnyGoal] = read_goal,
) -> tuple[Assignment, Address]:
    """What these parameters of an address ask, and what is said about those that make no sense.

    hides: what the page can hide; goal: reads one of the page's goals, OutOfRange for what is none.
    """
    fields: dict[str, Field | FieldOf] = {
        TASK: Field(partial(_text_in, TASK), ""),
        CHOICES: Field(_choices_in, ()),
        QUESTION: lambda values: Field(partial(_question_in, values[CHOICES]), ""),
        RIGHT: lambda values: Field(partial(_right_in, values[CHOICES]), None),
        GOAL: Field(lambda texts: goal(only(GOAL, texts)), None),
        SEAL: Field(partial(only, SEAL), ""),
    }
    found = read_address({name: requested[name] for name in fields if name in requested}, fields, lambda *_: "")
    values = found.values
    hidden: tuple[str, ...] = ()
    if HIDE in requested:
        hidden, understood = hidden_by(requested[HIDE], hides)
        why = f"one or more of {', '.join(hides)}, with commas. All of them are hidden now"
        silent = understood or requested[HIDE] == [ALTERED_HIDE]  # of which the box of what is asked speaks
        sentences = () if silent else (ignored(HIDE, requested[HIDE][-1], why),)
        found |= Address({}, {HIDE: ",".join(hidden)}, frozenset(), sentences)
    question = Question(values[QUESTION], values[CHOICES], values[RIGHT]) if values[QUESTION] else None
    return Assignment(hidden, values[TASK], question, values[GOAL]), found


def answer_key(page: str, question: Question) -> tuple[str, str]:
    """Where an answer stands among the session's predictions."""
    return page, "\n".join([question.text, *question.choices])


def waits_for_answer(page: str) -> bool:
    """Whether the address asks something that has not been answered."""
    question = read_assignment(all_parameters())[0].question
    return question is not None and answer_key(page, question) not in this_session().predictions


def as_text(text: str) -> str:
    """Markdown that shows a text as it is."""
    # Links, emoji, icons and arrows are made of what is text already: something unseen has to stand between.
    broken = re.sub(r"[:<>~@-]|(?i:ww)(?=w\.)", rf"\g<0>{JOINER}", " ".join(text.split()))
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", broken)


def _text_in(name: str, texts: Sequence[str]) -> str:
    text = _printable(only(name, texts))
    if len(text) > MOST_CHARACTERS:
        raise OutOfRange(name, text, f"at most {MOST_CHARACTERS} characters")
    return text


def _choices_in(texts: Sequence[str]) -> tuple[str, ...]:
    choices = tuple(filter(None, map(str.strip, _printable(only(CHOICES, texts)).split("\n"))))
    fit = FEWEST_CHOICES <= len(choices) <= MOST_CHOICES and len(set(choices)) == len(choices)
    if not fit or max(map(len, choices)) > MOST_OF_CHOICE:
        allowed = f"{FEWEST_CHOICES} to {MOST_CHOICES} different lines of at most {MOST_OF_CHOICE} characters"
        raise OutOfRange(CHOICES, texts[-1], allowed)
    return choices


def _question_in(choices: Sequence[str], texts: Sequence[str]) -> str:
    text = _text_in(QUESTION, texts)
    if text and not choices:
        raise OutOfRange(QUESTION, text, f"beside {CHOICES}")
    return text


def _right_in(choices: Sequence[str], texts: Sequence[str]) -> int:
    setting = replace(SETTINGS["steps"], name=RIGHT, low=1, high=max(len(choices), 1))
    return int(setting.check(read_number(only(RIGHT, texts)))) - 1


def _printable(text: str) -> str:
    """The text without what cannot be seen, line breaks excepted."""
    return "".join(one if one.isprintable() or one == "\n" else " " for one in text).strip()
