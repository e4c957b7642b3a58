"""The doctor's notes: what is wrong with each network, the evidence, and every cure really tried.

Who clicks the evidence has the timeline go to the step where it begins, and its layers marked in the charts.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from engine import Experiment, Finding, OutOfRange, RunHistory
from engine.cures.changes import Change
from engine.doctor.confirming import cause_behind, further_runs
from pages.charts.style.figure import LOOKS, PATIENT, TREATED, Look
from pages.charts.sweeps import prescription
from pages.charts.sweeps.groups import changes_to, trials_of_search
from pages.components.lesson.catalogue import glossary_of
from pages.components.lesson.sweeps import Results, so_far, sweep, visitor, wanted_of
from pages.components.settings.controls import apply, heading, locked_against
from pages.components.settings.lesson_settings import Lesson
from pages.components.shell.address import open_part
from pages.components.shell.frame import LEAST_WIDTH
from pages.components.shell.runs import histories_of
from pages.components.shell.session import this_session
from pages.text import findings_text
from pages.text.glossary import explained
from pages.text.labels import label, refusal
from pages.text.own_data import OwnData, arrays_of, at_hand

# Severity is said in words and with a sign of its own.
BADGES = {
    "severe": ":red-badge[:material/error: Severe]",
    "warning": ":yellow-badge[:material/warning: Warning]",
    "info": ":gray-badge[:material/info: Note]",
}
ROLES = {"cause": "The root cause", "consequence": "A consequence", "context": "Beside it"}

NO_WORDS: Mapping[str, str] = {}
SHOWN = 1  # findings of a network; more are one click away
CONFIRM = "Confirm: train one network"
SHOW, HIDE = "Show in the charts", "Remove the mark"
PLACE = "prescription"  # of its sweep
# What a click on evidence does.  Not every chart has an axis of layers.
AT_STEP, MARKED = "timeline at step {step}", ", layers marked where charts have them"


class Pointed(NamedTuple):
    """The evidence that a visitor has clicked: of which network, and how often he has clicked before."""

    network: str
    experiment: Experiment
    code: str
    layers: tuple[int, ...]
    step: int
    click: int


def pointed(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> dict[str, Any]:
    """Where the timeline goes to, and what the charts mark: arguments of `timeline`; none without clicked evidence."""
    evidence = this_session().pointed
    shown = {look.key: history.experiment for look, history in zip(looks, histories, strict=True)}
    if evidence is None or shown.get(evidence.network) != evidence.experiment:
        return {}
    return {
        "jump": (evidence.click, evidence.step),
        "mark": (evidence.network, findings_text.spans(evidence.layers)),
    }


def doctors_notes(lesson: Lesson, patient: RunHistory, treated: RunHistory) -> None:
    """Findings of both networks side by side."""
    notes_of_both(patient, treated, glossary_of(lesson.page))


def cures_to_apply(lesson: Lesson, patient: RunHistory) -> None:
    """The cures of the patient to try, one of which becomes the treated network."""
    cures(patient.experiment, partial(_prescribe, lesson, patient.experiment))


def notes_of_both(patient: RunHistory, treated: RunHistory, words: Mapping[str, str] = NO_WORDS) -> None:
    """Findings of both networks side by side.  words: of the glossary, to be explained."""
    st.subheader("The doctor’s notes", anchor="notes")
    both = (PATIENT, patient), (TREATED, treated)
    # What has nothing wrong with it takes a few lines, and has them below rather than beside.
    across = 2 if all(findings_text.found_in(history) for _, history in both) else 1
    with st.grid(across, min_column_width=LEAST_WIDTH):
        for look, history in both:
            with st.container(border=True, height="stretch", key=f"notes_{look.name.lower()}"):
                network_notes(look, history, words)


def network_notes(look: Look, history: RunHistory, words: Mapping[str, str] = NO_WORDS) -> None:
    """What the doctor finds in one network, each finding with a button to see its evidence."""
    findings = findings_text.found_in(history)
    if not findings:
        st.markdown(
            f"{heading(look)} :material/check_circle: **Nothing found.** On validation data it does about as well as "
            f"its training data allow, measured by simple references.{findings_text.even_so(history)}",
            help="Such a network is called healthy, whatever its gradients look like. Looked at: "
            f"{findings_text.LOOKED_AT}.",
        )
        return
    first, rest = findings[:SHOWN], findings[SHOWN:]
    for finding in first:
        _note(look, history, finding, words, f"{heading(look)} ")
    if rest:
        with st.expander(f"More findings: {len(rest)}"):
            for finding in rest:
                _note(look, history, finding, words)


def _note(look: Look, history: RunHistory, finding: Finding, words: Mapping[str, str], whose: str = "") -> None:
    """A finding, what could help, and beside it the evidence and the button that shows it.  whose: begins the title."""
    clicked = this_session().pointed
    help_text = (
        f"What could help: {findings_text.remedies(finding)}." if finding.role == "cause" else "Treat the cause first."
    )
    explanation = explained(finding.explanation, words)
    on = clicked is not None and clicked[:3] == (look.key, history.experiment, finding.code)
    evidence = findings_text.evidence(finding, history) + (f" · {shown(finding)}" if on else "")
    with st.grid(2, min_column_width=LEAST_WIDTH):
        with st.container():
            st.markdown(
                f"#### {whose}{BADGES[finding.severity]} {findings_text.HEADINGS[finding.code]}\n\n{explanation}  \n"
                f":small[{ROLES[finding.role]}. {findings_text.source(finding)} {help_text}]"
            )
        with st.container():
            with st.container(horizontal=True, vertical_alignment="center", key=f"shows_{look.name}_{finding.code}"):
                st.button(
                    HIDE if on else SHOW, icon=":material/my_location:" if on else ":material/location_searching:",
                    key=f"evidence_{look.name}_{finding.code}", on_click=_point,
                    args=(look, history.experiment, finding),
                    help=None if on else "Shows step and layers in the charts.",
                )  # fmt: skip
                st.markdown(f":small[{evidence}]", width="stretch")
            if finding.role == "cause":
                if tried := _tried(history.experiment, finding.code):
                    st.markdown(f":small[{tried}]")
                _confirm(look, history, finding)


def _tried(patient: Experiment, cause: str) -> str:
    """What came of the cure that is named first, where this visitor has had them tried and it did not help alone."""
    if this_session().prescribed != patient:
        return ""
    wanted, known, results = so_far(partial(trials_of_search, patient))
    complete = bool(wanted) and len(known) == len(wanted)
    return prescription.beside_the_cause(results, patient=patient, cause=cause) if complete else ""


def _confirm(look: Look, history: RunHistory, finding: Finding) -> None:
    """What has curves that look the same, and a button for the one run that tells them apart; then what came of it."""
    asked = (look.key, history.experiment, finding.code)
    confirms = finding.confirm is not None and this_session().confirmed != asked
    with st.container(horizontal=True, vertical_alignment="center", key=f"mistaken_{look.name}_{finding.code}"):
        if confirms:
            st.button(
                CONFIRM, icon=":material/science:", key=f"confirm_{look.name}_{finding.code}", on_click=_ask,
                args=asked,
                help="With one change that tells this cause from others; two more where another cause shows behind it.",
            )  # fmt: skip
        if finding.mistaken_for:
            st.markdown(f":small[{findings_text.mistaken_for(finding)}]", width="stretch")
    if confirms or finding.confirm is None:
        return
    try:
        after_experiment = finding.confirm.experiment(history.experiment)
        own = arrays_of(history.experiment)
        (after,) = histories_of((after_experiment,), own)
        behind = cause_behind(finding, after, own)
        further = histories_of(further_runs(behind, history, after), own) if behind else ()
    except OutOfRange as problem:
        st.markdown(f"This run cannot be made. {problem}")
        return
    st.markdown(findings_text.confirmation(finding, history, after, further))


def _ask(*asked: Any) -> None:
    this_session().confirmed = asked


def shown(finding: Finding) -> str:
    """What the page shows of the evidence that was clicked."""
    return AT_STEP.format(step=finding.steps[0]) + (MARKED if finding.layers else "")


def _point(look: Look, experiment: Experiment, finding: Finding) -> None:
    """Mark this evidence, or unmark it where it is marked."""
    session, place = this_session(), (look.key, experiment, finding.code)
    was = session.pointed
    session.clicks += 1
    again = was is not None and was[:3] == place
    session.pointed = None if again else Pointed(*place, finding.layers, finding.steps[0], session.clicks)
    if not again:
        open_part("look")  # where the charts are


def verdict_link(patient: RunHistory) -> None:
    """Beside the verdict: the way to the charts that show what it says, with what the doctor found first marked."""
    found = findings_text.found_in(patient)
    if found:
        st.button(
            "Evidence", icon=":material/location_searching:", key="to_evidence", type="tertiary",
            on_click=_lead, args=(PATIENT, patient.experiment, found[0]), help="Shows step and layers in the charts.",
        )  # fmt: skip


def _lead(look: Look, experiment: Experiment, finding: Finding) -> None:
    """Mark this evidence, whether it is marked or not, and open the part that shows it."""
    this_session().pointed = None
    _point(look, experiment, finding)


def cures(
    patient: Experiment,
    then: Callable[[Results], None] | None = None,
    own: OwnData | None = None,
    first: Callable[[Results], None] | None = None,
) -> None:
    """A button; for who has pressed it, what was tried.  All that has to be made for it is made only then.

    then, first: draw what stands beside the chart and above it.  own: data that the patient was trained on, where they
    are custom.
    """
    if this_session().prescribed == patient:
        sweep(
            prescription, partial(trials_of_search, patient), own=own, then=then, first=first,
            left_out=prescription.left_out, rules=prescription.RULES, patient=patient,
        )  # fmt: skip
        return
    visitor().stop(PLACE)  # what was asked for another patient
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(prescription.TITLE, icon=":material/play_arrow:", key="try_cures", on_click=_try, args=(patient, own))
        st.markdown(prescription.QUESTION, width="stretch")


def _try(patient: Experiment, own: OwnData | None) -> None:
    this_session().prescribed = patient
    with at_hand(own):
        visitor().start(PLACE, wanted_of(trials_of_search(patient, {})))


def choose_cure(patient: Experiment, results: Results, button: Callable[[Change], None]) -> None:
    """Choose one of the trials, and read what it does and costs.  button: draws what makes use of it."""
    refused = [one for one in changes_to(patient) if one.refused]
    if impossible := [f"{one.name}: {refusal(one.problem) if one.problem else one.refused}" for one in refused]:
        st.markdown(f":small[Not tried. {' '.join(impossible)}]")
    tried = [trial for trial in prescription.trials(results, patient) if trial.change.settings]
    if not tried:
        return

    def named(rank: int) -> str:
        number = f"{tried[rank].rank}. " if tried[rank].rank else ""
        return f"{number}{tried[rank].change.name}: {prescription.MARKS[tried[rank].verdict]}"

    with st.container(horizontal=True, vertical_alignment="bottom"):
        trial = tried[st.selectbox("Cure", range(len(tried)), format_func=named, key="cure")]
        button(trial.change)
    st.markdown(prescription.explained(trial))


def _prescribe(lesson: Lesson, patient: Experiment, results: Results) -> None:
    """Choose a cure, and make it the treated network."""

    def button(change: Change) -> None:
        shared = [label(field) for field in change.settings if field in lesson.shared + lesson.absent]
        refused = f"On this page both networks share: {', '.join(shared)}." if shared else ""
        refused = refused or locked_against(lesson, patient, change.experiment or patient)
        st.button(
            "Apply to the treated network", icon=":material/medication:", key="apply_cure",
            on_click=apply, args=(lesson, patient, change.experiment), disabled=bool(refused), help=refused or None,
        )  # fmt: skip

    choose_cure(patient, results, button)
