"""The calculation written out, what came of the updates, and the phases with a question each."""

import streamlit as st

from pages.components.backpropagation.base_network import ANSWERS, FIRST
from pages.components.backpropagation.chosen_network import Chosen, draw_goal
from pages.components.backpropagation.network_address import PAGE
from pages.components.lesson.catalogue import glossary_of, sections_of
from pages.components.shell.plot import encoded, plot
from pages.components.shell.session import this_session
from pages.text.glossary import explained
from pages.text.labels import number
from pages.walkthrough import updates_curve
from pages.walkthrough.calculation import Course, Problem, Update, course
from pages.walkthrough.chain_factors import chain_factors, written_out
from pages.walkthrough.derivation import PHASES, Line, Selection, derivation
from pages.walkthrough.gradient_check import Price, price, weight_check
from pages.walkthrough.latex import exact, rounded
from pages.walkthrough.layer_derivation import layer_derivation
from pages.walkthrough.questions import Question, question

ABOUT_FIRST = "Why the famous number differs"  # the section that is about the first preset alone
HEADINGS = dict(zip(PHASES, ("Forward", "Loss", "Backward", "Update"), strict=True))


def course_of(chosen: Chosen, updates: int) -> Course:
    """The updates that were taken, and the next one."""
    return course(chosen.problem, chosen.rule, updates)


def draw_calculation(update: Update, selection: Selection, example: int) -> None:
    """Everything about one layer, unit or weight, with symbols and numbers."""
    lines = (
        layer_derivation(update, selection.layer, example)
        if selection.unit is None
        else derivation(update, selection, example)
    )
    with st.container(key="calculation", gap="xxsmall"):
        st.header("Written out", anchor=False, help="Every number of what is looked at, with its formula.")
        _draw_chain(update, example)
        for phase in PHASES:
            some = [line for line in lines if line.phase == phase]
            if some:
                st.subheader(HEADINGS[phase], anchor=False)
            for line in some:
                _draw_line(line)
            if phase == "backward" and selection.unit is not None and selection.source is not None:
                _draw_check(update, selection)
        with st.expander("All digits, to copy", icon=":material/content_copy:"):
            st.code("\n".join(_plain(line) for line in lines), language=None)


def _draw_line(line: Line) -> None:
    symbols, numbers = rf"$\displaystyle {line.symbols}$", rf"$\displaystyle = {line.numbers}$"
    st.markdown(f":small[{line.name}] {symbols}  \n{numbers}", help=f"${line.full}$")


def _plain(line: Line) -> str:
    return f"{line.name}: {line.value!r}"


def _draw_check(update: Update, selection: Selection) -> None:
    """The gradient of the weight once more, by finite differences."""
    assert selection.unit is not None
    assert selection.source is not None
    check = weight_check(update, selection.layer, selection.unit, selection.source)
    symbols = r"\frac{L(w + h) - L(w - h)}{2h}"
    st.subheader("Checked by finite differences", anchor=False)
    message = f"$\\displaystyle {symbols} = {rounded(check.difference)}$, $h = {rounded(check.step)}$  \n"
    if check.kink:
        message += "The step crosses the corner of the activation at 0, where this check means nothing."
    else:
        verdict = "Both agree" if check.agrees else "They do not agree"
        message += (
            f"{verdict}: they differ by ${rounded(abs(check.gradient - check.difference))}$, and the check itself may "
            f"be off by ${rounded(check.error)}$."
        )
    st.markdown(message, help=f"${exact(check.difference)}$")


def _draw_chain(update: Update, example: int) -> None:
    factors = chain_factors(update, example)
    if not factors:
        return
    symbols, numbers = written_out(factors)
    _, full = written_out(factors, exact)
    st.subheader("The gradient of the first weight is one product", anchor=False)
    st.markdown(
        f"$\\displaystyle {symbols}$  \n$\\displaystyle = {numbers}$",
        help=f"${full}$",
    )


def draw_course(taken: Course) -> None:
    """The loss update by update; predicted and real change of the next one; what a backward pass costs."""
    next_update = taken.next
    with st.container(key="course"):
        if taken.diverged_after is not None:
            st.warning(f"Update {taken.diverged_after} leaves a number that is not finite: it was not taken.")
        st.header(updates_curve.TITLE, help=updates_curve.QUESTION, anchor=False)
        plot(encoded(updates_curve.figure(taken), updates_curve.alt(taken)), key="chart_updates")
        step = r"= -\eta\, \|\nabla L\|^2" if next_update.rule.plain else ""
        penalised = " (loss and penalty)" if next_update.rule.penalised else ""
        st.subheader(f"What the gradient promises, and what happens{penalised}", anchor=False)
        st.markdown(
            f"Predicted change of the next update: $\\nabla L \\cdot \\Delta\\theta {step} = "
            f"{rounded(next_update.predicted_change)}$  \n"
            f"Change that happens: ${rounded(next_update.change)}$  \n"
            f"Loss after it: ${rounded(next_update.new_loss)}$",
            help=" and ".join(
                f"${exact(value)}$"
                for value in (next_update.predicted_change, next_update.change, next_update.new_loss)
            ),
        )
        st.markdown("The prediction takes the loss for a plane. The smaller the step, the better it is.")
        architecture = next_update.problem.architecture
        _draw_price(_price(repr(architecture), len(next_update.problem.inputs), next_update.problem))


@st.cache_resource(show_spinner=False, max_entries=200)
def _price(architecture: str, examples: int, _problem: Problem) -> Price:
    return price(_problem)


def _draw_price(paid: Price) -> None:
    ratio = paid.all_differences / paid.backward
    measured = "" if paid.measured == paid.weights else f", from {paid.measured} that were timed"
    st.expander("What it costs", icon=":material/timer:").markdown(
        f"One forward and one backward pass take {_time(paid.backward)}, and give the derivatives with respect to all "
        f"weights, here {paid.weights:,}. By finite differences, two forward passes a weight, they take "
        f"{_time(paid.all_differences)}{measured}: "
        f"{number(ratio)} times as long. The number of weights is what makes the difference. Measured on this server."
    )


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{number(1e6 * seconds)} µs"
    return f"{number(1e3 * seconds)} ms" if seconds < 1 else f"{number(seconds)} s"


def draw_phases(update: Update, selection: Selection, chosen: Chosen) -> None:
    """Behind a tab each, a text for each phase with a question about the numbers on screen, and what else is said.

    The goal of a link, which may be about the questions, is drawn at last.
    """
    texts, words = sections_of(PAGE), glossary_of(PAGE)
    others = [one for one in list(texts)[len(PHASES) :] if one != ABOUT_FIRST or chosen.base.name == FIRST]
    with st.container(key="phases"):
        tabs = dict(zip(PHASES + tuple(others), st.tabs([*HEADINGS.values(), *others]), strict=True))
    for phase in PHASES:
        with tabs[phase]:
            said, asked = st.columns(2, gap="large")
            said.markdown(explained(texts[HEADINGS[phase]], words))
            with asked:
                _ask(phase, question(update, phase, selection, chosen.example), ANSWERS in chosen.asked.hidden)
    draw_goal(chosen, update, sum((PAGE, f"right {phase}") in this_session().measured for phase in PHASES))
    for place, heading in enumerate(others):
        with tabs[heading], st.container(key=f"prose_{place}"):
            st.markdown(texts[heading] if heading == "Words" else explained(texts[heading], words))


def _ask(phase: str, question: Question, hidden: bool) -> None:
    """Ask; hidden: an answer is only called right or wrong."""
    with st.container(border=True, key=f"question_{phase}"):
        st.markdown(f"**Check yourself.** {question.text}")
        key = f"answer_{phase}_{question.text}_{question.answer}"  # empty where the numbers have changed
        given = st.text_input("Your answer", key=key, placeholder="a number, such as 0.25")
        if not given:
            return
        try:
            value = float(given.replace("−", "-").replace(",", "."))
        except ValueError:
            st.info("That is not a number. Write it like 0.25 or 2.5e-3.")
            return
        way = "" if hidden else f" {question.way}"
        if question.right(value):
            this_session().measured[PAGE, f"right {phase}"] = True
            st.success(f"Right: ${rounded(question.answer)}$.{way}")
        else:
            st.info(f"Not yet: that is further off than rounding explains.{way}")
