"""The mystery patient until its diagnosis: chosen by the address, examined look by look, and committed to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from engine import SETTINGS, OutOfRange, RunHistory
from engine.doctor.cases import EASY, LEVELS, MysteryCase, candidates, holds
from pages.charts.hidden_patient import FREE, VIEWS, task
from pages.charts.style.figure import PATIENT
from pages.components.lesson.assignment_box import draw_assignment
from pages.components.lesson.cards import head, sent
from pages.components.lesson.catalogue import complaint, sections_of
from pages.components.settings.controls import heading
from pages.components.shell.address import (
    PARAMETERS,
    TIMELINE,
    Address,
    Field,
    enter,
    few,
    only,
    parameters_here,
    read_address,
    step_in,
    write_address,
)
from pages.components.shell.assignment import QUESTIONS, read_assignment
from pages.components.shell.component import component
from pages.components.shell.plot import plot
from pages.components.shell.runs import histories_of
from pages.components.shell.session import this_session
from pages.text import mystery_answers
from pages.text.mystery_answers import Score
from pages.walkthrough.user_input import read_number

PAGE = "mystery_patient"
FIRST = 1  # patient of the bare address
SEED = SETTINGS["seed"]

_reach = component("reach")
into_view = component("into_view", styled=False)


class RequestedPatient(NamedTuple):
    """Which patient the address asks for, and the address that names it, and its parameters."""

    seed: int
    level: str
    texts: dict[str, str]
    address: str


@dataclass
class Visit:
    """What a session did with a patient.

    looks: keys of the charts that it paid for, in their order; folded: those of them that it does not want to see;
    just_opened: the one that is to be brought into view; committed: diagnosis, prescription and its dose.
    """

    case: MysteryCase
    looks: list[str] = field(default_factory=list)
    folded: set[str] = field(default_factory=set)
    just_opened: str = ""
    committed: tuple[str, str, str] | None = None
    score: Score | None = None


@dataclass(frozen=True, eq=False)
class Admitted:
    """A patient that is there: its run, that of the same network without the fault, and the visit to it."""

    choice: RequestedPatient
    patient: RunHistory
    healthy: RunHistory
    visit: Visit


def choose() -> RequestedPatient:
    """Draw level and number of the patient.  The address says what they are; nonsense in it is ignored, and said."""
    enter(PAGE, (TIMELINE,))
    found = _read_address()
    seed, level, sentences = found.values["seed"], found.values["level"], few(found.sentences)
    st.session_state["level"], st.session_state["patient_number"] = level, seed
    with st.container(horizontal=True, vertical_alignment="bottom", key="which_patient"):
        st.segmented_control(
            "Level", LEVELS, format_func=str.capitalize, required=True, key="level", on_change=_moved, width="content"
        )
        st.number_input(
            "Patient", int(SEED.low), int(SEED.high), key="patient_number", on_change=_moved, width=140,
            help="The same number is the same patient for everyone.",
        )  # fmt: skip
        with st.container(key="how"):
            st.markdown(sections_of(PAGE)["How it goes"])
    if sentences:
        st.warning("  \n".join(sentences), icon=":material/info:")
    asked = read_assignment(_questions())[0]
    draw_assignment(PAGE, asked)
    named = {"seed": str(seed), "level": level}
    this_session().addresses[PAGE] = named | asked.texts
    this_session().parameters = parameters_here()
    return RequestedPatient(seed, level, named, f"/{PAGE}?{urlencode(named)}")


def _read_address() -> Address:
    """Seed and level of the patient, and a sentence for each parameter that says nothing."""
    fields = {"seed": Field(_seed, FIRST), "level": Field(_level, EASY), TIMELINE: Field(step_in)}
    others = {name: texts for name, texts in parameters_here().items() if name not in QUESTIONS}
    found = read_address(others, fields, lambda name, texts: "named once" if len(texts) > 1 else "seed or level")
    return found | read_assignment(_questions())[1]


def _questions() -> dict[str, list[str]]:
    """The address's parameters of what a lecturer asks."""
    return {name: texts for name, texts in parameters_here().items() if name in QUESTIONS}


def _seed(texts: Sequence[str]) -> int:
    return int(SEED.check(read_number(only("seed", texts))))


def _level(texts: Sequence[str]) -> str:
    if (level := only("level", texts)) not in LEVELS:
        raise OutOfRange("level", level, f"one of {', '.join(LEVELS)}")
    return level


def go_to(seed: int, level: str) -> None:
    """Set the address to another patient, in one step back."""
    garbage = {name: None for name in st.query_params if name not in (*PARAMETERS, *QUESTIONS)}
    write_address({**garbage, "seed": str(seed), "level": level})


def next_seed(seed: int) -> int:
    return (seed + 1) % (int(SEED.high) + 1)


def _moved() -> None:
    go_to(st.session_state["patient_number"], st.session_state["level"])


def admitted(choice: RequestedPatient) -> Admitted | None:
    """The first candidate whose fault is the doctor's root cause and hurts, trained now unless it has been; None, and
    said, where there is none."""
    place, visits = st.empty(), this_session().mystery
    known = visits.get((choice.level, choice.seed))
    for case in [known.case] if known else candidates(choice.seed, choice.level):
        patient, healthy = histories_of((case.patient, case.healthy), place=place)
        if known or holds(case, patient, healthy):
            visit = visits.setdefault((choice.level, choice.seed), Visit(case))
            return Admitted(choice, patient, healthy, visit)
    st.info("There is no patient with this number: every network drawn for it trains well, or has more than one fault.")
    st.button("Next patient", on_click=go_to, args=(next_seed(choice.seed), choice.level))
    return None


def bedside(here: Admitted) -> str:
    """Who it is, what may be looked at, and what to commit to, side by side where there is room; the first in words."""
    sentence = complaint(here.choice.seed)
    with st.container(key="bedside"):
        with st.container(border=True, gap="small", key="patient"):
            st.header(f"{heading(PATIENT)} {here.choice.seed}", anchor=False)
            st.markdown(f"“{sentence}”")
            st.markdown(f":small[{task(here.patient)}]")
            head(FREE, "free", here.patient)
            plot(sent(FREE, here.patient), key="chart_free")
        with st.container(border=True, gap="small", key="look"):
            _looks(here)
        with st.container(border=True, gap="small", key="say"):
            _commitment(here)
    _reach(key="reach")
    return f"Patient {here.choice.seed}. {sentence}"


def _looks(here: Admitted) -> None:
    visit = here.visit
    left = mystery_answers.left_after(len(visit.looks))
    points, cost = mystery_answers.POINTS_OF_LOOKS, mystery_answers.COST_OF_LOOK
    state = f"Left: **{left}**" if visit.looks else f"Who opens none gets none of the {points} points"
    st.header(f"1 · Look :small[The first chart is free, each other costs {cost}. {state}]", anchor=False)
    for key, chart in VIEWS.items():
        with st.container(horizontal=True, vertical_alignment="center", key=f"card_{key}"):
            title = st.container()  # empty until the chart is open: the button keeps its place, and the keyboard
            shown = key in visit.looks and key not in visit.folded
            _look_button(visit, key, chart, shown)
            if not shown:
                continue
            with title:
                head(chart, key, here.patient)
            plot(sent(chart, here.patient), key=f"chart_{key}")
            if visit.just_opened == key:
                visit.just_opened = ""
                into_view(key=f"in_view_{key}", data="nearest")


def _look_button(visit: Visit, key: str, chart: ModuleType, shown: bool) -> None:
    """Opens a chart, in its place; or, small beside the chart's title, folds it up."""
    price = f"Costs {mystery_answers.COST_OF_LOOK} points." if visit.looks else "The first is free."
    st.button(
        f"Hide: {chart.TITLE}" if shown else f"**{chart.TITLE}**  \n{chart.QUESTION}",
        key=f"look_{key}", width="content" if shown else "stretch",
        icon=":material/close:" if shown else ":material/check:" if key in visit.looks else ":material/visibility:",
        # A help text that comes and goes, or another type, would take the keyboard from the button.
        help="Hides it." if shown else "Shows it again." if key in visit.looks else price,
        on_click=_look, args=(visit, key),
    )  # fmt: skip


def _look(visit: Visit, key: str) -> None:
    """Pay for a chart; or fold up or unfold one that is paid for."""
    if key in visit.looks:
        visit.folded ^= {key}
    else:
        visit.looks.append(key)
    visit.just_opened = "" if key in visit.folded else key


def _commitment(here: Admitted) -> None:
    of = f"{here.choice.level}_{here.choice.seed}"
    codes = mystery_answers.diagnoses(here.choice.level)
    offered = {one.key: one for one in mystery_answers.prescriptions(here.choice.level)}
    with st.container(key="diagnose", gap="xsmall"):
        st.header(f"2 · Diagnose :small[The root cause: {mystery_answers.POINTS_OF_CAUSE} points]", anchor=False)
        diagnosis = st.radio(
            "Root cause", codes, index=None, key=f"diagnosis_{of}", label_visibility="collapsed",
            format_func=lambda code: f"**{mystery_answers.named(code)}**",
            captions=[mystery_answers.DEFINITIONS[code] for code in codes],
        )  # fmt: skip
    with st.container(key="prescribe", gap="xsmall"):
        points = mystery_answers.POINTS_OF_PRESCRIPTION
        st.header(f"3 · Prescribe :small[One change: {points} points]", anchor=False)
        chosen = st.selectbox(
            "Prescription", offered, index=None, format_func=lambda key: offered[key].name, key=f"prescription_{of}",
            placeholder="Choose a change", label_visibility="collapsed",
        )  # fmt: skip
        dose = st.selectbox(
            "Dose", mystery_answers.DOSES, format_func=mystery_answers.DOSES.__getitem__, key=f"dose_{of}",
            help="Where the change has a strength. The right change at a wrong dose earns at least half of its points.",
        )  # fmt: skip
    st.button(
        "**Commit, and treat**", key="commit", width="stretch", icon=":material/medication:",
        on_click=_commit, args=(here.visit, diagnosis, chosen, dose), disabled=diagnosis is None or chosen is None,
        help=None if diagnosis and chosen else "Choose a root cause and a prescription first.",
    )  # fmt: skip


def _commit(visit: Visit, diagnosis: str, chosen: str, dose: str) -> None:
    visit.committed = diagnosis, chosen, dose
