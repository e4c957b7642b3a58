"""Each detector of steps: a run that must raise it, a near miss that must not, and its number counted another way."""

from dataclasses import replace

import numpy as np
import pytest

from engine import diagnose, load_dataset, train
from engine.doctor import signal_detectors, step_detectors
from engine.doctor.examination import Examination
from engine.formatting import PERCENT, number
from tests.engine.examined_runs import PARROT, SMALL, edited, examined, finding, run


@pytest.mark.parametrize(("steps", "expected"), [(19, True), (20, False)])
def test_a_run_of_few_steps_has_hardly_begun(steps, expected):
    history = run(steps=steps, learning_rate=3.0)
    found = finding(step_detectors.too_few_steps, history)
    assert (found is not None) is expected
    if expected:
        assert (found.code, found.measured, found.remedies) == ("underfitting", steps, ("steps",))
        assert found.explanation.startswith(f"It was trained for only {steps} steps and")
        assert diagnose(history)[0] == found
        assert step_detectors.too_few_steps(edited(history, status="diverged")) is None


def test_a_run_that_stopped_by_itself_was_not_cut_short():
    assert finding(step_detectors.too_few_steps, run(**PARROT | {"patience": 2})) is None


def test_a_network_that_was_not_moved_has_its_steps_to_blame_unless_its_gradients_exploded_by_far():
    loud = {"depth": 6, "width": 32, "activation": "relu", "initializer": "he_normal"}
    clipped = {"clip": "norm", "clip_threshold": 1e-6}
    causes = {gain: diagnose(run(**loud, **clipped, gain=gain))[0] for gain in (2.0, 4.0)}
    assert 10 < signal_detectors.starting_ratios(examined(run(**loud, gain=2.0)))[0] < 100
    assert [found.code for found in causes.values()] == ["learning_rate_too_low", "exploding_gradients"]
    assert diagnose(run(**loud, gain=2.0))[0].code == "exploding_gradients"


def test_a_learning_rate_is_too_high_where_a_step_throws_the_weights_about():
    history = run(learning_rate=10.0, steps=100)
    found = diagnose(history)[0]
    early = history.evaluation_step[:10].max()  # a tenth of 101 evaluations
    moved = [
        [update / weight for update, weight in zip(updates, weights, strict=True) if update > 0]
        for updates, weights in zip(history.update_norm[: early + 1].T, history.weight_norm[: early + 1].T, strict=True)
    ]
    assert found.code == "learning_rate_too_high"
    assert found.measured == pytest.approx(max(np.percentile(ratios, 90) for ratios in moved), rel=1e-12)
    assert finding(step_detectors.learning_rate_too_high, run(learning_rate=0.1)) is None


@pytest.mark.parametrize(("scale", "said"), [(1.9, False), (3.0, True), (4.5, False)])  # beyond 4, a cause itself
def test_inputs_that_lengthen_steps_are_named_beside_them(scale, said):
    history = run(learning_rate=10.0, steps=100, input_scale=scale)
    found = finding(step_detectors.learning_rate_too_high, history)
    assert ("as with inputs of size 1" in found.explanation) is said
    assert (found.remedies[0] == "inputs") is said
    size = np.sqrt((load_dataset(history.experiment).train_inputs ** 2).mean())
    assert (f"about {number(size**2)} times as much" in found.explanation) is said


def test_a_loss_that_jumps_tells_of_a_learning_rate_even_without_recorded_updates():
    history = train(replace(SMALL, learning_rate=100.0), max_updates=0)
    found = finding(step_detectors.learning_rate_too_high, history)
    assert found.metric == "highest training loss over the first"
    uninformed = np.log(2)
    assert found.measured == pytest.approx(history.train_loss.max() / max(history.train_loss[0], uninformed), rel=0.01)


@pytest.mark.parametrize(("dip", "expected"), [(0.41, True), (0.39, False)])
def test_steps_are_too_long_where_the_loss_goes_up_and_down_and_stays_up(dip, expected):
    """Five times down and up again: more than twice the constant answer's loss, or less."""
    history = run(steps=100)
    loss = np.full(101, examined(history).uninformed)
    loss[10:60:10] *= 1 - dip
    found = step_detectors.learning_rate_too_high(edited(history, train_loss=loss))
    assert (found is not None) is expected
    if found:
        assert (found.measured, found.threshold) == pytest.approx((5 * dip, 2))
        assert f"{number(5 * dip)} times what always giving the average answer costs" in found.explanation
        learnt = np.where(np.arange(101) > 90, 0.01, loss)
        batches = replace(history.experiment, normalization="batch")  # whose evaluations at the start tell little
        for calm in ({"train_loss": learnt}, {"train_loss": loss, "experiment": batches}):
            assert step_detectors.learning_rate_too_high(edited(history, **calm)) is None


@pytest.mark.parametrize(("times", "expected"), [(5.1, True), (4.9, False)])
def test_a_jump_is_to_five_times_the_loss_at_the_start(times, expected):
    losses = np.linspace(1.0, 0.1, len(run().train_loss))
    losses[3] = times
    assert (step_detectors.learning_rate_too_high(edited(run(), train_loss=losses)) is not None) is expected


@pytest.mark.parametrize(("rises", "expected"), [(0.2, True), (0.05, False)])
def test_long_steps_are_too_long_where_the_loss_goes_up_and_down(rises, expected):
    history = run()
    losses = np.linspace(1.0, 0.0, len(history.train_loss))
    losses[20] = losses[19] + rises
    found = step_detectors.learning_rate_too_high(
        edited(history, train_loss=losses, update_norm=0.2 * history.weight_norm)
    )
    assert (found is not None) is expected
    if expected:
        assert found.measured == pytest.approx(0.2)


def test_weights_that_were_thrown_far_away_for_nothing_tell_of_a_learning_rate():
    history = run()
    weights = tuple(np.stack([frames[0], 7 * frames[0]]) for frames in history.weights)
    lost = {"weights": weights, "train_loss": np.full_like(history.train_loss, 0.7)}
    assert step_detectors.learning_rate_too_high(edited(history, **lost)).measured == pytest.approx(6.0)
    assert (
        step_detectors.learning_rate_too_high(edited(history, weights=weights, train_loss=history.train_loss * 0.5))
        is None
    )


def test_a_learning_rate_is_too_low_where_the_network_gets_nowhere():
    history = run(learning_rate=1e-4)
    found = diagnose(history)[0]
    start, end = (np.concatenate([frames[i].ravel() for frames in history.weights]) for i in (0, -1))
    assert (found.code, found.layers, found.steps) == ("learning_rate_too_low", (0, 1, 2), (0, 60))
    assert found.measured == pytest.approx(np.linalg.norm(end - start) / np.linalg.norm(start), rel=1e-12)
    assert "learning_rate_up" in found.remedies
    assert finding(step_detectors.learning_rate_too_low, run(learning_rate=0.3)) is None


@pytest.mark.parametrize(("wrong", "expected"), [(0.11, True), (0.09, False)])
def test_a_network_that_fits_its_training_data_does_not_need_longer_steps(wrong, expected):
    history = run(learning_rate=1e-4)
    targets = load_dataset(history.experiment).validation_targets
    right = np.full_like(history.train_accuracy, 1 - wrong * min(targets.mean(), 1 - targets.mean()))
    assert (step_detectors.learning_rate_too_low(edited(history, train_accuracy=right)) is not None) is expected


def test_clipping_can_make_steps_too_short_and_is_then_the_first_remedy():
    found = diagnose(run(clip="norm", clip_threshold=1e-4))[0]
    assert (found.code, found.remedies[0]) == ("learning_rate_too_low", "clip")


def test_a_network_that_has_arrived_does_not_need_longer_steps():
    history = run(activation="linear", steps=300, seed=3)
    found = diagnose(history)
    assert [one.code for one in found] == ["underfitting"]


def test_not_finite_names_the_first_tensor():
    history = run(learning_rate=1000.0, activation="relu", loss="mse", dataset="sine", steps=200)
    found = finding(step_detectors.not_finite, history)
    step, layer, tensor = history.diverged_at
    assert found.steps == (step, step)
    assert found.layers == (() if layer is None else (layer,))
    assert f"At step {step} the {tensor}" in found.explanation
    assert diagnose(history)[0].code == "learning_rate_too_high"
    assert found.code in [one.code for one in diagnose(history) if one.role == "consequence"]


@pytest.mark.parametrize(
    ("diverged_at", "said"),
    [
        ((7, 1, "weights"), "At step 7 the weights of layer 2 are no longer finite, and training ends."),
        (
            (7, 2, "error signal"),
            "At step 7 the error signal of the output layer is no longer finite, and training ends.",
        ),
        ((7, None, "loss"), "At step 7 the loss is no longer finite, and training ends."),
    ],
)
def test_what_was_not_finite_is_said_in_a_sentence(diverged_at, said):
    found = step_detectors.not_finite(edited(run(), status="diverged", diverged_at=diverged_at))
    layers = () if diverged_at[1] is None else (diverged_at[1],)
    assert (found.explanation, found.layers, found.steps) == (said, layers, (7, 7))
    assert (found.severity, found.measured) == ("severe", np.inf)


@pytest.mark.parametrize(("ratio", "said"), [(0.5, f"by 50{PERCENT} or more"), (3.0, "by 3 times their size or more")])
def test_how_far_a_step_goes_is_said_in_words_that_fit(ratio, said):
    history = run()
    losses = np.linspace(1.0, 0.0, len(history.train_loss))
    losses[20] = losses[19] + 0.2
    long = edited(history, train_loss=losses, update_norm=ratio * history.weight_norm)
    assert said in step_detectors.learning_rate_too_high(long).explanation


@pytest.mark.parametrize(("times", "expected"), [(1100, True), (900, False)])
def test_a_loss_that_grew_a_thousandfold_counts_as_not_finite(times, expected):
    history = run()
    losses = history.train_loss.copy()
    losses[7] = times * max(losses[0], Examination(history).uninformed)
    assert (step_detectors.not_finite(edited(history, train_loss=losses)) is not None) is expected
