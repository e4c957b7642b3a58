"""What came of the diagnosis and the prescription: the treated patient, the score, and what the fault was."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import streamlit as st

from engine import SETTINGS, Experiment, RunHistory, diagnose
from engine.cures.changes import Change
from engine.doctor.cases import counted_loss, damage, recovered
from pages.charts.hidden_patient import VIEWS
from pages.charts.one_run import activations, gradient_per_layer, learning_curves, predictions, weight_norms
from pages.charts.style.figure import PATIENT, TREATED
from pages.components.lesson.catalogue import glossary_of, sections_of
from pages.components.lesson.explanations import explanations
from pages.components.lesson.findings import cures, notes_of_both, pointed
from pages.components.lesson.lessons import row
from pages.components.lesson.take_home import Shown
from pages.components.mystery.patient import (
    CURES,
    PAGE,
    POINTS,
    SEED,
    Admitted,
    RequestedPatient,
    draw_goal,
    go_to,
    next_seed,
)
from pages.components.shell.component import component
from pages.components.shell.frame import LEAST_WIDTH, absolute
from pages.components.shell.into_view import into_view
from pages.components.shell.runs import histories_of
from pages.components.shell.timeline import timeline
from pages.text import labels, mystery_answers
from pages.text.clock import timeline_steps
from pages.text.glossary import explained
from pages.text.labels import label, meaning, number, percent
from pages.text.mystery_answers import Score

_points = component("points", styled=False)

COMPARED = "treated_beside"  # key of what is drawn of both networks
NO_CHANGE = 0.01  # of a loss: less is called next to nothing
REVEALED = (
    (gradient_per_layer, learning_curves, predictions),
    (activations, weight_norms),
)


def result(here: Admitted) -> tuple[str, Shown]:
    """The prescription beside the patient, the settings, the doctor's word, and the score.

    Returns the score as a sentence, and what can be taken home.
    """
    assert here.visit.committed
    diagnosis, chosen, dose = here.visit.committed
    ordered = mystery_answers.prescription(chosen)
    given = _treatment(mystery_answers.at_dose(ordered.doses(here.visit.case.patient), dose))
    best = given if dose == "best" else _treatment(ordered.doses(here.visit.case.patient))
    findings = diagnose(here.patient)
    treated = given.history if given else here.patient
    score = here.visit.score = mystery_answers.score(
        here.visit.case, len(here.visit.looks), diagnosis, findings, here.patient, here.healthy,
        given.history if given else None, best.history if best else None,
    )  # fmt: skip
    sentence = f"The root cause: {mystery_answers.named(here.visit.case.fault).lower()}."
    if not here.choice.hides(POINTS):
        sentence = f"{score.points} of {mystery_answers.MOST_POINTS} points. {sentence}"
    cured = given is not None and _share(here, given) >= mystery_answers.CURED
    instead = "" if cured or here.choice.hides(CURES) else _instead(here, best)  # trains: before the score is shown
    draw_goal(here, score.role == "cause", cured)
    with st.container(key="score"):
        st.header(sentence, anchor="score")
        _account(here, diagnosis, ordered, given, instead, score)
        into_view(data="start", key="score_in_view")  # the button that led here may have been far down the page
    _next(here.choice, score)
    _revealed(here)
    with st.container(key=COMPARED):
        _compare(here, treated)
    return sentence, _taken_home(here, sentence, treated.experiment)


class Treatment(NamedTuple):
    """A change that was given, and the run with it."""

    change: Change
    history: RunHistory


def _treatment(doses: Sequence[Change]) -> Treatment | None:
    """That of these which does best on validation data; None where there is nothing to change."""
    runs = histories_of([dose.experiment for dose in doses if dose.experiment])
    if not runs:
        return None
    best = mystery_answers.best_dose(runs)
    return Treatment(doses[best], runs[best])


def _account(
    here: Admitted,
    diagnosis: str,
    ordered: mystery_answers.Prescription,
    given: Treatment | None,
    instead: str,
    score: Score,
) -> None:
    """How the points came about, part by part.  instead: what would have cured, in words."""
    role = {
        "cause": "That is the root cause",
        "consequence": "The doctor finds it too, but as a consequence of the root cause",
        "context": "The doctor finds it too, besides the root cause",
        "": "The doctor does not find that",
    }[score.role]
    with st.grid(3, min_column_width=LEAST_WIDTH):
        looks, diagnosed, prescribed = (st.container(border=True, height="stretch") for _ in range(3))
    tells = mystery_answers.telling(diagnose(here.patient)[0])
    opened = "You opened it." if tells in here.visit.looks else "You did not open it."
    points = "" if here.choice.hides(POINTS) else ": {} of {}"
    if not points:
        pass
    elif not score.looks:
        opened = "Who opens none gets none of these points."
    elif not score.for_diagnosis:
        opened += " Points for looks count only if the diagnosis earns points."
    looks.markdown(
        f"**Looks{points.format(score.for_looks, mystery_answers.POINTS_OF_LOOKS)}**  \n"
        f"{score.looks or 'No'} chart{'' if score.looks == 1 else 's'} opened. "
        f"What shows this cause best: {VIEWS[tells].TITLE}. {opened}"
    )
    diagnosed.markdown(
        f"**Diagnosis{points.format(score.for_diagnosis, mystery_answers.POINTS_OF_CAUSE)}**  \n"
        f"You said: {mystery_answers.named(diagnosis).lower()}. {role}."
    )
    message = "There was nothing to change: the patient has this already."
    if given:
        share = _share(here, given)
        case = here.visit.case
        before, after = damage(case, here.patient), damage(case, given.history)
        if abs(after - before) <= NO_CHANGE * before or number(after) == number(before):
            came = "It changes next to nothing."
        elif after <= before:
            came = f"It takes away {percent(share)} of the harm{_counted_as(here)}."
        else:
            came = "It makes it worse."
        message = (
            f"Given: {given.change.name}. {mystery_answers.measure(case)}: patient {number(before)}, treated "
            f"{number(after)}, without the fault {number(damage(case, here.healthy))}. {came}"
        )
    prescribed.markdown(
        f"**Prescription{points.format(score.for_prescription, mystery_answers.POINTS_OF_PRESCRIPTION)}**  \n"
        f"You prescribed: {ordered.name.lower()}. {message}{instead}"
    )


def _share(here: Admitted, treatment: Treatment) -> float:
    return recovered(here.visit.case, here.patient, here.healthy, treatment.history)


def _instead(here: Admitted, best: Treatment | None) -> str:
    """What would have cured, where what was given did not: another dose of it, or what is made for the fault."""
    if best and (share := _share(here, best)) >= mystery_answers.CURED:
        return f" The direction is right, the dose is not: {best.change.name} takes away {percent(share)} of the harm."
    made_for_it = _treatment(mystery_answers.canonical(here.visit.case))
    if made_for_it is None:
        return ""
    return (
        f" What would have helped: {made_for_it.change.name}. "
        f"It takes away {percent(_share(here, made_for_it))} of the harm."
    )


def _counted_as(here: Admitted) -> str:
    """What the patient's harm is counted from, where that is not its own loss."""
    counted = counted_loss(here.visit.case, here.patient)
    return (
        ""
        if counted == damage(here.visit.case, here.patient)
        else f", counted from the average answer’s loss, {number(counted)}"
    )


def _next(choice: RequestedPatient, score: Score) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if SEED.name not in choice.locks:
            st.button(
                "**Next patient**", key="next", icon=":material/arrow_forward:",
                on_click=go_to, args=(next_seed(choice.seed), choice.level),
            )  # fmt: skip
        if choice.hides(POINTS):
            return
        _points(
            key="points",
            data={
                "patient": f"{choice.level} {choice.seed}",
                "points": score.points,
                "most": mystery_answers.MOST_POINTS,
            },
        )


def _revealed(here: Admitted) -> None:
    """The settings, those that are the fault first."""
    patient, fault = here.visit.case.patient, here.visit.case.patient.differences(here.visit.case.healthy)
    wrong = ", ".join(
        f"{label(name)} **{meaning(name, mine)}** instead of {meaning(name, sensible)}"
        for name, (mine, sensible) in fault.items()
    )
    rest = "\n".join(
        f"- {label(name)} {meaning(name, getattr(patient, name))}"
        for name, setting in SETTINGS.items()
        if name not in fault and (setting.group in ("network", "training") or getattr(patient, name) != setting.default)
    )
    words = glossary_of(PAGE)
    explanations(words)  # only now: they name what the patient hides
    st.markdown(explained(f"What was done to it: {wrong}.", words))
    with st.expander("Its other settings", icon=":material/tune:"), st.container(key="prose_settings"):
        st.markdown(explained(rest, words))


def _compare(here: Admitted, treated: RunHistory) -> None:
    """Both networks with their settings in the charts of the lessons, and what the doctor finds in each."""
    patient = here.patient
    st.markdown(f":small[{labels.differences(patient.experiment, treated.experiment)}]")
    steps = timeline_steps(patient, treated)
    # A key of its own for every patient: each result plays once.
    timeline(steps, steps[-1], f"timeline_{here.choice.level}_{here.choice.seed}", **pointed(patient, treated))
    first, *others = REVEALED
    row(first, patient, treated)
    notes_of_both(patient, treated)
    for charts in others:
        row(charts, patient, treated)
    if not here.choice.hides(CURES):
        cures(patient.experiment)


def _taken_home(here: Admitted, sentence: str, treated: Experiment) -> Shown:
    patient = here.visit.case.patient
    note, link = labels.differences(patient, treated), absolute(here.choice.address)
    pair, charts = ((PATIENT, patient), (TREATED, treated)), tuple(chain(*REVEALED))
    return Shown(PAGE, "Mystery patient", sentence, note, link, pair, charts, report=not here.choice.hides(CURES))


def how_points_come_about(choice: RequestedPatient) -> None:
    """The rules, for who asks."""
    if choice.hides(POINTS):
        return
    with st.expander("How points are awarded", icon=":material/calculate:"), st.container(key="prose_points"):
        st.markdown(sections_of(PAGE)["How points are awarded"])
