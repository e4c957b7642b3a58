"""The mystery patient until its diagnosis: chosen by the address, examined look by look, and committed to."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import SETTINGS, RunHistory
from engine.doctor.cases import EASY, LEVELS, MysteryCase, candidates, holds
from engine.settings import Setting
from pages.charts.hidden_patient import FREE, task, views_of
from pages.charts.style.figure import PATIENT, Chart
from pages.components.lesson.assignment_box import draw_assignment, goal_text
from pages.components.lesson.cards import head, sent
from pages.components.lesson.catalogue import complaint, sections_of
from pages.components.lesson.draw_first import KEY as DRAWN
from pages.components.lesson.draw_first import draw_comparison, draw_on
from pages.components.settings.control import Answer, Control
from pages.components.settings.controls import heading
from pages.components.settings.locks import read_locked, read_locks
from pages.components.shell.address import (
    DRAW,
    LOCK,
    PARAMETERS,
    SEAL,
    TIMELINE,
    Address,
    Field,
    drawing_in,
    enter,
    mend,
    parameters_here,
    read_address,
    resealed,
    step_in,
    still_ignored,
    write_address,
)
from pages.components.shell.assignment import PARAMETERS as ASKED
from pages.components.shell.assignment import Assignment, read_assignment
from pages.components.shell.component import component
from pages.components.shell.into_view import into_view
from pages.components.shell.plot import plot
from pages.components.shell.runs import histories_of
from pages.components.shell.session import this_session
from pages.components.shell.studio import Preparable
from pages.text import mystery_answers
from pages.text.draw_first import DRAWINGS, GRADIENT, LOSS, Canvas, canvas
from pages.text.goals import MysteryGoal, read_mystery_goal
from pages.text.mystery_answers import Score

PAGE = "mystery_patient"
FIRST = 1  # patient of the bare address
SEED = replace(SETTINGS["seed"], label="Patient", help="The same number is the same patient for everyone.")
LEVEL = Setting("level", EASY, "look", "Level", "", choices=LEVELS)
CONTROLS = {"level": Control(LEVEL, False, (), EASY), "seed": Control(SEED, False, (), FIRST)}
LOOK_OF = {GRADIENT: "gradients", LOSS: "new_data"}  # what can be drawn first -> the chart that shows it
HIDES = LOOKS, POINTS, CURES = "looks", "points", "cures"  # what a lecturer's link can hide

_reach = component("reach")


class RequestedPatient(NamedTuple):
    """Which patient the address asks for, what names it there, and what else the link says.

    locks: what cannot be moved, by name; goal: of the link, if it has one; goal_place: where its state is drawn.
    """

    seed: int
    level: str
    texts: dict[str, str]
    locks: dict[str, Answer]
    asked: Assignment
    goal_place: DeltaGenerator | None

    @property
    def address(self) -> str:
        return f"/{PAGE}?{urlencode(self.texts)}"

    @property
    def goal(self) -> MysteryGoal | None:
        return self.asked.goal if isinstance(self.asked.goal, MysteryGoal) else None

    def hides(self, name: str) -> bool:
        """Whether the link hides this."""
        return name in self.asked.hidden


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

    @property
    def kept(self) -> str:
        """As what a drawing of this patient is kept in the session."""
        return f"{PAGE} {self.choice.level} {self.choice.seed}"

    @property
    def drawn(self) -> str:
        """Key of the look that was drawn first, if one was."""
        name, _ = this_session().measured.get((self.kept, DRAWN), ("", None))
        return LOOK_OF.get(name, "")


def choose() -> RequestedPatient:
    """Draw level and number of the patient.  The address says what they are; nonsense in it is ignored, and said."""
    enter(PAGE, (TIMELINE,))
    found, asked, locks = _read_address()
    seed, level = found.values["seed"], found.values["level"]
    mend(found, False, {})
    st.session_state["level"], st.session_state["patient_number"] = level, seed
    with st.container(horizontal=True, vertical_alignment="bottom", key="which_patient"):
        st.segmented_control(
            LEVEL.label, LEVELS, format_func=mystery_answers.LEVEL_NAMES.__getitem__, required=True, key="level",
            on_change=_moved, width="content", disabled=LEVEL.name in locks,
        )  # fmt: skip
        st.number_input(
            SEED.label, int(SEED.low), int(SEED.high), seed, key="patient_number", on_change=_moved, width=140,
            help=SEED.help, disabled=SEED.name in locks,
        )  # fmt: skip
        with st.container(key="how"):
            st.markdown(sections_of(PAGE)["How it goes"])
    if sentences := still_ignored(PAGE, found.sentences, {"seed": seed, "level": level}):
        st.warning("  \n".join(sentences), icon=":material/info:")
    labels = {name: control.label for name, control in CONTROLS.items()}
    goal_place = draw_assignment(PAGE, asked, labels, locks, asked.goal)
    named = {"seed": str(seed), "level": level}
    kept = {name: found.texts[name] for name in (LOCK, SEAL) if name in found.texts}
    this_session().addresses[PAGE] = resealed(named | asked.texts | kept)
    this_session().parameters = parameters_here()
    return RequestedPatient(seed, level, named, locks, asked, goal_place)


def _read_address() -> tuple[Address, Assignment, dict[str, Answer]]:
    """Seed and level of the patient, and a sentence for each parameter that says nothing; what is asked and locked."""
    requested = parameters_here()
    start = {name: control.default for name, control in CONTROLS.items()}
    locks, found = read_locks(requested.pop(LOCK, ()), CONTROLS, start)
    asking = {name: requested.pop(name) for name in ASKED if name in requested}
    asked, about = read_assignment(asking, HIDES, read_mystery_goal)
    fields = {
        name: Field(partial(read_locked, control, locks[name]), locks[name])
        if name in locks
        else Field(control.read, control.default)
        for name, control in CONTROLS.items()
    }
    found |= about | read_address(
        requested, {**fields, TIMELINE: Field(step_in), DRAW: Field(drawing_in)},
        lambda name, texts: "named once" if len(texts) > 1 else "one of this page’s, seed and level",
    )  # fmt: skip
    return found, asked, locks


def go_to(seed: int, level: str) -> None:
    """Set the address to another patient, in one step back."""
    garbage = {name: None for name in st.query_params if name not in (*PARAMETERS, *ASKED, LOCK)}
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
    if SEED.name not in choice.locks:
        st.button("Next patient", on_click=go_to, args=(next_seed(choice.seed), choice.level))
    return None


def draw_goal(here: Admitted, cause: bool = False, cured: bool = False) -> None:
    """Draw the link's goal, if it has one, and whether it is reached: with the cause named, with the patient cured."""
    goal, place, looks = here.choice.goal, here.choice.goal_place, len(here.visit.looks)
    if goal is None or place is None:
        return
    found = f"{looks or 'no'} chart{'' if looks == 1 else 's'} opened"
    if here.visit.committed:
        named, treated = ("" if done else "not " for done in (cause, cured))
        found = f"the cause was {named}named, the patient {treated}cured, with {found}"
    place.markdown(goal_text(goal, bool(here.visit.committed) and goal.reached(cause, cured, looks), found))


def bedside(here: Admitted) -> str:
    """Who it is, what may be looked at, and what to commit to, side by side where there is room; the first in words."""
    sentence = complaint(here.choice.seed)
    draw_goal(here)
    with st.container(key="bedside"):
        with st.container(border=True, gap="small", key="patient"):
            st.header(f"{heading(PATIENT)} {here.choice.seed}", anchor=False)
            st.markdown(f"“{sentence}”")
            st.markdown(
                f":small[{task(here.patient)} {mystery_answers.companions(here.choice.level, here.choice.seed)}]"
            )
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
    _step(here, "1 · Look", f"The first chart is free, each other costs {cost}. {state}")
    if here.choice.hides(LOOKS):
        until = "hidden until you have answered the question" if here.choice.asked.question else "hidden by this link"
        st.markdown(f"The other charts are {until}.")
        return
    drawing = _drawing(here)
    for key, chart in views_of(here.choice.level).items():
        if drawing and key == LOOK_OF[drawing.name]:
            _draw_first(here, key, drawing)
            continue
        with st.container(horizontal=True, vertical_alignment="center", key=f"card_{key}"):
            title = st.container()  # empty until the chart is open: the button keeps its place, and the keyboard
            shown = key in visit.looks and key not in visit.folded
            _look_button(here, key, chart, shown)
            if not shown:
                continue
            with title:
                head(chart, key, here.patient)
            plot(sent(chart, here.patient), key=f"chart_{key}")
            if visit.just_opened == key:
                visit.just_opened = ""
                into_view(key=f"in_view_{key}", data="nearest")
        if key == here.drawn and shown:
            draw_comparison(here.kept, here.patient, here.patient, {}, None, explains=False)


def _drawing(here: Admitted) -> Canvas | None:
    """What the link asks to draw before it is looked at, if that is not open yet, and can be drawn."""
    name, experiment = st.query_params.get(DRAW), here.patient.experiment
    if name not in LOOK_OF or LOOK_OF[name] in here.visit.looks:
        return None
    return canvas(name, experiment, experiment)


def _draw_first(here: Admitted, key: str, on: Canvas) -> None:
    """The plane that is drawn on in place of a look's button; Compare opens the look, and pays for it."""
    experiment = here.patient.experiment

    def opened() -> None:
        _look(here.visit, key)
        write_address({DRAW: None})

    with draw_on(here.kept, on, (experiment, experiment), {}, opened):
        st.button(
            "Not now", key="show_undrawn", type="tertiary", on_click=write_address, args=({DRAW: None},),
            help="Then it is a look as the others.",
        )  # fmt: skip


def _step(here: Admitted, title: str, points: str) -> None:
    """A heading, and what of the points it is about, unless the link hides them."""
    st.header(title if here.choice.hides(POINTS) else f"{title} :small[{points}]", anchor=False)


def _look_button(here: Admitted, key: str, chart: Chart, shown: bool) -> None:
    """Opens a chart, in its place; or, small beside the chart's title, folds it up."""
    visit = here.visit
    price = f"Costs {mystery_answers.COST_OF_LOOK} points." if visit.looks else "The first is free."
    price = "Shows it." if here.choice.hides(POINTS) else price
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
        _step(here, "2 · Diagnose", f"The root cause: {mystery_answers.POINTS_OF_CAUSE} points")
        diagnosis = st.radio(
            "Root cause", codes, index=None, key=f"diagnosis_{of}", label_visibility="collapsed",
            format_func=lambda code: f"**{mystery_answers.named(code)}**",
            captions=[mystery_answers.DEFINITIONS[code] for code in codes],
        )  # fmt: skip
    with st.container(key="prescribe", gap="xsmall"):
        _step(here, "3 · Prescribe", f"One change: {mystery_answers.POINTS_OF_PRESCRIPTION} points")
        chosen = st.selectbox(
            "Prescription", offered, index=None, format_func=lambda key: offered[key].name, key=f"prescription_{of}",
            placeholder="Choose a change", label_visibility="collapsed",
        )  # fmt: skip
        dose = st.selectbox(
            "Dose", mystery_answers.DOSES, format_func=mystery_answers.DOSES.__getitem__, key=f"dose_{of}",
            help="Where the change has a strength."
            + (not here.choice.hides(POINTS)) * " The right change at a wrong dose earns at least half of its points.",
        )  # fmt: skip
    st.button(
        "**Commit, and treat**", key="commit", width="stretch", icon=":material/medication:",
        on_click=_commit, args=(here.visit, diagnosis, chosen, dose), disabled=diagnosis is None or chosen is None,
        help=None if diagnosis and chosen else "Choose a root cause and a prescription first.",
    )  # fmt: skip


def _commit(visit: Visit, diagnosis: str, chosen: str, dose: str) -> None:
    visit.committed = diagnosis, chosen, dose


def preparable(choice: RequestedPatient) -> Preparable:
    """The patient that is shown, for a link that is made of it."""
    held: dict[str, Answer] = {"level": choice.level, "seed": choice.seed}
    return Preparable(PAGE, choice.texts, CONTROLS, held, HIDES, goals="mystery", draws=tuple(DRAWINGS))
