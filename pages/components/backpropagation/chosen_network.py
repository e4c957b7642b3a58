"""The network that the backpropagation page shows, and how: chosen with widgets whose values the address has."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import Experiment, OutOfRange
from engine.schedules import SCHEDULES
from pages.components.backpropagation.base_network import (
    ANSWERS,
    COURSE,
    DERIVATION,
    FIRST,
    FRONT,
    HIDES,
    LOOK,
    MORE,
    NETWORK,
    NONE,
    ONE,
    OPENED,
    ORDER,
    RULE,
    TEXTS,
    WHOLE,
    Base,
    control_of,
    most_updates,
    opened_base,
    preset_base,
)  # fmt: skip
from pages.components.backpropagation.network_address import (
    EARLIER,
    LOCKABLE_TEXTS,
    MOST_TYPED,
    PAGE,
    PRESET,
    link_to,
    lockables,
    network_text,
    read_asked,
    read_network,
    read_widgets,
)
from pages.components.lesson.assignment_box import draw_assignment, goal_text
from pages.components.lesson.catalogue import lesson_of
from pages.components.settings.control import Answer, write_controls
from pages.components.shell.address import (
    LOCK,
    PARAMETERS,
    PHASE,
    VERSION,
    enter,
    history_navigation,
    mend,
    parameters_here,
    start_again,
    still_ignored,
    write_address,
)
from pages.components.shell.assignment import PARAMETERS as ASKED
from pages.components.shell.assignment import Assignment
from pages.components.shell.runs import histories_of
from pages.components.shell.session import this_session
from pages.components.shell.studio import Preparable
from pages.text import labels
from pages.text.goals import UpdateGoal
from pages.walkthrough.calculation import Problem, Rule, Update
from pages.walkthrough.derivation import Selection
from pages.walkthrough.opened_network import nearest_frame, opened
from pages.walkthrough.presets import PRESETS
from pages.walkthrough.user_input import with_example, with_parameters

HIDDEN_NAMES = {
    NETWORK: "The network is", DERIVATION: "What is written out is", COURSE: "What the updates lead to is",
    ANSWERS: "The answers are",
}  # fmt: skip
EXAMPLE_OF_TRAINED = "vanishing_gradients"  # the lesson whose patient is opened without a lesson


@dataclass(frozen=True, eq=False)
class Chosen:
    """What is to be shown.

    example: its row among the problem's; key: of the network, for the browser's memory; asked, locks: what the link
    asks and locks; goal_place: where its goal is drawn, once it is known whether it is reached.
    """

    base: Base
    problem: Problem
    rule: Rule
    example: int
    values: dict[str, Answer]
    asked: Assignment
    locks: dict[str, Answer]
    goal_place: DeltaGenerator | None

    @property
    def key(self) -> str:
        return f"{self.base.name} {self.base.sizes}"


def choose() -> Chosen:
    """Draw what is chosen above the network; never raises, whatever the address says."""
    entering = enter(PAGE, (*ORDER, *TEXTS, PHASE))
    base, locks, found = read_network()
    asked, about = read_asked()
    found |= read_widgets(base, locks) | about
    this_session().locks[PAGE] = locks
    if found.values[VERSION] <= len(EARLIER) and (history_navigation() or not entering):
        start_again(PAGE, found.texts)
    mend(found, entering, base.defaults, {} if base.name == FIRST else {PRESET: base.name})
    if entering or history_navigation():
        st.session_state.update({name: found.values[name] for name in ORDER})
    st.session_state.update({name: held for name, held in locks.items() if name in ORDER})
    values: dict[str, Answer] = {}
    named = {name: one.label for name, one in lockables(base).items()}
    goal_place = draw_assignment(PAGE, asked, named, locks, asked.goal)
    with st.container(key="controls", gap="xsmall"):
        _draw_presets(base)
        messages = st.container(gap="small")
        with st.container(horizontal=True, vertical_alignment="bottom", key="front"):
            for name in FRONT:
                if name != "step" or base.experiment:
                    _draw(base, name, values)
            with st.popover("More", icon=":material/tune:", help="Momentum, clipping, penalties, your own numbers"):
                for name in (*MORE, *TEXTS):  # in a closed popover a field hears only what the last run set
                    if name in st.session_state:
                        st.session_state[name] = st.session_state[name]
                for name in MORE:
                    _draw(base, name, values)
                _draw_texts(values)
    still = still_ignored(PAGE, found.sentences, values)
    with messages:
        problem, rule, row = _problem(base, values, list(still))
    return Chosen(base, problem, rule, row, values, asked, locks, goal_place)


def look_at(chosen: Chosen) -> Selection:
    """Draw what is looked at: a layer, one of its units, one of the weights into it."""
    base, values = chosen.base, chosen.values
    with st.container(horizontal=True, vertical_alignment="bottom", key="look"):
        for name in LOOK:
            _draw(base, name, values)
    this_session().parameters = parameters_here()
    this_session().addresses[PAGE] = {
        name: texts[-1] for name, texts in this_session().parameters.items() if name != PHASE
    }
    return _selection(values)


def draw_updates(chosen: Chosen) -> int:
    """Draw how many updates are taken, with buttons that take more; the number."""
    base, values = chosen.base, chosen.values
    with st.container(horizontal=True, vertical_alignment="bottom", key="take"):
        _draw(base, "updates", values)
        taken, most = int(values["updates"] or 0), most_updates(base, values)
        for count in (1, 10, 100):
            together: dict[str, Answer] = {"updates": taken + count}
            st.button(
                f"Take {count}", key=f"take_{count}", on_click=_set, args=(base, together, values),
                disabled=taken + count > most or "updates" in chosen.locks,
                help=f"At most {most} updates with this network, on this page.",
            )  # fmt: skip
        st.button(
            "Back to the start", key="take_none", on_click=_set, args=(base, {"updates": 0}, values),
            disabled=not taken or "updates" in chosen.locks,
        )  # fmt: skip
    return taken


def hides(chosen: Chosen, name: str) -> bool:
    """Whether the link hides this part of the page; that it does is said in its place."""
    if name not in chosen.asked.hidden:
        return False
    question = " until you have answered the question" if chosen.asked.question else " by this link"
    st.markdown(f"{HIDDEN_NAMES[name]} hidden{question}.")
    return True


def draw_goal(chosen: Chosen, update: Update, right: int) -> None:
    """Draw the link's goal, if it has one, and whether it is reached: with this loss, so many questions right."""
    goal, taken = chosen.asked.goal, int(chosen.values["updates"] or 0)
    if not isinstance(goal, UpdateGoal) or chosen.goal_place is None:
        return
    found = f"{right} answered right" if goal.answers else f"{labels.number(update.loss)} after {taken} updates"
    chosen.goal_place.markdown(goal_text(goal, goal.reached(right, update.loss, taken), found))


def preparable(chosen: Chosen) -> Preparable:
    """The page as it stands, for a link that is made of it."""
    widgets = lockables(chosen.base)
    held = {name: chosen.values.get(name, one.default) for name, one in widgets.items()}
    held[PRESET] = network_text(chosen.base)
    return Preparable(PAGE, parameters(chosen), widgets, held, HIDES, goals="update")


def look(chosen: Chosen, selection: dict[str, int]) -> None:
    """Look at what was clicked: layer, and as far as they apply unit and source, from 0.  For a callback."""
    texts: dict[str, Answer] = {"layer": str(selection["layer"] + 1), "unit": WHOLE, "source": NONE}
    for name in ("unit", "source"):
        if name in selection:
            texts[name] = str(selection[name] + 1)
    _set(chosen.base, texts, chosen.values)


def address(chosen: Chosen) -> str:
    """Path and parameters of the page as it is; every setting is named."""
    base = chosen.base
    trained = {} if base.experiment is None else link_to(base.experiment, 0)
    texts = {
        name: control_of(base, name, chosen.values).text(answer)
        for name, answer in chosen.values.items()
        if name in ORDER
    }
    typed = {name: str(chosen.values[name]) for name in TEXTS if chosen.values[name]}
    return f"/{PAGE}?{urlencode({**trained, PRESET: base.name, **texts, **typed})}"


def short_address(chosen: Chosen) -> str:
    """The same, of what differs from the network as it comes."""
    return f"/{PAGE}?{urlencode(parameters(chosen))}"


def parameters(chosen: Chosen) -> dict[str, str]:
    """Those of the short address."""
    base = chosen.base
    network = {} if base.experiment is None else link_to(base.experiment, 0)
    network |= {} if base.name == FIRST else {PRESET: base.name}
    controls = {name: control_of(base, name, chosen.values) for name in ORDER if name in chosen.values}
    texts = {
        name: control.text(chosen.values[name])
        for name, control in controls.items()
        if chosen.values[name] != control.default
    }
    typed = {name: str(chosen.values[name]) for name in TEXTS if chosen.values[name]}
    return {VERSION: str(len(EARLIER) + 1), **network, **texts, **typed}


def _set(base: Base, answers: dict[str, Answer], values: dict[str, Answer] | None = None) -> None:
    """Set widgets, and with them the address, in one step back.  For callbacks."""
    together = dict(values or {})
    texts: dict[str, str | None] = {}
    for name, answer in answers.items():
        control = control_of(base, name, together)
        together[name] = answer
        texts[name] = None if answer == control.default else control.text(answer)
    st.session_state.update(answers)
    write_address(texts)


def _open(name: str) -> None:
    """Open another network as it comes."""
    experiment = lesson_of(EXAMPLE_OF_TRAINED).patient
    base = opened_base(experiment) if name == OPENED else preset_base(name)
    st.session_state.update({one: answer for one, answer in base.defaults.items() if one != "step" or base.experiment})
    gone: dict[str, str | None] = dict.fromkeys((*ORDER, *TEXTS, PHASE, *st.query_params))
    gone = {one: text for one, text in gone.items() if one not in (*PARAMETERS, *ASKED, LOCK)}
    kept = link_to(experiment, 0) if name == OPENED else {} if name == FIRST else {PRESET: name}
    write_address({**gone, **{one: text for one, text in kept.items() if one not in ORDER}})


def _problem(base: Base, values: dict[str, Answer], notes: list[str]) -> tuple[Problem, Rule, int]:
    """The network with all that was chosen, how it is updated, and the shown example; says what could not be."""
    one, row, note = values["examples"] == ONE, int(values["example"] or 1) - 1, base.note
    share = 1.0  # of the learning rate, that the schedule leaves
    if base.experiment:
        (history,) = histories_of([base.experiment])
        index = nearest_frame(history, int(values["step"] or 0))
        problem = opened(history, index, not one, row)
        share = _scheduled(base.experiment, int(history.frame_step[index]))
        note += " " + _where(base.experiment, history, index, int(values["step"] or 0), problem)
    else:
        problem = PRESETS[base.name].problem
        if one:
            problem = replace(problem, inputs=problem.inputs[[row]], targets=problem.targets[[row]])
    row = 0 if one else min(row, len(problem.inputs) - 1)
    problem = problem.changed(str(values["activation"]), str(values["loss"]))
    inputs, targets, changed = (str(values[name] or "").strip() for name in TEXTS)
    try:
        if inputs or targets:
            problem, row = with_example(problem, inputs, targets, row), 0
    except ValueError as trouble:
        notes.append(f"{trouble} The example is shown as it was.")
    try:
        if changed:
            problem = with_parameters(problem, changed)
    except ValueError as trouble:
        notes.append(f"{trouble} No weight was changed.")
    with st.container(key="note"):
        st.markdown(note)
    if notes:
        st.warning("  \n".join(notes), icon=":material/info:")
    rule = Rule(**{name: values[name] for name in RULE})  # type: ignore[arg-type]
    rule = replace(rule, learning_rate=share * rule.learning_rate)
    return problem, rule, row


def _where(experiment: Experiment, history: Any, index: int, requested: int, problem: Problem) -> str:
    """At which step a trained network was opened, and on what it is shown."""
    step = int(history.frame_step[index])
    message = (
        f"Step {step} of {experiment.steps}"
        + ("" if step == requested else f", the recorded one nearest to {requested}")
        + "."
    )
    if problem.masks is not None:
        message += " The batch and the dropped units are those of the update that began there."
    elif len(problem.inputs) > 1:
        message += " The batch is that of the update that began there."
    if experiment.normalization == "batch" and len(problem.inputs) == 1:
        message += " A single example is normalized by the running statistics."
    if experiment.schedule != "constant":
        message += f" The schedule multiplies the learning rate by {labels.number(_scheduled(experiment, step))} here."
    if experiment.optimizer != "sgd":
        message += " What the optimizer had gathered before is not recorded: here it starts from nothing."
    return message


def _scheduled(experiment: Experiment, step: int) -> float:
    """The share of the learning rate of the update from that step, or of the last one."""
    return SCHEDULES[experiment.schedule](min(step, experiment.steps - 1), experiment.steps)


def _draw_presets(base: Base) -> None:
    names = {name: preset.title for name, preset in PRESETS.items()} | {OPENED: "A trained network"}
    with st.container(horizontal=True, key="presets"):
        for name, title in names.items():
            label, icon = (f"**{title}**", ":material/check:") if name == base.name else (title, None)
            st.button(
                label, key=f"open_{name}", on_click=_open, args=(name,), icon=icon,
                disabled=PRESET in this_session().locks[PAGE],
            )  # fmt: skip


def _draw(base: Base, name: str, values: dict[str, Answer]) -> None:
    control = control_of(base, name, values)
    if name in st.session_state:
        try:
            control.setting.check(st.session_state[name])
        except OutOfRange:  # it was another network's, or another layer's
            st.session_state[name] = control.default
    only_one = control.setting.low == control.setting.high if control.numeric else base.examples == 1
    if name in ("examples", "example") and only_one:
        values[name] = control.default  # nothing to choose
        return
    locks = this_session().locks[PAGE]
    values[name] = control.draw(locked=name in locks)
    values |= {one: held for one, held in locks.items() if one == name}  # whatever a browser sends
    write_controls({name: control}, values)


def _draw_texts(values: dict[str, Answer]) -> None:
    """Numbers of the learner's own, as text: what is wrong with them is said, and they stay to be mended."""
    st.markdown("**Numbers of your own**")
    locks = this_session().locks[PAGE]
    examples = {"inputs": "0.05 0.10", "targets": "0.01 0.99", "changed": "w1.2.1 = 0.3, b2.1 = -1"}
    for name, example in examples.items():
        help_text = None
        if name == "changed":
            help_text = (
                "w1.2.1 leads into layer 1, from its input 2 to its unit 1; b2.1 is the bias of layer 2’s unit 1."
            )
        look: dict[str, Any] = {"label": LOCKABLE_TEXTS[name].label, "placeholder": example, "help": help_text}
        if name in locks:
            values[name] = locks[name]
            st.text_input(**look, value=locks[name], key=f"locked_{name}_{locks[name]}", disabled=True)
        else:
            values[name] = st.text_input(**look, key=name, bind="query-params", max_chars=MOST_TYPED)


def _selection(values: dict[str, Answer]) -> Selection:
    unit = None if values["unit"] == WHOLE else int(values["unit"] or 1) - 1
    source = None if values["source"] == NONE else int(values["source"] or 1) - 1
    return Selection(int(values["layer"] or 1) - 1, unit, source)
