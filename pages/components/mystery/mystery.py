"""The mystery patient: chosen by the address, examined look by look, diagnosed, treated, and explained."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from engine import SETTINGS, OutOfRange, RunHistory, diagnose
from engine.cures.prescriptions import Change
from engine.doctor.cases import EASY, LEVELS, Case, candidates, counted_loss, holds
from pages.charts.hidden_patient import FREE, VIEWS, symptom, task
from pages.charts.one_run import activations, gradient_per_layer, learning_curves, predictions, weight_norms
from pages.charts.style.figure import PATIENT
from pages.components.lesson.cards import head, sent
from pages.components.lesson.catalogue import complaints, sections_of
from pages.components.lesson.findings import cures, notes_of_both, pointed
from pages.components.lesson.lessons import row
from pages.components.settings.controls import heading
from pages.components.shell.address import (
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
from pages.components.shell.component import component
from pages.components.shell.frame import PARAMETERS, TIMELINE
from pages.components.shell.plot import plot
from pages.components.shell.runs import histories_of
from pages.components.shell.session import this_session
from pages.components.shell.timeline import timeline
from pages.text import labels, mystery_answers
from pages.text.clock import timeline_steps
from pages.text.labels import label, meaning, number, percent
from pages.text.mystery_answers import Score
from pages.walkthrough.user_input import read_number

PAGE = "mystery_patient"
FIRST = 1  # patient of the bare address
NO_CHANGE = 0.01  # of a loss: less is called next to nothing
SEED = SETTINGS["seed"]
CHARTS_A_ROW = 2
REVEALED = (
    (gradient_per_layer, learning_curves, predictions),
    (activations, weight_norms),
)
_into_view = component("into_view", styled=False)


class Choice(NamedTuple):
    """Which patient the address asks for, and the address that names it."""

    seed: int
    level: str
    address: str


@dataclass
class Visit:
    """What a session did with a patient.  looks: keys of the charts that it paid for, in their order; folded: those of
    them that it does not want to see; committed: diagnosis and prescription."""

    case: Case
    looks: list[str] = field(default_factory=list)
    folded: set[str] = field(default_factory=set)
    committed: tuple[str, str] | None = None
    score: Score | None = None


@dataclass(frozen=True, eq=False)
class Admitted:
    """A patient that is there: its run, that of the same network without the fault, and the visit to it."""

    choice: Choice
    patient: RunHistory
    healthy: RunHistory
    visit: Visit


# --- which patient ---


def choose() -> Choice:
    """Draw level and number of the patient.  The address says what they are; nonsense in it is ignored, and said."""
    enter(PAGE, (TIMELINE,))
    found = _read_address()
    seed, level, sentences = found.values["seed"], found.values["level"], few(found.sentences)
    st.session_state["level"], st.session_state["patient_number"] = level, seed
    which, how = st.columns((1, 2), vertical_alignment="bottom")
    with which, st.container(horizontal=True, vertical_alignment="bottom", key="which_patient"):
        st.segmented_control(
            "Level", LEVELS, format_func=str.capitalize, required=True, key="level", on_change=_moved, width="content"
        )
        st.number_input(
            "Patient", int(SEED.low), int(SEED.high), key="patient_number", on_change=_moved, width=140,
            help="The same number is the same patient for everyone.",
        )  # fmt: skip
    how.markdown(sections_of(PAGE)["How it goes"])
    if sentences:
        st.warning("  \n".join(sentences), icon=":material/info:")
    named = {"seed": str(seed), "level": level}
    this_session().addresses[PAGE] = named
    this_session().parameters = parameters_here()
    return Choice(seed, level, f"/{PAGE}?{urlencode(named)}")


def _read_address() -> Address:
    """Seed and level of the patient, and a sentence for each parameter that says nothing."""
    fields = {"seed": Field(_seed, FIRST), "level": Field(_level, EASY), TIMELINE: Field(step_in)}
    return read_address(
        parameters_here(), fields, lambda name, texts: "named once" if len(texts) > 1 else "seed or level"
    )


def _seed(texts: Sequence[str]) -> int:
    return int(SEED.check(read_number(only("seed", texts))))


def _level(texts: Sequence[str]) -> str:
    if (level := only("level", texts)) not in LEVELS:
        raise OutOfRange("level", level, f"one of {', '.join(LEVELS)}")
    return level


def _go(seed: int, level: str) -> None:
    """Set the address to another patient, in one step back."""
    garbage = {name: None for name in st.query_params if name not in PARAMETERS}
    write_address({**garbage, "seed": str(seed), "level": level})


def _next_seed(seed: int) -> int:
    return (seed + 1) % (int(SEED.high) + 1)


def _moved() -> None:
    _go(st.session_state["patient_number"], st.session_state["level"])


# --- the patient ---


def admitted(choice: Choice) -> Admitted | None:
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
    st.button("Next patient", on_click=_go, args=(_next_seed(choice.seed), choice.level))
    return None


def bedside(here: Admitted) -> None:
    """Who it is, what may be looked at, and what to commit to: side by side."""
    who, look, say = st.columns((1.05, 1, 1.05), gap="small")
    with who, st.container(border=True, height="stretch", gap="small", key="patient"):
        sentences = complaints(symptom(here.patient))
        st.markdown(f"{heading(PATIENT)} **{here.choice.seed}**  \n“{sentences[here.choice.seed % len(sentences)]}”")
        st.markdown(f":small[{task(here.patient)}]")
        _draw(FREE, here, "free")
    with look, st.container(border=True, height="stretch", gap="small", key="look"):
        _looks(here)
    with say, st.container(border=True, height="stretch", gap="small", key="say"):
        _commitment(here)


def _looks(here: Admitted) -> None:
    left = mystery_answers.left_after(len(here.visit.looks))
    st.markdown(
        f"**1 · Look.** Each chart costs {mystery_answers.COST_OF_LOOK} of {mystery_answers.POINTS_OF_LOOKS} points. "
        f"Left: **{left}**."
    )
    price = f"Costs {mystery_answers.COST_OF_LOOK} points."
    for key, chart in VIEWS.items():
        shown = key in _shown(here.visit)
        # One that comes and goes would take the keyboard from the button.
        help_text = "Hides it." if shown else "Shows it again." if key in here.visit.looks else price
        st.button(
            f"**{chart.TITLE}**  \n{chart.QUESTION}", key=f"look_{key}", width="stretch",
            icon=":material/check:" if shown else ":material/visibility:", on_click=_look, args=(here.visit, key),
            help=help_text,
        )  # fmt: skip
    if here.visit.looks:
        st.markdown(":small[:material/arrow_downward: What you opened is shown below.]")


def _look(visit: Visit, key: str) -> None:
    """Pay for a chart; or fold up or unfold one that is paid for."""
    if key in visit.looks:
        visit.folded ^= {key}
    else:
        visit.looks.append(key)


def _shown(visit: Visit) -> list[str]:
    return [key for key in visit.looks if key not in visit.folded]


def _commitment(here: Admitted) -> None:
    of = f"{here.choice.level}_{here.choice.seed}"
    codes = mystery_answers.diagnoses(here.choice.level)
    st.markdown(f"**2 · Diagnose.** What is the root cause? {mystery_answers.POINTS_OF_CAUSE} points.")
    diagnosis = st.radio(
        "Root cause", codes, index=None, key=f"diagnosis_{of}", label_visibility="collapsed",
        format_func=lambda code: f"**{mystery_answers.named(code)}**  \n{mystery_answers.DEFINITIONS[code]}",
    )  # fmt: skip
    offered = {one.key: one for one in mystery_answers.prescriptions(here.choice.level)}
    st.markdown(f"**3 · Prescribe.** What should change? {mystery_answers.POINTS_OF_PRESCRIPTION} points.")
    chosen = st.selectbox(
        "Prescription", offered, index=None, format_func=lambda key: offered[key].name, key=f"prescription_{of}",
        placeholder="Choose a change", label_visibility="collapsed",
    )  # fmt: skip
    st.button(
        "**Commit, and treat**", key="commit", width="stretch", icon=":material/medication:",
        on_click=_commit, args=(here.visit, diagnosis, chosen), disabled=diagnosis is None or chosen is None,
        help=None if diagnosis and chosen else "Choose a root cause and a prescription first.",
    )  # fmt: skip


def _commit(visit: Visit, diagnosis: str, chosen: str) -> None:
    visit.committed = diagnosis, chosen


def looked_at(here: Admitted) -> None:
    """The charts that were paid for."""
    shown = _shown(here.visit)
    for start in range(0, len(shown), CHARTS_A_ROW):
        side_by_side = shown[start : start + CHARTS_A_ROW]
        for key, column in zip(side_by_side, st.columns(CHARTS_A_ROW), strict=False):
            with column, st.container(border=True, key=f"card_{key}"):
                _draw(VIEWS[key], here, key)


def _draw(chart: ModuleType, here: Admitted, place: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        head(chart, place, here.patient)
    plot(sent(chart, here.patient), key=f"chart_{place}")


# --- what came of it ---


def result(here: Admitted) -> None:
    """The prescription beside the patient, the settings, the doctor's word, and the score with how it came about."""
    assert here.visit.committed
    diagnosis, chosen = here.visit.committed
    (ordered,) = (one for one in mystery_answers.PRESCRIPTIONS if one.key == chosen)
    doses = ordered.doses(here.visit.case.patient)
    runs = histories_of([dose.experiment for dose in doses if dose.experiment])
    best = mystery_answers.best_dose(runs) if runs else None
    treated = here.patient if best is None else runs[best]
    findings = diagnose(here.patient)
    score = here.visit.score = mystery_answers.score(
        here.visit.case, len(here.visit.looks), diagnosis, findings, here.patient, here.healthy,
        None if best is None else treated,
    )  # fmt: skip
    with st.container(key="score"):
        st.subheader(
            f"{score.points} of {mystery_answers.MOST_POINTS} points. The root cause: "
            f"{mystery_answers.named(here.visit.case.fault).lower()}.", anchor="score",
        )  # fmt: skip
        _account(here, diagnosis, ordered, doses, best, treated, score)
        _into_view(key="score_in_view")  # the button that led here may have been far down the page
    _next(here.choice)
    _revealed(here)
    _compare(here, treated)


def _account(
    here: Admitted,
    diagnosis: str,
    ordered: mystery_answers.Prescription,
    doses: tuple[Change, ...],
    best: int | None,
    treated: RunHistory,
    score: Score,
) -> None:
    """How the points came about, part by part."""
    role = {
        "cause": "That is the root cause",
        "consequence": "The doctor finds it too, but as a consequence of the root cause",
        "context": "The doctor finds it too, besides the root cause",
        "": "The doctor does not find that",
    }[score.role]
    looks, diagnosed, prescribed = st.columns(3)
    tells = mystery_answers.telling(diagnose(here.patient)[0])
    opened = "You opened it." if tells in here.visit.looks else "You did not open it."
    if not score.for_diagnosis:
        opened += " Points for looks count only if the diagnosis earns points."
    looks.markdown(
        f"**Looks: {score.for_looks} of {mystery_answers.POINTS_OF_LOOKS}**  \n"
        f"{score.looks or 'No'} chart{'' if score.looks == 1 else 's'} opened. "
        f"What shows this cause best: {VIEWS[tells].TITLE}. {opened}"
    )
    diagnosed.markdown(
        f"**Diagnosis: {score.for_diagnosis} of {mystery_answers.POINTS_OF_CAUSE}**  \n"
        f"You said: {mystery_answers.named(diagnosis).lower()}. {role}."
    )
    message = "There was nothing to change: the patient has this already."
    if best is not None:
        given = doses[best].name if len(doses) == 1 else f"{doses[best].name}, the best of {len(doses)} doses"
        before, after = here.patient.test_loss, treated.test_loss
        if abs(after - before) <= NO_CHANGE * before:
            came = "It changes next to nothing."
        elif after <= before:
            came = f"It takes away {percent(score.share)} of the harm{_counted_as(here)}."
        else:
            came = "It makes it worse."
        message = (
            f"Given: {given}. Test loss: patient {number(before)}, treated {number(after)}, without the fault "
            f"{number(here.healthy.test_loss)}. {came}"
        )
    prescribed.markdown(
        f"**Prescription: {score.for_prescription} of {mystery_answers.POINTS_OF_PRESCRIPTION}**  \n"
        f"You prescribed: {ordered.name.lower()}. {message}"
    )


def _counted_as(here: Admitted) -> str:
    """What the patient's harm is counted from, where that is not its own loss."""
    counted = counted_loss(here.visit.case, here.patient)
    return "" if counted == here.patient.test_loss else f", counted from the average answer’s loss, {number(counted)}"


def _next(choice: Choice) -> None:
    done = [visit.score for visit in this_session().mystery.values() if visit.score]
    total = sum(score.points for score in done)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "**Next patient**", key="next", icon=":material/arrow_forward:",
            on_click=_go, args=(_next_seed(choice.seed), choice.level),
        )  # fmt: skip
        patients = "1 patient" if len(done) == 1 else f"{len(done)} patients"
        st.markdown(f"In this session: {patients}, {total} of {mystery_answers.MOST_POINTS * len(done)} points.")


def _revealed(here: Admitted) -> None:
    """The settings, those that are the fault first."""
    patient, fault = here.visit.case.patient, here.visit.case.patient.differences(here.visit.case.healthy)
    wrong = ", ".join(
        f"{label(name)} **{meaning(name, mine)}** instead of {meaning(name, sensible)}"
        for name, (mine, sensible) in fault.items()
    )
    rest = ", ".join(
        f"{label(name)} {meaning(name, getattr(patient, name))}"
        for name, setting in SETTINGS.items()
        if name not in fault and (setting.group in ("network", "training") or getattr(patient, name) != setting.default)
    )
    st.markdown(f"What was done to it: {wrong}.  \n:small[Its other settings: {rest}.]")


def _compare(here: Admitted, treated: RunHistory) -> None:
    """Both networks with their settings in the charts of the lessons, and what the doctor finds in each."""
    patient = here.patient
    st.markdown(f":small[{labels.differences(patient.experiment, treated.experiment)}]")
    steps = timeline_steps(patient, treated)
    timeline(steps, steps[-1], **pointed(patient, treated))
    first, *others = REVEALED
    row(first, patient, treated)
    notes_of_both(patient, treated)
    for charts in others:
        row(charts, patient, treated)
    cures(patient.experiment)


def how_points_come_about() -> None:
    """The rules, for who asks."""
    with st.expander("How points are awarded", icon=":material/calculate:"):
        st.markdown(sections_of(PAGE)["How points are awarded"])
