"""What came of the diagnosis and the prescription: the treated patient, the score, and what the fault was."""

import streamlit as st

from engine import SETTINGS, RunHistory, diagnose
from engine.cures.changes import Change
from engine.doctor.cases import counted_loss
from pages.charts.hidden_patient import VIEWS
from pages.charts.one_run import activations, gradient_per_layer, learning_curves, predictions, weight_norms
from pages.components.lesson.catalogue import glossary_of, sections_of
from pages.components.lesson.explanations import explanations
from pages.components.lesson.findings import cures, notes_of_both, pointed
from pages.components.lesson.lessons import row
from pages.components.mystery.patient import PAGE, Admitted, RequestedPatient, go_to, into_view, next_seed
from pages.components.shell.frame import LEAST_WIDTH
from pages.components.shell.runs import histories_of
from pages.components.shell.session import this_session
from pages.components.shell.timeline import timeline
from pages.text import labels, mystery_answers
from pages.text.clock import timeline_steps
from pages.text.glossary import explained
from pages.text.labels import label, meaning, number, percent
from pages.text.mystery_answers import Score

NO_CHANGE = 0.01  # of a loss: less is called next to nothing
REVEALED = (
    (gradient_per_layer, learning_curves, predictions),
    (activations, weight_norms),
)


def result(here: Admitted) -> str:
    """The prescription beside the patient, the settings, the doctor's word, and the score; that as a sentence."""
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
    sentence = (
        f"{score.points} of {mystery_answers.MOST_POINTS} points. "
        f"The root cause: {mystery_answers.named(here.visit.case.fault).lower()}."
    )
    with st.container(key="score"):
        st.header(sentence, anchor="score")
        _account(here, diagnosis, ordered, doses, best, treated, score)
        into_view(data="start", key="score_in_view")  # the button that led here may have been far down the page
    _next(here.choice)
    _revealed(here)
    _compare(here, treated)
    return sentence


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
    with st.grid(3, min_column_width=LEAST_WIDTH):
        looks, diagnosed, prescribed = (st.container(border=True, height="stretch") for _ in range(3))
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


def _next(choice: RequestedPatient) -> None:
    done = [visit.score for visit in this_session().mystery.values() if visit.score]
    total = sum(score.points for score in done)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "**Next patient**", key="next", icon=":material/arrow_forward:",
            on_click=go_to, args=(next_seed(choice.seed), choice.level),
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
    words = glossary_of(PAGE)
    explanations(words)  # only now: they name what the patient hides
    st.markdown(explained(f"What was done to it: {wrong}.", words))
    with st.container(key="prose_settings"):
        st.markdown(f":small[{explained(f'Its other settings: {rest}.', words)}]")


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
    cures(patient.experiment)


def how_points_come_about() -> None:
    """The rules, for who asks."""
    with st.expander("How points are awarded", icon=":material/calculate:"), st.container(key="prose_points"):
        st.markdown(sections_of(PAGE)["How points are awarded"])
