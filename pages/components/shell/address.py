"""A page's address: what a visitor comes with, what means nothing in it, and how code writes it.

Streamlit binds widgets to parameters of the address; this is what it leaves open.  Its internals are called here alone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple, NoReturn
from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import get_session_state

from engine.experiment import SETTINGS
from engine.settings import OutOfRange
from pages.components.shell.session import this_session
from pages.text.draw_first import DRAWINGS
from pages.walkthrough.user_input import as_code, read_number

# Parameters of every page.
VIEW, PROJECTOR = "view", "projector"
PARAMETERS = (VIEW, PROJECTOR)
# Parameters that a page's own component writes in the browser; the server learns of them when the page is loaded.
PHASE, TIMELINE = "phase", "timeline"
BROWSERS_OWN = (PHASE, TIMELINE)
# Of whose defaults a short link leaves out what it does not say; the page counts them from 1.  It is taken out of the
# address once it was read: what remains there counts from today's.
VERSION = "v"
# Whether a link comes from the ward, whose patients have names: those that are a lesson's own networks, too.  The page
# remembers it, and keeps it in the address of these alone.
WARD = "ward"
# Which part of a lesson is open.
PART, PARTS = "part", ("look", "why", "cure", "try", "more", "read")
# Which of its charts fills the stage, counted from 1; what is hidden until the learner has said what he expects: the
# verdict, and what the doctor says beside it; the doctor's notes; what helps; a part.
CHART, MOST_CHARTS = "chart", 9
HIDE, HIDDEN_PART = "hide", "part-"
HIDDEN = "verdict", "notes", "cures", *(HIDDEN_PART + part for part in PARTS[1:])
# What else a lecturer's link says: see assignment.py beside this, and pages/components/settings/locks.py.
LOCK, TASK, QUESTION, CHOICES, RIGHT, GOAL = "lock", "task", "question", "choices", "right", "goal"
ASSIGNMENT = LOCK, TASK, QUESTION, CHOICES, RIGHT, GOAL
# A seal over that and what is hidden: who takes a part away by hand, or writes something else, finds everything locked
# and hidden.  It is no secret, and older links have none; the page seals anew what it changes itself.
SEAL = "seal"
SEALED = HIDE, *ASSIGNMENT
SEAL_CHARACTERS = 6
# Lock and hide of a link that was altered; no seal is made of such letters.
ALTERED, ALTERED_HIDE = "all,seal:altered", "altered"
# Which curve the learner draws before it is shown.
DRAW = "draw"
EMBEDDING = ("embed", "embed_options")  # parameters that are Streamlit's own
MOST_QUOTED = 40  # characters of an address's nonsense that are shown
MOST_SENTENCES = 8  # about an address's nonsense
STEP = replace(SETTINGS["steps"], name=TIMELINE, low=0)
NUMBER = replace(SETTINGS["steps"], name=CHART, low=1, high=MOST_CHARTS)
NO_DEFAULT = object()  # of a field that is kept in the address whatever it says


class Field(NamedTuple):
    """A parameter that a page knows.

    read: its value for all the texts that it has in the address, OutOfRange where they mean nothing; default: its value
    where the address does not name it; why: what a sentence about nonsense says first; text: how the address writes a
    value today, where older addresses wrote it otherwise.
    """

    read: Callable[[Sequence[str]], Any]
    default: Any = NO_DEFAULT
    why: str = ""
    text: Callable[[Any], str] | None = None


FieldOf = Callable[[Mapping[str, Any]], Field]  # a field that depends on the values of those before it


@dataclass(frozen=True)
class Address:
    """What an address says to a page.

    values: of the fields, the default where the address says nothing or nonsense; texts: of the parameters that make
    sense and say more than the default; ignored: names of those that mean nothing; sentences: about these; renamed:
    texts of today of those that an older address wrote otherwise.
    """

    values: Mapping[str, Any]
    texts: Mapping[str, str]
    ignored: frozenset[str]
    sentences: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, other: "Address") -> "Address":
        """Both parts of one address; what either of them ignores is ignored."""
        ignored = self.ignored | other.ignored
        texts = {name: text for name, text in {**self.texts, **other.texts}.items() if name not in ignored}
        sentences, renamed = self.sentences + other.sentences, {**self.renamed, **other.renamed}
        return Address({**self.values, **other.values}, texts, ignored, sentences, renamed)


def read_address(
    requested: Mapping[str, Sequence[str]],
    fields: Mapping[str, Field | FieldOf],
    unknown: Callable[[str, Sequence[str]], str],
) -> Address:
    """What these parameters say to a page with these fields, sentences in the order of the parameters.

    unknown: what a parameter that is no field, with its texts, should have been.
    """
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    renamed: dict[str, str] = {}
    problems = {
        name: ignored(name, given[-1], unknown(name, given)) for name, given in requested.items() if name not in fields
    }
    for name, known in fields.items():
        one = known if isinstance(known, Field) else known(values)
        if one.default is not NO_DEFAULT:
            values[name] = one.default
        if name not in requested:
            continue
        given = requested[name][-1]
        try:
            values[name] = one.read(requested[name])
        except OutOfRange as problem:
            problems[name] = ignored(name, given, problem.allowed, one.why)
            continue
        if one.text and one.text(values[name]) != given:
            renamed[name] = given = one.text(values[name])
        if values[name] != one.default:
            texts[name] = given
    sentences = tuple(problems[name] for name in requested if name in problems)
    return Address(values, texts, frozenset(problems), sentences, renamed)


def enter(page: str, widgets: Collection[str]) -> bool:
    """Whether the learner comes to the lesson with this run, by a first request or from another page.

    Who goes back, or comes by a link without parameters, finds the lesson as it was left.  Starts again where the
    address has to be mended: Streamlit adds the last page's parameters to those of a link, takes away what has the name
    of one of the last page's widgets, and puts a bare address into the history where a page is left.  Who goes back
    to that has the last page's parameters.
    widgets: the names of those that are bound.
    """
    session = this_session()
    if session.controls == page:
        here = all_parameters()
        if (mended := unaltered(here)) != here:
            start_again(page, mended)
        return False
    session.controls = page
    for name in widgets:  # or the widgets of one lesson would hand their values to the next
        st.session_state.pop(name, None)
    context = get_script_run_ctx()
    requested = parse_qs(context.query_string, keep_blank_values=True) if context else {}
    frames = {name: texts for name, texts in requested.items() if name in PARAMETERS}
    shown = {name: texts for name, texts in requested.items() if name in BROWSERS_OWN and name in widgets}
    requested = {
        name: texts for name, texts in requested.items() if name not in (*PARAMETERS, *EMBEDDING, *BROWSERS_OWN)
    }
    if not session.restarted:
        if not (context and context.is_history_navigation):
            requested = {name: texts for name, texts in requested.items() if session.parameters.get(name) != texts}
        elif session.parameters and session.parameters.items() <= requested.items():
            requested = {}  # who goes back finds the last page's
    if not requested:
        requested = {name: [text] for name, text in session.addresses.get(page, {}).items()}
    requested = unaltered(requested | shown)
    if requested != parameters_here() and not session.restarted:
        start_again(page, requested | frames)
    session.restarted = False
    return True


def unaltered(requested: dict[str, list[str]]) -> dict[str, list[str]]:
    """These parameters; with all locked and hidden where they have a seal that is not theirs."""
    if SEAL not in requested or requested[SEAL] == [seal(requested)]:
        return requested
    others = {name: texts for name, texts in requested.items() if name != SEAL}
    return others | {LOCK: [ALTERED], HIDE: [ALTERED_HIDE]}


def seal(texts: Mapping[str, str | Sequence[str]]) -> str:
    """The seal of these parameters."""
    return digest(urlencode({name: texts[name] for name in SEALED if name in texts}, doseq=True))


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:SEAL_CHARACTERS]


def resealed(texts: Mapping[str, str]) -> dict[str, str]:
    """These parameters with the seal that is theirs, where they have one and there is something to seal."""
    others = {name: text for name, text in texts.items() if name != SEAL}
    return others | ({SEAL: seal(others)} if SEAL in texts and not others.keys().isdisjoint(SEALED) else {})


def start_again(page: str, parameters: Mapping[str, Any]) -> NoReturn:
    """End this run, and come to the page with these parameters instead of those that the address has."""
    session = this_session()
    session.controls, session.restarted = "", True
    st.switch_page(f"pages/{page}.py", query_params=parameters)


def all_parameters() -> dict[str, list[str]]:
    """The address, as Streamlit has it."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def parameters_here() -> dict[str, list[str]]:
    """The page's part of it."""
    return {name: texts for name, texts in all_parameters().items() if name not in PARAMETERS}


def mend(address: Address, entering: bool, defaults: Mapping[str, Any], also: Mapping[str, str] | None = None) -> None:
    """Take out of the address what means nothing; where somebody comes to the page, what says nothing either.

    Comes before any widget: Streamlit takes what it can use of the address and drops the rest in silence.
    defaults: of the widgets that are bound to it; also: parameters that who comes to the page gets beside its own.
    """
    renamed = {name: text for name, text in address.renamed.items() if name in defaults}
    st.session_state.update({name: address.values[name] for name in renamed})  # a widget takes no older address's text
    if entering:
        # Streamlit would clear nonsense and defaults one by one, and make a history entry of each.
        kept = {name: address.texts[name] for name in st.query_params if name in address.texts}
        # Streamlit asks the address that came, which does not have what an earlier version's defaults add.
        added = (address.texts.keys() - kept.keys()) & defaults.keys()
        st.session_state.update({name: address.values[name] for name in added})
        st.query_params.from_dict(resealed({**(also or {}), **kept, **address.texts}))
        return
    st.session_state.update({name: defaults[name] for name in address.ignored if name in defaults})
    spent = (address.ignored | {VERSION}).intersection(st.query_params)
    if spent or renamed:
        write_address({**renamed, **dict.fromkeys(spent)})


def write_address(texts: Mapping[str, str | None]) -> None:
    """Set parameters of the address, bound to widgets or not, in one step back; None takes one away."""
    # Streamlit makes one history entry of every changed parameter, and Back would walk through mixtures of old and new.
    # Told of all of them beforehand it makes one.  For bound parameters there is no public call.
    if SEAL in st.query_params and not texts.keys().isdisjoint(SEALED):
        after = {name: text for name, text in {**st.query_params, **texts}.items() if text is not None}
        texts = {**texts, SEAL: resealed(after).get(SEAL)}
    with get_session_state().query_params() as bound:
        for name, text in texts.items():
            if text is None:
                bound.discard_param_no_forward_msg(name)
            else:
                bound.set_with_no_forward_msg(name, text)
        bound._send_query_param_msg()


def history_navigation() -> bool:
    """Whether this run was asked for by the browser's Back or Forward."""
    context = get_script_run_ctx()
    return bool(context and context.is_history_navigation)


def ignored(name: str, text: str, allowed: str, why: str = "") -> str:
    """The sentence for a parameter that means nothing."""
    return f"{as_code(f'{name}={text}', MOST_QUOTED)} in the address was ignored: {why}it must be {allowed}."


def only(name: str, texts: Sequence[str]) -> str:
    """The text of a parameter.  OutOfRange where it has several."""
    if len(texts) > 1:
        raise OutOfRange(name, texts[-1], "named once")
    return texts[0]


def step_in(texts: Sequence[str]) -> int:
    """The step that the timeline's parameter names.  OutOfRange where it is no step of any run."""
    return int(STEP.check(read_number(only(TIMELINE, texts))))


def ward_in(texts: Sequence[str]) -> bool:
    """Whether the address comes from the ward.  OutOfRange where that is not said."""
    text = only(WARD, texts).lower()
    if text not in ("true", "false"):
        raise OutOfRange(WARD, text, "true or false")
    return text == "true"


def part_in(texts: Sequence[str]) -> str:
    """The part of a lesson that its parameter names.  OutOfRange where there is none of that name, or it is hidden."""
    name = only(PART, texts)
    if name not in shown_parts():
        raise OutOfRange(PART, name, "one of " + ", ".join(shown_parts()))
    return name


def shown_parts() -> tuple[str, ...]:
    """The parts of a lesson that the address does not hide."""
    hidden = hidden_here()
    return tuple(part for part in PARTS if HIDDEN_PART + part not in hidden)


def open_part(name: str) -> None:
    """Open a part of the lesson whose page is drawn, if one is and the part is there.  For a widget's callback."""
    if PART in st.session_state and name in shown_parts():
        st.session_state[PART] = name


def with_earlier_defaults(
    requested: Mapping[str, Sequence[str]], earlier: Sequence[Mapping[str, str]]
) -> tuple[dict[str, Sequence[str]], Address]:
    """The parameters without the version, with what they left out where that has another default by now.

    earlier: a page's defaults of version 1, 2 and so on, those of today's excepted; what they do not name has kept its
    default. Also what the version says, for the sentence about one that there is not.
    """
    latest = len(earlier) + 1
    field = Field(partial(_version, latest), latest)
    version = read_address({VERSION: requested[VERSION]} if VERSION in requested else {}, {VERSION: field}, _nothing)
    number = version.values[VERSION]
    before = {name: [text] for name, text in earlier[number - 1].items()} if number < latest else {}
    others = {name: texts for name, texts in requested.items() if name != VERSION}
    return {**before, **others}, replace(version, texts={})


def _version(latest: int, texts: Sequence[str]) -> int:
    setting = replace(SETTINGS["steps"], name=VERSION, low=1, high=latest)
    try:
        return int(setting.check(read_number(only(VERSION, texts))))
    except OutOfRange:
        known = f"a version of this page’s defaults, 1 to {latest}" if latest > 1 else "1, the version of its defaults"
        raise OutOfRange(VERSION, texts[-1], known) from None


def _nothing(name: str, texts: Sequence[str]) -> str:
    return ""


def chart_in(texts: Sequence[str]) -> int:
    """The number of a chart that the address names.  OutOfRange where there cannot be one."""
    return int(NUMBER.check(read_number(only(CHART, texts))))


def hidden_in(texts: Sequence[str]) -> str:
    """What the address asks to be hidden.  OutOfRange for what cannot be."""
    name = only(HIDE, texts)
    if name not in HIDDEN:
        raise OutOfRange(HIDE, name, "one of " + ", ".join(HIDDEN))
    return name


def hidden_by(texts: Sequence[str], hides: Sequence[str] = HIDDEN) -> tuple[tuple[str, ...], bool]:
    """What these texts of the parameter hide, in the order of `hides`, and whether all of them was understood.

    What was not understood hides all that can be: a damaged link shows less than was asked for, never more.
    """
    named = {name.strip() for text in texts for name in text.split(",")}
    understood = named <= set(hides)
    return tuple(name for name in hides if name in named or not understood), understood


def hidden_here() -> tuple[str, ...]:
    """What the address hides."""
    return hidden_by(st.query_params.get_all(HIDE))[0] if HIDE in st.query_params else ()


def drawing_in(texts: Sequence[str]) -> str:
    """The curve that is to be drawn first.  OutOfRange for what cannot be."""
    name = only(DRAW, texts)
    if name not in DRAWINGS:
        raise OutOfRange(DRAW, name, "one of " + ", ".join(DRAWINGS))
    return name


def few(sentences: Sequence[str]) -> tuple[str, ...]:
    """The first of these sentences, and how many more parameters were ignored."""
    more = len(sentences) - MOST_SENTENCES
    if more <= 0:
        return tuple(sentences)
    return (*sentences[:MOST_SENTENCES], f"{more:,} more in the address {'was' if more == 1 else 'were'} ignored.")


def still_ignored(page: str, sentences: Sequence[str], values: Mapping[str, Any]) -> tuple[str, ...]:
    """What was ignored in the address, until a control is moved: a rerun by something else must not swallow it."""
    known = this_session().ignored
    if sentences:
        known[page] = few(sentences), dict(values)
    elif page in known and known[page][1] != values:
        del known[page]
    return known[page][0] if page in known else ()
