"""One widget: a setting of the patient's, or of the treated network's own, and its parameter of the address."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st

from engine.settings import OutOfRange, Setting, Value
from pages.components.shell.address import only, write_address
from pages.components.shell.session import this_session
from pages.text import labels
from pages.walkthrough.user_input import read_number

PREFIX = "treated_"
AS_PATIENT = "as patient"
MORE = "more"  # shows the other choices of a setting in segments
OFF_ON = "false", "true"  # how the address wrote a choice when it was a switch
NOT_OFFERED = {"dataset": ("custom",)}
SMALLEST = 1e-12  # that can be typed where all above 0 is legal: Streamlit's sentence about a refused number names it
SLIDER_STOPS = 100  # a whole number with at most so many values is dragged, all other numbers are typed

Answer = str | int | float | bool | None  # what a widget holds; None: an empty field, which stands for its placeholder


@dataclass(frozen=True)
class Control:
    """One widget: a setting of the patient's, or of the treated network's own.

    segments: choices in view, each one click away; none: a list.  default: what it holds where the address says
    nothing. An empty number field stands for the patient's value, or for a setting's special value; among options "as
    patient" does.  Options are shown as the text names them; the address keeps the Experiment's names.
    """

    setting: Setting
    treated: bool
    segments: tuple[str, ...]
    default: Answer

    @property
    def name(self) -> str:
        return PREFIX + self.setting.name if self.treated else self.setting.name

    @property
    def label(self) -> str:
        return f"Treated: {labels.label(self.setting.name)}" if self.treated else self.setting.label

    @property
    def numeric(self) -> bool:
        return self.setting.kind in (int, float)

    @property
    def empty(self) -> str:
        """What an empty number field stands for; nothing where the field cannot be empty."""
        if not self.numeric:
            return ""
        if self.treated:
            return AS_PATIENT
        return "" if self.default is not None else self.setting.special[0][1]

    @property
    def options(self) -> tuple[str, ...]:
        """What a choice offers.  "As patient" stands last in a row of segments, so that two rows line up."""
        setting = self.setting
        withheld = NOT_OFFERED.get(setting.name, ())
        offered = tuple(choice for choice in setting.choices if choice not in withheld) or ("true", "false")
        if not self.treated:
            return offered
        return (*offered, AS_PATIENT) if self.segments else (AS_PATIENT, *offered)

    def answer(self, value: Value | None) -> Answer:
        """What the widget holds for a value of the setting; None: for the patient's."""
        if value is None:
            return None if self.numeric else AS_PATIENT
        if self.treated and isinstance(value, bool):
            return str(value).lower()
        return None if self.empty and not self.treated and value in dict(self.setting.special) else value

    def value(self, answer: Answer) -> Value | None:
        """The setting's value for what the widget holds; None: the patient's."""
        if self.treated:
            if answer in (None, AS_PATIENT):
                return None
            return answer == "true" if self.setting.kind is bool else answer
        return self.setting.special[0][0] if answer is None else answer

    def read(self, texts: Sequence[str]) -> Answer:
        """What the widget holds for a parameter of the address.  OutOfRange for one that means nothing here."""
        text = only(self.name, texts)
        if self.setting.switch and text.lower() in OFF_ON:
            return self.answer(self.setting.switch[OFF_ON.index(text.lower())])
        if self.treated and text == AS_PATIENT:
            return self.answer(None)
        if not self.numeric:
            text = text.lower() if self.setting.kind is bool else text
            if text not in self.options:
                raise OutOfRange(self.name, text, "one of " + ", ".join(self.options))
            return self.answer(text == "true" if self.setting.kind is bool else text)
        return self.answer(self.setting.check(read_number(text)))

    def text(self, answer: Answer) -> str:
        """The parameter of the address for what the widget holds."""
        if answer is None:
            return AS_PATIENT if self.treated else str(self.setting.special[0][0])
        return str(answer).lower() if isinstance(answer, bool) else str(answer)

    def name_of(self, option: str) -> str:
        """An option as the text names it: Xavier normal."""
        if option in (AS_PATIENT, MORE):
            return option
        return self.setting.in_words(option == "true" if self.setting.kind is bool else option)

    def differs(self, text: str | None, answer: Answer) -> bool:
        """Whether this parameter of the address, None where there is none, says something else than the widget."""
        try:
            return (self.default if text is None else self.read([text])) != answer
        except OutOfRange:
            return True

    def draw(self, width: Any = "stretch", then: Callable[[], None] | None = None, locked: bool = False) -> Answer:
        """Draw the widget, whose value session state has; what it holds.

        It is not bound to the address, which would then have the options' names as they are shown.  Who draws it writes
        the address, with `write_controls`.
        then: is called when it was moved and need not itself be drawn anew; locked: it cannot be moved.
        """
        setting, default = self.setting, cast(Any, self.default)
        common: Any = {
            "label": self.label, "key": self.name, "help": None if self.treated else setting.help, "width": width,
            "on_change": _moved, "args": (self, st.session_state.get(self.name), self.step(), then), "disabled": locked,
        }  # fmt: skip
        if not self.numeric:
            if setting.kind is bool and not self.treated:
                return st.toggle(value=default, **common)
            common |= {"format_func": self.name_of}
            if self.segments:
                return st.segmented_control(options=self._shown(), default=default, required=True, **common)
            return st.selectbox(options=self.options, index=self.options.index(default), **common)
        number: Any = setting.kind
        low: Any = setting.low
        if setting.above:
            low = min(low + SMALLEST, st.session_state.get(self.name) or math.inf)  # an address may have a smaller one
        if setting.special and (self.treated or not self.empty):
            low = min(low, *(value for value, _ in setting.special))  # typed, where empty does not stand for it
        common |= {"min_value": number(low), "max_value": number(setting.high)}
        if not self.treated and number is int and not setting.log and setting.high - low < SLIDER_STOPS:
            return st.slider(value=default, **common)
        common |= {"value": None if self.empty else default, "placeholder": self.empty or None}
        return st.number_input(step=self.step(), format="%d" if number is int else "%g", **common)

    def _shown(self) -> tuple[str, ...]:
        """The segments; all choices where somebody has asked for more, or has another one."""
        chosen = st.session_state.get(self.name, self.default)
        few = (*self.segments, AS_PATIENT) if self.treated else self.segments
        if this_session().more_choices or chosen not in few or not set(self.options) - set(few):
            return self.options
        return (*self.segments, MORE, AS_PATIENT) if self.treated else (*few, MORE)

    def step(self) -> Any:
        """What plus and minus change; where a setting moves in factors, a twentieth to a half of the number."""
        if not self.numeric:
            return None
        value = st.session_state.get(self.name, self.default)
        if value is None and self.treated:
            value = st.session_state.get(self.setting.name)
        kind: Any = self.setting.kind
        if not self.setting.log:
            return kind(1 if kind is int else 0.05)
        number = float(value or 0)
        power = math.floor(math.log10(number / 2)) if number > 1e-300 else -3  # below, no step is left
        return kind(max(1, 10**power) if kind is int else 10.0**power)


def write_controls(
    controls: Mapping[str, Control], answers: Mapping[str, Answer], also: Mapping[str, str | None] | None = None
) -> None:
    """Write to the address what it does not say yet of these controls, by name; a default says nothing.

    also: other parameters and their texts, None for one that the address should not have.
    """
    here = st.query_params.to_dict()  # Streamlit takes a lock for each that is looked up
    texts = {name: text for name, text in (also or {}).items() if here.get(name) != text}
    texts |= {
        name: None if answers[name] == control.default else control.text(answers[name])
        for name, control in controls.items()
        if control.differs(here.get(name), answers[name])
    }
    if texts:
        write_address(texts)


def _moved(control: Control, before: Answer, step: Any, then: Callable[[], None] | None) -> None:
    """A widget was moved.  "More" is no choice, but asks for all of them, and then the page is drawn anew.

    So it is for a number field whose steps have changed.
    """
    if control.segments and st.session_state[control.name] == MORE:
        this_session().more_choices = True
        st.session_state[control.name] = before
    elif then and control.step() == step:
        then()
