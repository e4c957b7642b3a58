"""Detectors of the data: in which order and size they come, whether validation is what it seems, rare classes, labels.

One small function each, which reads like its definition: whether a rule applies to a run, and what was measured.  See
rules.py, explanations.py for the sentences, and thresholds.py for sources.
"""

from dataclasses import replace

import numpy as np

from engine.batches import batch_indices
from engine.data.loading import OFF_CENTRE, standardising
from engine.doctor import explanations, rules
from engine.doctor.examination import Examination, root_mean_square
from engine.doctor.findings import Confirmation, Finding
from engine.doctor.thresholds import (
    BY_CHANCE,
    FEW_IN_BATCH,
    LARGE_IF_LEARNT,
    LARGE_INPUTS,
    LARGE_TARGETS,
    LEAKS,
    LEARNT_NOTHING,
    MISSED,
    NOISY_RISES,
    RARE,
    RENAMED,
    SHIFTED,
    SMALL_INPUTS,
    SMALL_TARGETS,
    SORTED,
    SURELY,
    TWICE,
    UNDERFITS,
    UNEQUAL_INPUTS,
    UNREACHED,
)
from engine.losses import chosen_output

Array = np.ndarray

RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, np.inf), "linear": (-np.inf, np.inf)}


def unshuffled(run: Examination) -> Finding | None:
    """Batches of an epoch differ in their targets by far more than chance: they come sorted."""
    e = run.experiment
    batch = e.examples_per_update
    if run.dataset is None or e.shuffle or batch == e.n_train:
        return None
    targets = run.dataset.target_rows("train")
    batches = [targets[batch_indices(e, step, run.data)] for step in range(e.n_train // batch)]
    between = np.mean([(rows.mean(axis=0) - targets.mean(axis=0)) ** 2 for rows in batches])
    spread = float(between * batch / targets.var(axis=0).mean())
    if not spread > SORTED:
        return None
    text = explanations.unshuffled(batch, spread)
    return rules.UNSHUFFLED.finding(spread, (), run.steps(), text, severe=run.loss_share > UNDERFITS)


def leakage(run: Examination) -> Finding | None:
    """Validation examples that are in the training set, surely more of them than of the test examples are.

    A few twins that a table has of its own come into either by chance.
    """
    if run.dataset is None:
        return None
    known = {row.tobytes() for row in run.dataset.train_inputs}
    shares = [
        float(np.mean([row.tobytes() in known for row in rows]))
        for rows in (run.dataset.validation_inputs, run.dataset.test_inputs)
    ]
    leaked = shares[0] - shares[1]
    sizes = [len(rows) for rows in (run.dataset.validation_inputs, run.dataset.test_inputs)]
    of_both = float(np.average(shares, weights=sizes))
    by_chance = (of_both * (1 - of_both) * (1 / sizes[0] + 1 / sizes[1])) ** 0.5
    if not (leaked > LEAKS and leaked > BY_CHANCE * by_chance):
        return None
    return rules.LEAKAGE.finding(leaked, (), run.steps(), explanations.leakage(*shares), severe=leaked > 10 * LEAKS)


def validation_shift(run: Examination) -> Finding | None:
    """Validation inputs lie elsewhere than those of training, and those of the test do not."""
    data = run.dataset
    if data is None:
        return None
    mean, deviation = data.train_inputs.mean(axis=0), data.train_inputs.std(axis=0)
    varies = deviation > 0
    if not varies.any():
        return None
    moved = [
        float(np.median(np.abs(rows.mean(axis=0) - mean)[varies] / deviation[varies]))
        for rows in (data.validation_inputs, data.test_inputs)
    ]
    by_chance = (1 / len(data.train_inputs) + 1 / len(data.validation_inputs)) ** 0.5
    if not (moved[0] > max(SHIFTED, SURELY * by_chance) and moved[0] > TWICE * moved[1]):
        return None
    text = explanations.validation_shift(*moved)
    return rules.VALIDATION_SHIFT.finding(moved[0], (0,), run.steps(), text, severe=moved[0] > 2 * SHIFTED)


def label_mismatch(run: Examination) -> Finding | None:
    """New data are answered wrongly, but with another name for each class they would be answered rightly."""
    if not run.is_classification or run.diverged:
        return None
    confusion = run.confusion
    right, agreed = (float(n / confusion.sum()) for n in (np.trace(confusion), confusion.max(axis=1).sum()))
    renamed = confusion.argmax(axis=1)
    present = confusion.sum(axis=1) > 0
    if len(set(renamed[present])) < present.sum() or not agreed - right > RENAMED:
        return None
    if not run.history.train_accuracy[run.result] - right > RENAMED:
        return None
    text = explanations.label_mismatch(right, agreed)
    return rules.LABEL_MISMATCH.finding(agreed - right, (run.depth,), run.steps(slice(run.result, None)), text)


def unscaled_targets(run: Examination) -> Finding | None:
    """Targets of a regression that are far larger or smaller than a network's first outputs.

    Where half of what there is to learn was learnt, a size that others suffer from need not be the cause.
    """
    if run.dataset is None or run.is_classification:
        return None
    targets = run.dataset.train_targets
    size, spread = root_mean_square(targets), float(targets.std())
    learns = run.loss_share < UNDERFITS
    where = (run.depth,), (0, 0)
    if size > (LARGE_IF_LEARNT if learns else LARGE_TARGETS):
        found = rules.TARGETS_TOO_LARGE.finding(size, *where, explanations.large_targets(size), factor=1 / size)
    elif 0 < spread < SMALL_TARGETS and not learns:
        found = rules.TARGETS_TOO_SMALL.finding(spread, *where, explanations.small_targets(spread), factor=1 / spread)
    else:
        return None
    if size > OFF_CENTRE * spread > 0:  # a multiple of them would hardly differ from each other
        settings = tuple(standardising(run.experiment, targets).items())
        return replace(found, confirm=Confirmation("With standardised targets the loss falls.", settings))
    return found


def unscaled_inputs(run: Examination) -> Finding | None:
    """Inputs that are far larger, smaller, or less equal to each other than initializers take them to be."""
    if run.dataset is None or run.experiment.normalization == "batch":
        return None
    inputs = run.dataset.train_inputs
    each = np.sqrt((inputs * inputs).mean(axis=0))
    size, unequal = run.input_size, float(each.max() / np.median(each[each > 0])) if each.any() else 1.0
    if size > LARGE_INPUTS:
        return rules.INPUTS_TOO_LARGE.finding(size, (0,), (0, 0), explanations.large_inputs(size))
    if size < SMALL_INPUTS:
        return rules.INPUTS_TOO_SMALL.finding(size, (0,), (0, 0), explanations.small_inputs(size))
    if unequal > UNEQUAL_INPUTS:
        name = run.dataset.input_names[int(each.argmax())]
        return rules.INPUTS_UNEQUAL.finding(unequal, (0,), (0, 0), explanations.unequal_inputs(name, unequal))
    return None


def wrong_output(run: Examination) -> Finding | None:
    """Targets of a regression beyond what the output can take: a sigmoid says nothing below 0 or above 1."""
    if run.dataset is None or run.is_classification:
        return None
    output, targets = chosen_output(run.experiment.output, run.dataset.task), run.dataset.train_targets
    beyond = np.mean((targets - np.clip(targets, *RANGES[output])) ** 2, axis=0).mean()
    unreached = float(beyond / targets.var(axis=0).mean())
    if not UNREACHED < unreached < np.inf:
        return None
    text = explanations.wrong_output(output, float(targets.min()), float(targets.max()), unreached)
    return rules.WRONG_OUTPUT.finding(unreached, (run.depth,), (0, 0), text)


def dead_output(run: Examination) -> Finding | None:
    """A ReLU stands for a class and answers 0 for every example: nothing moves it any more."""
    if run.dataset is None or run.diverged or not run.is_classification or run.experiment.output != "relu":
        return None
    highest = run.answers(run.dataset.train_inputs).max(axis=0)
    dead = int((highest <= 0).sum())
    if not dead:
        return None
    text = explanations.dead_output(dead, len(highest))
    return rules.DEAD_OUTPUT.finding(dead / len(highest), (run.depth,), run.steps(slice(run.result, None)), text)


def one_answer(run: Examination) -> Finding | None:
    """A rare class is never named: nearly always the same answer, which is right for nearly all examples."""
    if not run.is_classification or run.diverged:
        return None
    confusion = run.confusion
    counts = confusion.sum(axis=1)
    shares, recall = counts / counts.sum(), np.diag(confusion) / counts
    if shares.max() < 1 - RARE:
        return None
    recalls = np.where((counts > 0) & (shares < RARE), recall, np.inf)
    rare = int(recalls.argmin())
    if not recalls[rare] < MISSED:
        return None
    text = explanations.one_answer(run, rare, float(shares[rare]), float(recall[rare]))
    return rules.ONE_ANSWER.finding(float(recall[rare]), (run.depth,), run.steps(slice(run.result, None)), text)


def label_noise(run: Examination) -> Finding | None:
    """Before it learns them by heart, a network is right more often on new data than on its own labels."""
    if not run.is_classification:
        return None
    history, n = run.history, run.experiment.n_train
    best = int(np.argmin(np.where(np.isfinite(history.validation_loss), history.validation_loss, np.inf)))
    train, validation = float(history.train_accuracy[best]), float(history.validation_accuracy[best])
    n_validation = history.confusion[0].sum()  # type: ignore[index]
    by_chance = np.sqrt(train * (1 - train) / n + validation * (1 - validation) / n_validation)
    excess = validation - train
    if not (best > 0 and excess > SURELY * by_chance):  # before the first step it has learnt nothing
        return None
    step = int(history.evaluation_step[best])
    text = explanations.label_noise(step, train, validation)
    return rules.LABEL_NOISE.finding(excess, (), (step, step), text, threshold=SURELY * float(by_chance))


def batch_too_small(run: Examination) -> Finding | None:
    """Batch normalisation over so few examples that their statistics are noise.

    Two examples become +1 and −1 in every unit, whatever they were: nothing but their order gets through.
    """
    e = run.experiment
    batch = e.examples_per_update
    if not run.normalises_batches or batch > FEW_IN_BATCH:
        return None
    text = explanations.small_batch(batch)
    return rules.SMALL_BATCH.finding(batch, range(run.depth), (0, 0), text, severe=run.loss_share > LEARNT_NOTHING)


def noisy_batches(run: Examination) -> Finding | None:
    """Steps by the gradient of so few examples that they undo each other: the training loss keeps rising again."""
    e = run.experiment
    batch = e.examples_per_update
    if run.normalises_batches or run.diverged or batch > FEW_IN_BATCH or not run.all_rises > NOISY_RISES:
        return None
    losses = run.history.batch_loss[len(run.history.batch_loss) // 2 :]
    if not len(losses):  # no update was recorded
        return None
    spread = float(losses.std() / losses.mean())
    if not rules.NOISY_BATCHES.threshold < spread < np.inf:
        return None
    text = explanations.noisy_batches(batch, spread, run.all_rises)
    return rules.NOISY_BATCHES.finding(spread, (), run.steps(), text, severe=run.loss_share > LEARNT_NOTHING)
