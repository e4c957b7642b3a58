"""The doctor's tables: how severe what is found at which strength, what goes first, and what follows from what."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, data_digest, diagnose, load_dataset, train
from engine.doctor import diagnosis, fit_detectors, rules, signal_detectors, step_detectors
from engine.doctor.findings import MISLEADING, Finding
from tests.engine.examined_runs import edited, examined, finding, run

# --- how severe ---


def first_signal(ratio):
    """As if before the first step layer 1 of 2 had received `ratio` times the error signal of layer 2."""
    delta = np.ones_like(run().delta_rms)
    delta[0, 0] = ratio
    return edited(run(), delta_rms=delta)


def measured(ratio):
    """The same where no theory predicts it."""
    return set_to(first_signal, ratio, bias_mean=0.1)


def share_at_the_start(name, share):
    shares = getattr(run(), name).copy()
    shares[0] = share
    return edited(run(), **{name: shares})


def dead(share):
    return edited(run(), dead_fraction=np.full_like(run().dead_fraction, share))


def saturated(share):
    return edited(run(), saturated_fraction=np.full_like(run().saturated_fraction, share))


def loss_share(share, **settings):
    """As if it had learnt so little; a tenth of its answers are wrong in any case."""
    history = run(**settings)
    loss = np.full_like(history.train_loss, share * examined(history).uninformed)
    wrong = np.full_like(loss, 0.5)
    return edited(history, train_loss=loss, train_accuracy=wrong, validation_accuracy=wrong)


def moved(distance, **more):
    """As if all weights had ended at 1 + distance times where they started."""
    weights = tuple(np.stack([kept[0], (1 + distance) * kept[0]]) for kept in run().weights)
    return edited(run(), weights=weights, **more)


def hardly_moved(distance):
    history = run()
    wrong = np.full_like(history.train_accuracy, 0.5)
    return moved(distance, update_norm=1e-3 * history.weight_norm, train_accuracy=wrong)


def thrown(distance):
    return moved(distance, train_loss=np.full_like(run().train_loss, 0.7))


def long_steps(ratio):
    """Every step changes the weights by so much of their size, and the loss goes up and down by a fifth of its span."""
    losses = np.linspace(1.0, 0.0, len(run().train_loss))
    losses[20] = losses[19] + 0.2
    return edited(run(), train_loss=losses, update_norm=ratio * run().weight_norm)


def jump(times):
    losses = np.linspace(1.0, 0.1, len(run().train_loss))
    losses[3] = times
    return edited(run(), train_loss=losses)


def rises(count):
    """So many times down by .9 of the constant answer's loss and up again."""
    history = run(steps=100)
    losses = np.full(101, examined(history).uninformed)
    losses[2 : 2 + 2 * count : 2] *= 0.1
    return edited(history, train_loss=losses)


def penalty_pulls(times):
    history = run(l2=1e-3)
    norms = history.weight_norm.copy()
    norms[-1] = 0.5 * norms[0]
    return edited(history, penalty_gradient_norm=times * history.data_gradient_norm, weight_norm=norms)


def penalty_overshoots(product):
    return edited(run(), experiment=replace(run().experiment, learning_rate=0.5, l2=product / 0.5))


def knows_by_heart(risen):
    """All of its training data and half of new ones, whose loss ended so many per cent above its lowest."""
    n = len(run().train_loss)
    losses = {"train_loss": np.full(n, 0.01), "validation_loss": np.r_[1.0, np.full(n - 1, 1 + risen / 100)]}
    return edited(run(), train_accuracy=np.ones(n), validation_accuracy=np.full(n, 0.5), **losses)


def equal_units(does_well):
    history = run(initializer="constant")
    right = np.full_like(history.validation_accuracy, 1.0 if does_well else 0.5)
    return edited(history, validation_accuracy=right)


def drops(share):
    return edited(run(), experiment=replace(run().experiment, dropout=share))


NONE, WARNING, SEVERE = None, "warning", "severe"
STRENGTHS = [  # detector, a run in which something has this strength, what it says at which
    (signal_detectors.symmetry, equal_units, {True: WARNING, False: SEVERE}),
    (signal_detectors.born_dead, lambda x: share_at_the_start("dead_fraction", x), {0.99: NONE, 1.0: SEVERE}),
    (
        signal_detectors.saturated_units,
        lambda x: share_at_the_start("saturated_fraction", x),
        {0.49: NONE, 0.51: WARNING, 0.79: WARNING, 0.81: SEVERE},
    ),
    (signal_detectors.partly_saturated, saturated, {0.29: NONE, 0.31: WARNING, 0.79: WARNING, 0.81: SEVERE}),
    (signal_detectors.saturated_at_the_end, saturated, {0.49: NONE, 0.51: WARNING, 0.79: WARNING, 0.81: SEVERE}),
    (signal_detectors.half_dead, dead, {0.49: NONE, 0.5: WARNING, 0.99: WARNING, 1.0: SEVERE}),
    (signal_detectors.dead_units, dead, {0.5: NONE, 0.51: WARNING, 0.99: WARNING, 1.0: SEVERE}),
    (signal_detectors.vanishing_gradients, measured, {0.011: NONE, 0.009: WARNING, 1.1e-3: WARNING, 9e-4: SEVERE}),
    (signal_detectors.fading_gradients, measured, {0.051: NONE, 0.049: WARNING, 1.1e-3: WARNING, 9e-4: SEVERE}),
    (signal_detectors.exploding_gradients, first_signal, {9.9: NONE, 10.1: WARNING, 99: WARNING, 101: SEVERE}),
    (signal_detectors.exploded_gradients, first_signal, {10.1: NONE, 99: NONE, 101: SEVERE}),
    (step_detectors.too_few_steps, lambda x: loss_share(x, steps=15), {0.89: WARNING, 0.91: SEVERE}),
    (step_detectors.learning_rate_too_low, hardly_moved, {0.21: NONE, 0.19: WARNING, 0.021: WARNING, 0.019: SEVERE}),
    (step_detectors.learning_rate_far_too_low, hardly_moved, {0.021: NONE, 0.019: SEVERE}),
    (step_detectors.learning_rate_too_high, long_steps, {0.09: NONE, 0.11: WARNING, 0.99: WARNING, 1.01: SEVERE}),
    (step_detectors.learning_rate_too_high, jump, {4.9: NONE, 5.1: WARNING, 49: WARNING, 51: SEVERE}),
    (step_detectors.learning_rate_too_high, thrown, {4.9: NONE, 5.1: WARNING, 49: WARNING, 51: SEVERE}),
    (step_detectors.learning_rate_too_high, rises, {2: NONE, 3: WARNING, 22: WARNING, 23: SEVERE}),
    (step_detectors.not_finite, jump, {990: NONE, 1010: SEVERE}),
    (fit_detectors.dropout_too_high, drops, {0.5: NONE, 0.51: WARNING, 0.9: WARNING}),
    (fit_detectors.over_regularized, penalty_pulls, {0.14: NONE, 0.16: WARNING, 1.9: WARNING, 2.1: SEVERE}),
    (fit_detectors.over_regularized, penalty_overshoots, {1.9: NONE, 2.1: SEVERE}),
    (fit_detectors.overfitting, knows_by_heart, {6: WARNING, 99: WARNING, 101: SEVERE}),
    (fit_detectors.too_few_units, lambda x: loss_share(x, depth=1, width=2), {0.89: WARNING, 0.91: SEVERE}),
    (fit_detectors.underfitting, loss_share, {0.51: WARNING, 0.89: WARNING, 0.91: SEVERE}),
]


@pytest.mark.parametrize(
    ("detect", "made", "severities"), STRENGTHS, ids=[f"{row[0].__name__}-{i}" for i, row in enumerate(STRENGTHS)]
)
def test_how_severe_it_is_at_which_strength(detect, made, severities):
    for strength, severity in severities.items():
        with np.errstate(all="ignore"):
            found = detect(made(strength))
        assert (found and found.severity) == severity, strength


# --- where, when, and what may help ---


def set_to(run_of, strength, **settings):
    """What was made for this strength, in an experiment with other settings."""
    history = run_of(strength).history
    return edited(history, experiment=replace(history.experiment, **settings))


def in_layer_2(name):
    """Nine tenths of the second of three layers."""
    shares = np.zeros_like(getattr(run(depth=3), name))
    shares[:, 1] = 0.9
    return edited(run(depth=3), **{name: shares})


# 61 evaluations, a step apart, of two hidden layers (0 and 1) and the output (2): the first tenth ends with step 5, the
# last ten begin with step 51.
HIDDEN, ALL = (0, 1), (0, 1, 2)
START_ONLY, WHOLE, EARLY, LATE = (0, 0), (0, 60), (0, 5), (51, 60)
SATURATED = ["initializer", "gain", "normalization", "activation"]
DEAD = ["activation", "learning_rate_down", "initializer", "normalization", "wider"]
VANISHING = ["initializer", "activation", "normalization", "residual", "shallower", "optimizer"]
EXPLODING = ["initializer", "gain", "normalization", "clip", "learning_rate_down", "shallower"]
FAST = ["learning_rate_down", "clip", "optimizer", "normalization"]
UNDER = ["wider", "deeper", "activation", "learning_rate_up", "optimizer", "steps"]
EVIDENCE = [  # detector, run, layers, steps, threshold, remedies
    (signal_detectors.symmetry, lambda: equal_units(False), HIDDEN, START_ONLY, 0.5, ["initializer"]),
    (
        signal_detectors.born_dead,
        lambda: dead(1.0),
        HIDDEN,
        START_ONLY,
        0.5,
        ["wider", "activation", "shallower", "normalization", "residual"],
    ),
    (signal_detectors.saturated_units, lambda: in_layer_2("saturated_fraction"), (1,), START_ONLY, 0.5, SATURATED),
    (
        signal_detectors.saturated_units,
        lambda: set_to(saturated, 0.6, bias=0.1),
        HIDDEN,
        START_ONLY,
        0.5,
        ["bias", *SATURATED],
    ),
    (
        signal_detectors.partly_saturated,
        lambda: set_to(saturated, 0.6, gain=1.1),
        HIDDEN,
        START_ONLY,
        0.3,
        ["gain", "initializer", "normalization", "activation"],
    ),
    (signal_detectors.saturated_at_the_end, lambda: saturated(0.6), HIDDEN, LATE, 0.5, SATURATED),
    (signal_detectors.half_dead, lambda: in_layer_2("dead_fraction"), (1,), WHOLE, 0.5, DEAD),
    (signal_detectors.vanishing_gradients, lambda: first_signal(0), (0,), START_ONLY, 0.01, VANISHING),
    (
        signal_detectors.vanishing_gradients,
        lambda: set_to(first_signal, 1e-4, activation="sigmoid"),
        (0,),
        START_ONLY,
        0.01,
        ["activation", "initializer", *VANISHING[2:]],
    ),
    (
        signal_detectors.fading_gradients,
        lambda: set_to(first_signal, 1e-4, gain=0.9),
        (0,),
        START_ONLY,
        0.05,
        ["gain", *VANISHING],
    ),
    (signal_detectors.exploding_gradients, lambda: first_signal(11), (0,), START_ONLY, 10, EXPLODING),
    (
        signal_detectors.exploding_gradients,
        lambda: set_to(first_signal, 11, gain=1.1),
        (0,),
        START_ONLY,
        10,
        ["gain", "initializer", *EXPLODING[2:]],
    ),
    (
        signal_detectors.exploding_gradients,
        lambda: set_to(first_signal, 11, residual="plain"),
        (0,),
        START_ONLY,
        10,
        ["residual", *EXPLODING],
    ),
    (step_detectors.too_few_steps, lambda: loss_share(0.5, steps=15), (), (0, 15), 20, ["steps"]),
    (step_detectors.learning_rate_too_high, lambda: long_steps(0.2), ALL, EARLY, 0.1, FAST),
    (step_detectors.learning_rate_too_high, lambda: jump(6), (), WHOLE, 5, FAST),
    (step_detectors.learning_rate_too_high, lambda: thrown(6), (), WHOLE, 5, FAST),
    (step_detectors.learning_rate_too_high, lambda: rises(3), (), (0, 100), 2, FAST),
    (
        step_detectors.not_finite,
        lambda: jump(1010),
        (),
        (3, 60),
        1000,
        ["learning_rate_down", "clip", "initializer", "gain"],
    ),
    (
        step_detectors.learning_rate_too_low,
        lambda: hardly_moved(0.1),
        ALL,
        WHOLE,
        0.2,
        ["learning_rate_up", "optimizer", "steps"],
    ),
    (fit_detectors.linear_network, lambda: examined(run(activation="linear")), HIDDEN, WHOLE, 0.12, ["activation"]),
    (fit_detectors.dropout_too_high, lambda: drops(0.6), HIDDEN, WHOLE, 0.5, ["dropout", "wider"]),
    (fit_detectors.over_regularized, lambda: penalty_overshoots(3), ALL, WHOLE, 2, ["l2", "learning_rate_down"]),
    (fit_detectors.over_regularized, lambda: penalty_pulls(1), ALL, WHOLE, 0.15, ["l2"]),
    (fit_detectors.over_regularized, lambda: set_to(penalty_pulls, 1, l1=1e-3, l2=0.0), ALL, WHOLE, 0.15, ["l1"]),
    (fit_detectors.over_regularized, lambda: set_to(penalty_pulls, 1, l1=1e-3), ALL, WHOLE, 0.15, ["l1", "l2"]),
    (
        fit_detectors.overfitting,
        lambda: knows_by_heart(50),
        (),
        WHOLE,
        None,
        ["patience", "l2", "n_train", "dropout", "l1", "shallower"],
    ),
    (
        fit_detectors.too_few_units,
        lambda: loss_share(0.6, depth=1, width=2),
        (0,),
        WHOLE,
        2,
        ["wider", "deeper"],
    ),
    (fit_detectors.underfitting, lambda: loss_share(0.6), (), LATE, 0.5, UNDER),
    (
        fit_detectors.underfitting,
        lambda: set_to(loss_share, 0.6, activation="linear"),
        (),
        LATE,
        0.5,
        ["activation", "wider", "deeper", *UNDER[3:]],
    ),
]


@pytest.mark.parametrize(
    ("detect", "made", "layers", "steps", "threshold", "remedies"),
    EVIDENCE,
    ids=[f"{row[0].__name__}-{i}" for i, row in enumerate(EVIDENCE)],
)
def test_a_finding_says_where_and_when_it_was_and_what_may_help(detect, made, layers, steps, threshold, remedies):
    with np.errstate(all="ignore"):
        found = detect(made())
    assert (found.layers, found.steps, list(found.remedies)) == (layers, steps, remedies)
    assert threshold is None or found.threshold == threshold
    assert all(type(step) is int for step in found.steps)


# --- what goes first, and what follows from what ---

START = [
    "symmetry",
    "leakage",
    "validation_shift",
    "label_mismatch",
    "unscaled_targets",
    "unscaled_inputs",
    "unshuffled",
    "wrong_output",
    "dead_output",
    "batch_too_small",
    "linear_network",
    "born_dead",
    "saturated_units",
    "dropout_too_high",
    "vanishing_gradients",
]
STEPS = ["too_few_steps", "exploded_gradients", "learning_rate_far_too_low"]
STEPS += ["borderline_vanishing", "small_start", "exploding_gradients", "large_start"]
TRAINING = [
    "costly_dropout",
    "over_regularized",
    "overfitting",
    "too_few_units",
    "learning_rate_too_high",
    "noisy_batches",
    "not_finite",
    "dead_units",
]
ELSE = ["partly_saturated", "learning_rate_too_low", "fading_gradients"]
ELSE += ["label_noise", "one_answer", "underfitting"]


def test_causes_go_first_in_this_order():
    assert [detect.__name__ for detect in diagnosis.CAUSES] == START + STEPS + TRAINING + ELSE
    assert {detect.__name__ for detect in diagnosis.EVEN_SO} == {
        "symmetry",
        "leakage",
        "validation_shift",
        "overfitting",
    }
    assert {detect.__name__ for detect in diagnosis.SYMPTOMS} == {"saturated_at_the_end", "half_dead"}


# What follows from a cause; all else that is found beside it is context.
BREAKDOWN = {"not_finite", "dead_units", "saturated_units", "underfitting", "one_answer"}
STEPS_ARE_WRONG = {"learning_rate_too_high", "learning_rate_too_low"}
SIGNALS_ARE_WRONG = {"vanishing_gradients", "exploding_gradients"}
FOLLOWS = {
    "leakage": set(),
    "validation_shift": {"overfitting", "underfitting"},
    "label_mismatch": {"overfitting", "underfitting"},
    "unshuffled": {"learning_rate_too_high", "underfitting", "one_answer"},
    "unscaled_targets": BREAKDOWN | STEPS_ARE_WRONG,
    "unscaled_inputs": BREAKDOWN | STEPS_ARE_WRONG | SIGNALS_ARE_WRONG,
    "wrong_output": BREAKDOWN | STEPS_ARE_WRONG,
    "symmetry": BREAKDOWN | SIGNALS_ARE_WRONG | {"learning_rate_too_high"},
    "dead_units": {"vanishing_gradients", "underfitting", "one_answer"},
    "saturated_units": {"vanishing_gradients", "underfitting", "one_answer"},
    "dropout_too_high": BREAKDOWN | {"learning_rate_too_high", "over_regularized"},
    "over_regularized": BREAKDOWN | {"learning_rate_too_high"},
    "exploding_gradients": BREAKDOWN | {"learning_rate_too_high", "overfitting"},
    "vanishing_gradients": {"learning_rate_too_low", "underfitting", "one_answer"},
    "small_start": {"learning_rate_too_low", "underfitting", "one_answer"},
    "large_start": BREAKDOWN | STEPS_ARE_WRONG | {"overfitting"},
    "learning_rate_too_high": BREAKDOWN,
    "learning_rate_too_low": {"underfitting", "one_answer"},
    "batch_too_small": {"vanishing_gradients", "learning_rate_too_high", "underfitting", "one_answer"},
    "label_noise": set(),
    "one_answer": set(),
    "not_finite": set(),
    "overfitting": set(),
    "underfitting": set(),
}


def named(code, severity):
    return lambda run: Finding(code, severity, (), (0, 0), 1.0, 0.5, "m", "It is.", "s", ("steps",))


@pytest.mark.parametrize("cause", FOLLOWS)
def test_what_follows_from_a_cause(monkeypatch, cause):
    """As if all were found, the cause mildly and the rest severely; whoever leads to something severe is severe."""
    others = [code for code in FOLLOWS if code != cause and not (code == "not_finite" and cause in MISLEADING)]
    monkeypatch.setattr(diagnosis, "CAUSES", [named(cause, WARNING), *(named(code, SEVERE) for code in others)])
    monkeypatch.setattr(diagnosis, "SYMPTOMS", [named(cause, SEVERE), named("half_dead", WARNING)])
    ill = edited(run(), validation_accuracy=np.full_like(run().validation_accuracy, 0.5))
    found = [(one.code, one.role, one.severity) for one in diagnosis._findings(ill)]
    follows = [code for code in others if code in FOLLOWS[cause]]
    rest = [*(code for code in others if code not in FOLLOWS[cause]), "half_dead"]
    if "not_finite" in (cause, *others):
        rest.sort(key=lambda code: code in MISLEADING)  # which never break a run
    assert found == [
        (cause, "cause", SEVERE if follows else WARNING),
        *((code, "consequence", SEVERE) for code in follows),
        *((code, "context", "info") for code in rest),
    ]


# Runs of which more than one detector finds something: the cause, what follows from it, and what only goes along.
RUNS = [
    ({"initializer": "zeros"}, ["symmetry"], ["vanishing_gradients", "underfitting"], []),
    ({"initializer": "constant"}, ["symmetry"], ["saturated_units", "underfitting"], []),
    ({"activation": "linear", "initializer": "zeros"}, ["symmetry"], ["underfitting", "vanishing_gradients"], []),
    ({"activation": "linear", "steps": 15}, ["underfitting"], [], ["learning_rate_too_low"]),
    ({"bias": 5.0, "learning_rate": 1e-6}, ["saturated_units"], ["underfitting"], ["learning_rate_too_low"]),
    ({"gain": 5.0, "l1": 0.1}, ["saturated_units"], ["underfitting"], ["over_regularized"]),
    ({"depth": 8, "dropout": 0.9}, ["dropout_too_high"], ["underfitting"], ["vanishing_gradients"]),
    (
        {"depth": 8, "initializer": "small_normal", "steps": 15},
        ["vanishing_gradients"],
        ["underfitting", "learning_rate_too_low"],
        [],
    ),
    (
        {"depth": 8, "initializer": "small_normal"},
        ["vanishing_gradients"],
        ["learning_rate_too_low", "underfitting"],
        [],
    ),
    ({"steps": 15}, ["underfitting"], [], ["learning_rate_too_low"]),
    (
        {"depth": 4, "activation": "relu", "gain": 10.0},
        ["exploding_gradients"],
        ["learning_rate_too_high", "not_finite", "dead_units", "underfitting"],
        [],
    ),
    ({"l2": 2.0}, ["over_regularized"], ["learning_rate_too_high", "underfitting"], []),
    ({"learning_rate": 10.0, "clip": "norm"}, ["learning_rate_too_high"], ["underfitting", "saturated_units"], []),
    ({"initializer": "small_normal"}, ["learning_rate_too_low"], ["underfitting"], ["vanishing_gradients"]),
    ({"initializer": "small_normal", "steps": 200}, ["vanishing_gradients"], ["underfitting"], []),
]


@pytest.mark.parametrize(("settings", "cause", "follows", "context"), RUNS)
def test_of_all_that_is_found_in_a_run_one_is_the_cause(settings, cause, follows, context):
    found = diagnose(run(**settings))
    roles = {role: [one.code for one in found if one.role == role] for role in ("cause", "consequence", "context")}
    assert roles == {"cause": cause, "consequence": follows, "context": context}


def test_a_run_that_does_well_has_no_other_cause_than_equal_units_or_overfitting():
    """Saturated all the time, and right all the same: healthy, unless its units are all one."""
    well = {"validation_accuracy": np.ones_like(run().validation_accuracy)}
    history = replace(run(), **well, saturated_fraction=np.ones_like(run().saturated_fraction))
    assert finding(signal_detectors.saturated_units, history)
    assert diagnose(history) == ()
    (alone,) = diagnose(replace(run(initializer="constant"), **well))
    assert (alone.code, alone.severity) == ("symmetry", WARNING)


def does_well(made, strength, right=1.0):
    """What was made for this strength, with so many right answers on new data."""
    history = made(strength).history
    return replace(history, validation_accuracy=np.full_like(history.validation_accuracy, right))


@pytest.mark.parametrize(
    ("history", "code"),
    [
        (lambda: does_well(first_signal, 9e-4), "vanishing_gradients"),
        (lambda: does_well(first_signal, 101), "exploding_gradients"),
        (lambda: does_well(first_signal, 0.5), None),
        (lambda: does_well(first_signal, 9e-4, right=0.5), None),  # not overcome: a finding
        (lambda: does_well(first_signal, 101, right=0.5), None),
    ],
)
def test_what_a_network_that_does_well_has_overcome(history, code):
    found = diagnosis.overcome(history())
    assert (found and found.code) == code
    assert bool(diagnose(history())) == (history().validation_accuracy[-1] < 1)


def test_data_that_were_handed_in_say_what_was_possible_and_only_they():
    """Linear layers are far behind the neighbours on circles; who does not know the data cannot know."""
    circles = load_dataset(Experiment(dataset="circles", n_train=300))
    data = circles.train_inputs, circles.train_targets[:, 0].astype(int)
    own = {"dataset": "custom", "data_digest": data_digest(*data), "n_train": 180}
    history = train(replace(run().experiment, activation="linear", **own), data=data)
    for _ in range(2):  # an answer without the data is kept, and not taken for one with them
        known, unknown = diagnose(history, data), diagnose(history)
        assert known[0].metric == rules.LINEAR_NETWORK.metric
        assert rules.LINEAR_NETWORK.metric not in [found.metric for found in unknown]
    assert diagnose(history) is unknown


def test_what_is_said_of_dead_and_saturated_layers():
    assert signal_detectors.half_dead(dead(1.0)).explanation.endswith("no gradient. Nothing gets through this layer.")
    assert signal_detectors.half_dead(dead(0.9)).explanation.endswith("they get no gradient.")
    assert signal_detectors.born_dead(dead(1.0)).measured == 1
    for activation, expected in (("sigmoid", True), ("tanh", True), ("relu", False)):
        found = signal_detectors.saturated_units(set_to(saturated, 0.6, activation=activation))
        assert (found is not None) is expected, activation
