"""The controls of a lesson, and the address that says how they stand.

Every widget is made from a row of `SETTINGS` and bound to the address (`bind="query-params"`).  Its key and its
parameter have the name of the Experiment's field, with the prefix `treated_` for the treated network's own.  Streamlit
puts the text of a chosen option into the address as it stands, so the options are the Experiment's own names.

A moved control draws again what shows the networks, and nothing else: all the widgets of a page cost more than its
charts.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import get_session_state

from engine.cost import check_budget
from engine.datasets import DATASETS
from engine.experiment import SETTINGS, Experiment
from engine.settings import OutOfRange, Setting, Value
from pages.charts import wording
from pages.charts.figure import PATIENT, TREATED, Look
from pages.components.frame import BROWSERS_OWN, PARAMETERS, TIMELINE, memory, projecting

PREFIX = "treated_"
AS_PATIENT = "as patient"
NETWORKS = "networks"  # what shows them, by its name for `st.rerun`

# One control for both networks: the data, the draw and what the loss means have to be the same in a fair comparison.
SHARED = ("dataset", "n_train", "noise", "label_noise", "loss", "steps", "seed", "data_seed", "precision")
# A page without an upload has no data of the learner's own.
ABSENT = ("data_digest",)
NOT_OFFERED = {"dataset": ("custom",)}

SLIDER_STOPS = 100  # a whole number with at most so many values is dragged, all other numbers are typed
NAME_WIDTH, BESIDE_WIDTH, BOTH_WIDTH = 85, 140, 35  # pixels: two rows at 1440, and no longest option cut off
PROJECTOR_SCALE = 1.45  # of these widths, for a window of 1440 to 1920 pixels
SHARED_A_ROW, OWN_A_ROW = 4, 3  # controls side by side among "more settings": for both, for each network
EMBEDDING = ("embed", "embed_options")  # parameters that are Streamlit's own
MOST_QUOTED = 40  # characters of an address's nonsense that are shown

Answer = str | int | float | bool | None  # what a widget holds; None: an empty field, which stands for its placeholder


@dataclass(frozen=True)
class Lesson:
    """What a lesson's page starts from, and where its settings stand.

    patient, treated: the networks of the bare address.  front: settings on the first screen, for each network its own.
    beside: settings on the first screen with one control; where the treated network may differ, its own control is
    among "more settings", with all the rest.  shared: settings with one control for both.  absent: not on the page.
    segments: settings chosen with one click, all choices in view.  front_width: pixels of the others in front.
    ValueError where the two networks differ in what they share.
    """

    page: str
    patient: Experiment
    treated: Experiment
    front: tuple[str, ...] = ("activation", "initializer")
    beside: tuple[str, ...] = ("depth", "dataset", "steps")
    shared: tuple[str, ...] = SHARED
    absent: tuple[str, ...] = ABSENT
    segments: tuple[str, ...] = ("activation",)
    front_width: int = 175

    def __post_init__(self) -> None:
        _answers(self, self.patient, self.treated)


class Choice(NamedTuple):
    """What the controls say.

    patient, treated: the networks to show; notes: sentences about what was not taken as asked, already drawn;
    address: of the controls as they stand, every setting named; refused: the controls ask for what cannot be made, and
    the networks are the last good ones.
    """

    patient: Experiment
    treated: Experiment
    notes: tuple[str, ...]
    address: str
    refused: bool


def controls(lesson: Lesson) -> DeltaGenerator:
    """Draw the lesson's controls, those of the closed expander included; the place for what `networks` says of them.

    Nonsense in the address is ignored, with a sentence.
    """
    widgets = _widgets(lesson)
    garbled, ignored = _read_address(lesson)
    held: dict[str, Answer] = {}

    def draw(name: str, **look: Any) -> None:
        held[name] = widgets[name].draw(bound=name not in garbled, then=_show_networks, **look)

    with st.container(key="controls", gap="small"):
        # In large type there is no room for both controls and charts on the first screen.
        place = st.expander("Settings", icon=":material/tune:") if projecting() else st.container()
        with place, st.container(key="first_screen", gap="small"):
            _draw_first_screen(lesson, draw)
        sentences = st.container()
        with st.expander("More settings", icon=":material/tune:"):
            _draw_more(lesson, draw)
    still_ignored(lesson.page, ignored, held)
    return sentences


@st.fragment(key=NETWORKS)
def networks(lesson: Lesson, sentences: DeltaGenerator, show: Callable[[Choice], None]) -> None:
    """Show the networks that the drawn controls ask for, and again whenever one of them is moved.

    Never raises.  Settings that do not go together, and runs over budget, leave the last good networks in place, with
    a sentence.
    sentences: the place for it.
    """
    widgets = _widgets(lesson)
    held: dict[str, Answer] = {name: st.session_state[name] for name in widgets}
    notes = still_ignored(lesson.page, (), held)
    last_good = memory().last_good
    refused = False
    try:
        pair = last_good[lesson.page] = _pair(lesson, held)
    except OutOfRange as problem:
        refused = True
        shown = "the last networks that could be trained" if lesson.page in last_good else "this lesson's own networks"
        pair = last_good.get(lesson.page, (lesson.patient, lesson.treated))
        notes = (*notes, f"{problem} What you see below are {shown}, not what the controls say.")
    texts = {name: control.text(held[name]) for name, control in widgets.items()}
    memory().addresses[lesson.page] = {
        name: text for name, text in texts.items() if held[name] != widgets[name].default
    }
    memory().parameters = parameters_here()
    with sentences:
        if notes:
            st.warning("  \n".join(notes), icon=":material/info:")
        else:
            st.empty()
    show(Choice(*pair, notes, _link(lesson, texts), refused))


def address(lesson: Lesson, patient: Experiment, treated: Experiment) -> str:
    """Path and parameters of the lesson's page with these networks; every setting of the page is named.

    ValueError where the networks differ in what they share on this page.
    """
    widgets = _widgets(lesson)
    answers = _answers(lesson, patient, treated)
    return _link(lesson, {name: widgets[name].text(answer) for name, answer in answers.items()})


def parameters(lesson: Lesson, patient: Experiment, treated: Experiment) -> dict[str, str]:
    """For a link within the app: the settings that the bare address does not have, as Streamlit would write it itself.

    One setting at least, since who comes to a lesson by its bare address finds it as it was left.
    """
    widgets = _widgets(lesson)
    answers = _answers(lesson, patient, treated)
    others = [name for name, answer in answers.items() if answer != widgets[name].default]
    return {name: widgets[name].text(answers[name]) for name in others or [lesson.front[0]]}


def apply(lesson: Lesson, patient: Experiment, treated: Experiment) -> None:
    """Set every control, and with it the address, to these networks.  For a button's on_click, as its last call."""
    widgets = _widgets(lesson)
    answers = _answers(lesson, patient, treated)
    st.session_state.update(answers)
    write_address(
        {
            name: None if answer == widgets[name].default else widgets[name].text(answer)
            for name, answer in answers.items()
        }
    )
    st.rerun()  # the whole page, controls included, wherever the button stands


def write_address(texts: Mapping[str, str | None]) -> None:
    """Set parameters of the address, bound to widgets or not, in one step back; None takes one away."""
    # Streamlit makes one history entry of every changed parameter, and Back would walk through mixtures of old and new.
    # Told of all of them beforehand it makes one.  For bound parameters there is no public call.
    with get_session_state().query_params() as bound:
        for name, text in texts.items():
            if text is None:
                bound.discard_param_no_forward_msg(name)
            else:
                bound.set_with_no_forward_msg(name, text)
        bound._send_query_param_msg()


@dataclass(frozen=True)
class Control:
    """One widget: a setting of the patient's, or of the treated network's own.

    segmented: all choices are in view. default: what it holds where the address says nothing. An empty number field
    stands for the patient's value, or for a setting's special value; among options "as patient" does.
    """

    setting: Setting
    treated: bool
    segmented: bool
    default: Answer

    @property
    def name(self) -> str:
        return PREFIX + self.setting.name if self.treated else self.setting.name

    @property
    def label(self) -> str:
        return f"Treated: {wording.label(self.setting.name)}" if self.treated else self.setting.label

    @property
    def numeric(self) -> bool:
        return self.setting.kind in (int, float)

    @property
    def empty(self) -> str:
        """What an empty number field stands for; nothing where the field cannot be empty."""
        if not self.numeric or self.default is not None:
            return ""
        return AS_PATIENT if self.treated else self.setting.special[0][1]

    @property
    def follows(self) -> str:
        """How the treated network's control says that it follows the patient; nothing where it cannot."""
        return AS_PATIENT if self.treated and (self.empty or not self.numeric) else ""

    @property
    def options(self) -> tuple[str, ...]:
        """What a choice offers.  "As patient" stands last in a row of segments, so that two rows line up."""
        setting = self.setting
        withheld = NOT_OFFERED.get(setting.name, ())
        offered = tuple(choice for choice in setting.choices if choice not in withheld) or ("true", "false")
        if not self.treated:
            return offered
        return (*offered, AS_PATIENT) if self.segmented else (AS_PATIENT, *offered)

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
        text = texts[-1]
        if len(texts) > 1:
            raise OutOfRange(self.name, text, "named once")
        if text and text == self.follows:
            return self.answer(None)
        if not self.numeric:
            text = text.lower() if self.setting.kind is bool else text
            if text not in self.options:
                raise OutOfRange(self.name, text, "one of " + ", ".join(self.options))
            return self.answer(text == "true" if self.setting.kind is bool else text)
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        return self.answer(self.setting.check(number))

    def text(self, answer: Answer) -> str:
        """The parameter of the address for what the widget holds."""
        if answer is None:
            return AS_PATIENT if self.treated else str(self.setting.special[0][0])
        return str(answer).lower() if isinstance(answer, bool) else str(answer)

    def draw(self, bound: bool = True, width: Any = "stretch", then: Callable[[], None] | None = None) -> Answer:
        """Draw the widget; what it holds.

        bound: to the address.  Where that holds nonsense the widget starts unbound, because Streamlit would take some
        of it: 12.7 layers for 12, and inf is an error.
        then: is called when it was moved and need not itself be drawn anew.
        """
        setting = self.setting
        common: Any = {
            "label": self.label, "key": self.name, "help": None if self.treated else setting.help, "width": width,
        }  # fmt: skip
        held = st.session_state.get(self.name, self.default)
        if not bound:
            common |= {"on_change": _say_again, "args": (self.name,)}
        elif then:
            common |= {"bind": "query-params", "on_change": _moved, "args": (self, self.step(held), then)}
        else:
            common |= {"bind": "query-params"}
        if not self.numeric:
            if setting.kind is bool and not self.treated:
                return st.toggle(value=bool(self.default), **common)
            if self.segmented:
                default: Any = self.default
                return st.segmented_control(options=self.options, default=default, required=True, **common)
            return st.selectbox(options=self.options, index=self.options.index(str(self.default)), **common)
        number: Any = setting.kind
        low: Any = math.nextafter(setting.low, math.inf) if setting.above else setting.low
        if setting.special and (self.treated or not self.empty):
            low = min(low, *(value for value, _ in setting.special))  # typed, where empty does not stand for it
        common |= {"value": self.default, "min_value": number(low), "max_value": number(setting.high)}
        if not self.treated and number is int and not setting.log and setting.high - low < SLIDER_STOPS:
            return st.slider(**common)
        return st.number_input(
            step=self.step(held), format="%d" if number is int else "%g", placeholder=self.empty or None, **common
        )

    def step(self, held: Answer) -> Any:
        """What plus and minus change; where a setting moves in factors, a twentieth to a half of the number."""
        if not self.numeric:
            return None
        kind: Any = self.setting.kind
        if not self.setting.log:
            return kind(1 if kind is int else 0.05)
        power = math.floor(math.log10(float(held) / 2)) if held else -3
        return kind(max(1, 10**power) if kind is int else 10.0**power)


def _moved(control: Control, step: Any, then: Callable[[], None]) -> None:
    """A number field whose steps have changed is drawn anew, and with it the whole page."""
    if control.step(st.session_state[control.name]) == step:
        then()


def _show_networks() -> None:
    with suppress(StreamlitAPIException):  # raised on a page that was left before it was drawn once
        st.rerun(NETWORKS)


def _say_again(name: str) -> None:
    """Set by code, a widget's value reaches the address also where the browser did not know the two as bound."""
    st.session_state[name] = st.session_state[name]


@lru_cache
def _widgets(lesson: Lesson) -> dict[str, Control]:
    """The page's controls by name: the patient's, then the treated network's own."""
    made = []
    for treated in (False, True):
        for name, setting in SETTINGS.items():
            if name in lesson.absent or (treated and name in lesson.shared):
                continue
            value = getattr(lesson.treated if treated else lesson.patient, name)
            if (treated and value == getattr(lesson.patient, name)) or (not treated and value in dict(setting.special)):
                default = None if setting.kind in (int, float) else AS_PATIENT
            else:
                default = str(value).lower() if treated and setting.kind is bool else value
            made.append(Control(setting, treated, name in lesson.segments, default))
    return {control.name: control for control in made}


def _answers(lesson: Lesson, patient: Experiment, treated: Experiment) -> dict[str, Answer]:
    """What every control holds for these networks; what is equal follows the patient where the control can say so."""
    unfair = [name for name in patient.differences(treated) if name in lesson.shared + lesson.absent]
    unfair += [name for name in patient.differences(lesson.patient) if name in lesson.absent]
    if unfair:
        raise ValueError(f"{lesson.page} has no controls for this difference in {', '.join(unfair)}")
    answers = {}
    for name, control in _widgets(lesson).items():
        mine, theirs = getattr(patient, control.setting.name), getattr(treated, control.setting.name)
        value = theirs if control.treated else mine
        answers[name] = control.answer(None if control.follows and mine == theirs else value)
    return answers


def _pair(lesson: Lesson, held: dict[str, Answer]) -> tuple[Experiment, Experiment]:
    """The networks that the controls ask for.  OutOfRange where they cannot be made."""
    mine: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    for name, control in _widgets(lesson).items():
        value = control.value(held[name])
        if value is not None:
            (theirs if control.treated else mine)[control.setting.name] = value
    patient = replace(lesson.patient, **mine)
    treated = replace(patient, **theirs)
    for experiment in (patient, treated):
        data = DATASETS[experiment.dataset]
        check_budget(experiment, data.n_in, data.n_out)
    return patient, treated


def _link(lesson: Lesson, texts: dict[str, str]) -> str:
    return f"/{lesson.page}?{urlencode(texts)}"


def _read_address(lesson: Lesson) -> tuple[set[str], tuple[str, ...]]:
    """Names of the controls whose parameter means nothing, and a sentence for all that was ignored.

    Comes before any widget: Streamlit takes what it can use of the address and drops the rest in silence.
    """
    widgets = _widgets(lesson)
    entering = enter(lesson.page, (*widgets, TIMELINE))
    asked, garbled, sentences = {}, set(), []
    for name in st.query_params:
        texts = st.query_params.get_all(name)
        if name in PARAMETERS or (name == TIMELINE and texts[-1].isdecimal()):
            asked[name] = texts[-1]
            continue
        try:
            answer = _control(lesson, name).read(texts)
            if answer != widgets[name].default:
                asked[name] = texts[-1]
        except OutOfRange as problem:
            sentences.append(
                f"{quoted(f'{name}={texts[-1]}')} in the address was ignored: it must be {problem.allowed}."
            )
            garbled.add(name)
    if entering:
        # Streamlit would clear nonsense and defaults one by one, and make a history entry of each.
        st.query_params.from_dict(asked)
    else:
        for name in garbled:
            if name in widgets:
                st.session_state[name] = widgets[name].default
            else:
                del st.query_params[name]
    return garbled, tuple(sentences)


def enter(page: str, widgets: Collection[str]) -> bool:
    """Whether the learner comes to the lesson with this run, by a first request or from another page.

    Who goes back, or comes by a link without parameters, finds the lesson as it was left.  Starts again where the
    address has to be mended: Streamlit adds the last page's parameters to those of a link, takes away what has the name
    of one of the last page's widgets, and puts a bare address into the history where a page is left.  Who goes back
    to that has the last page's parameters.
    widgets: the names of those that are bound.
    """
    session = memory()
    if session.controls == page:
        return False
    session.controls = page
    for name in widgets:  # or the widgets of one lesson would hand their values to the next
        st.session_state.pop(name, None)
    context = get_script_run_ctx()
    asked = parse_qs(context.query_string, keep_blank_values=True) if context else {}
    frames = {name: texts for name, texts in asked.items() if name in PARAMETERS}
    asked = {name: texts for name, texts in asked.items() if name not in (*PARAMETERS, *EMBEDDING)}
    asked = {name: texts for name, texts in asked.items() if name not in BROWSERS_OWN or name in widgets}
    if not session.restarted:
        if not (context and context.is_history_navigation):
            asked = {name: texts for name, texts in asked.items() if session.parameters.get(name) != texts}
        elif session.parameters and session.parameters.items() <= asked.items():  # who goes back finds the last page's
            asked = {}
    if not asked:
        asked = {name: [text] for name, text in session.addresses.get(page, {}).items()}
    if asked != parameters_here() and not session.restarted:
        session.controls, session.restarted = "", True
        st.switch_page(f"pages/{page}.py", query_params=asked | frames)
    session.restarted = False
    return True


def parameters_here() -> dict[str, list[str]]:
    """The lesson's part of the address, as Streamlit has it."""
    return {name: st.query_params.get_all(name) for name in st.query_params if name not in PARAMETERS}


def _control(lesson: Lesson, name: str) -> Control:
    """The control of a parameter.  OutOfRange where the page has none."""
    widgets = _widgets(lesson)
    if name in widgets:
        return widgets[name]
    if name == TIMELINE:
        raise OutOfRange(name, "", "a training step, 0 or more")
    if name.removeprefix(PREFIX) in lesson.shared:
        raise OutOfRange(name, "", f"{name.removeprefix(PREFIX)}, one for both networks")
    raise OutOfRange(name, "", "a setting of this page")


def quoted(text: str) -> str:
    """Text from the address, as code: it must not become Markdown."""
    short = text if len(text) <= MOST_QUOTED else text[: MOST_QUOTED - 1] + "…"
    return "`" + " ".join(short.replace("`", "'").split()) + "`"


def still_ignored(page: str, sentences: tuple[str, ...], held: dict[str, Answer]) -> tuple[str, ...]:
    """What was ignored in the address, until a control is moved: a rerun by something else must not swallow it."""
    ignored = memory().ignored
    if sentences:
        ignored[page] = sentences, held
    elif page in ignored and ignored[page][1] != held:
        del ignored[page]
    return ignored[page][0] if page in ignored else ()


def _draw_first_screen(lesson: Lesson, draw: Callable[..., None]) -> None:
    """A row for the patient, one for the treated network; what is one for both at their right, half in each.

    In large type there is no room at the right: a third row.
    """
    large, half = projecting(), math.ceil(len(lesson.beside) / 2)
    scale = PROJECTOR_SCALE if large else 1
    rows = (("", PATIENT, lesson.beside[:half]), (PREFIX, TREATED, lesson.beside[half:]))
    for prefix, look, beside in rows:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.markdown(heading(look), width=round(scale * NAME_WIDTH))
            for name in lesson.front:
                width = "stretch" if name in lesson.segments else round(scale * lesson.front_width)
                draw(prefix + name, width=width)
            if not large and beside:
                with st.container(key=f"both_{look.name.lower()}", width=BOTH_WIDTH):
                    st.markdown(":gray[Both]")
                for name in beside:
                    draw(name, width=BESIDE_WIDTH)
                for _ in range(half - len(beside)):
                    st.space(BESIDE_WIDTH)
    if large:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for name in lesson.beside:
                draw(name)


def _draw_more(lesson: Lesson, draw: Callable[..., None]) -> None:
    """What is one for both; then the patient's own at the left, the treated network's own opposite."""
    widgets = _widgets(lesson)
    shown = (*lesson.front, *lesson.beside)
    shared = [name for name in lesson.shared if name in widgets and name not in shown]
    for start in range(0, len(shared), SHARED_A_ROW):
        columns = st.columns(SHARED_A_ROW)
        for column, name in zip(columns, shared[start : start + SHARED_A_ROW], strict=False):
            with column:
                draw(name)
    sides = st.columns(2)
    for side, look in zip(sides, (PATIENT, TREATED), strict=True):
        side.markdown(heading(look))
    own = [name for name in widgets if PREFIX + name in widgets and name not in lesson.front]
    own.sort(key=lambda name: name in shown)  # last: those whose control for the patient is on the first screen
    for start in range(0, len(own), OWN_A_ROW):
        columns = st.columns(2 * OWN_A_ROW, vertical_alignment="bottom")
        for place, name in enumerate(own[start : start + OWN_A_ROW]):
            if name not in shown:
                with columns[place]:
                    draw(name)
            with columns[OWN_A_ROW + place]:
                draw(PREFIX + name)
    st.button(
        "Back to this lesson's start", icon=":material/restart_alt:",
        on_click=apply, args=(lesson, lesson.patient, lesson.treated),
    )  # fmt: skip


def heading(look: Look) -> str:
    """The network's name in its colour, with its marker: never by colour alone."""
    color, marker = {PATIENT: ("orange", "●"), TREATED: ("blue", "◆")}[look]
    return f":{color}[{marker} **{look.name}**]"
