"""What a network has to be better than: the same answer for every example; and what a method without layers does."""

import math
from functools import lru_cache

import numpy as np

from engine.data.loading import Dataset, load_dataset
from engine.experiment import Experiment
from engine.losses import HUBER_DELTA, LOSSES, chosen_loss, chosen_output

Array = np.ndarray

CENTRES = 150  # of the kernel, which bound the time: about 15 ms a data set
LENGTHS = 0.3, 1.0, 3.0  # of the kernel, in median distances of the centres: from one neighbourhood to nearly a line
RIDGES = tuple(10.0**power for power in range(-7, 1))  # penalty, an example
JITTER = 1e-8  # on the kernel's diagonal, so that rounding does not make it singular
ROUNDING = 1e-10  # squared distance of standardised rows that may be equal
NEIGHBOURS = 1, 5, 15  # sizes of the vote; few for clean data, many for noisy ones
MOST_QUERIES = 300  # validation examples whose neighbours are looked for, which bounds time and memory
HALVINGS = 60  # of the range of the targets: more than a float's digits
AVERAGE = "always the average"  # what that answer is called, in legends and sentences


def uninformed_loss(dataset: Dataset, loss: str, output: str = "auto", balanced: bool = False) -> float:
    """Loss on the training set of the best constant answer, which a network that learned anything gets below.

    cross_entropy: the entropy of the class shares, −Σ s ln s, in nats.  mse: the variance of the targets, mean over the
    outputs; for classes of their indicators, Σ s (1 − s)/C, or s (1 − s) of two classes with their one output.
    mae: of the medians; where softmax's answers must add up to 1, 2 (1 − max s)/C, of the most frequent class.
    Several sigmoid outputs answer each for itself.  An answer counts that the output cannot reach, too.
    loss and output as in an Experiment, "auto" included; balanced: as if all classes that occur were equally frequent.
    Raises ValueError for the cross-entropy of regression.
    """
    targets = dataset.target_rows("train")
    if balanced and dataset.task != "regression":
        targets = np.unique(targets, axis=0)
    name = chosen_loss(loss, dataset.task, output)
    softmax = chosen_output(output, dataset.task) == "softmax"
    if name != "cross_entropy":
        return constant_loss(targets, name, softmax)
    if dataset.task == "regression":
        raise ValueError("Cross-entropy is of probabilities: the task must be one of classes.")
    shares = targets.mean(axis=0)
    if not softmax:
        shares = np.append(shares, 1 - shares)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def constant_loss(targets: np.ndarray, loss: str, softmax: bool = False) -> float:
    """Loss of the best constant answer to targets in rows, (n, n_out): "mse", "mae" or "huber"."""
    if loss == "mse":
        return float(targets.var(axis=0).mean())
    if loss == "mae":
        shares = targets.mean(axis=0)
        best = np.eye(len(shares))[shares.argmax()] if softmax else np.median(targets, axis=0)
    else:
        low, high = targets.min(axis=0), targets.max(axis=0)
        for _ in range(HALVINGS):
            best = (low + high) / 2
            above = np.clip(best - targets, -HUBER_DELTA, HUBER_DELTA).sum(axis=0) > 0
            low, high = np.where(above, low, best), np.where(above, best, high)
    return float(LOSSES[loss].value(np.broadcast_to(best, targets.shape)[None], targets[None], "linear")[0])


@lru_cache(maxsize=256)
def average_loss(experiment: Experiment) -> float:
    """Training loss of the best constant answer, in the unit of the experiment's loss.

    For classes the answer is their shares in the training set, for regression the targets' mean.  NaN for data that
    were handed in, which neither an experiment nor a history holds.
    """
    if experiment.dataset == "custom":
        return math.nan
    return uninformed_loss(load_dataset(experiment), experiment.loss, experiment.output)


def kernel_ridge(dataset: Dataset) -> Array:
    """Answers for the validation inputs of ridge regression with a Gaussian kernel, (n, n_out): no training, no luck.

    f(x) = Σ_i a_i k(x, c_i) + mean, k(x, c) = exp(−‖x − c‖²/2ℓ²), on inputs that are standardised column by column.
    Length ℓ and penalty are those of the lowest generalised cross-validation, (RSS/n)/(1 − df/n)², which takes training
    data alone (Golub, Heath & Wahba 1979); at most CENTRES training examples are centres (Nyström: Williams & Seeger
    2000).
    """
    train, validation = _standardised(dataset.train_inputs, dataset.validation_inputs)
    targets = dataset.target_rows("train")
    mean, n = targets.mean(axis=0), len(train)
    centres = train[np.linspace(0, n - 1, min(n, CENTRES)).round().astype(int)]
    apart = _squared_distances(centres, centres)
    typical = _median_above(0, apart)
    if typical < ROUNDING:  # most rows are equal
        typical = _median_above(ROUNDING, apart)
    best, answers = np.inf, np.broadcast_to(mean, (len(validation), len(mean)))
    for length in LENGTHS:
        scale = -0.5 / (length * length * typical)
        root = np.linalg.cholesky(np.exp(scale * apart) + JITTER * np.eye(len(centres)))
        features, new = (
            np.linalg.solve(root, np.exp(scale * _squared_distances(centres, inputs))).T
            for inputs in (train, validation)
        )
        sizes, directions = np.linalg.eigh(features.T @ features)
        rotated = features @ directions
        projected = rotated.T @ (targets - mean)
        for ridge in RIDGES:
            kept = sizes / (sizes + n * ridge)
            weights = projected / (sizes + n * ridge)[:, None]
            left = ((targets - mean - rotated @ weights) ** 2).mean()
            score = left / (1 - min(kept.sum() / n, 0.99)) ** 2
            if score < best:
                best, answers = score, mean + new @ directions @ weights
    return answers


def nearest_neighbours(dataset: Dataset, loss: str, balanced: bool = False) -> Array:
    """Errors of the mean of the k nearest training examples' targets, of the k of a few that makes fewest."""
    zero, one = dataset.units
    train, validation = ((inputs - zero) / one for inputs in (dataset.train_inputs, dataset.validation_inputs))
    validation = validation[:MOST_QUERIES]
    targets, answers = dataset.target_rows("train"), dataset.target_rows("validation")[:MOST_QUERIES]
    distance = (train * train).sum(axis=1) - 2 * validation @ train.T
    most = min(max(NEIGHBOURS), len(train))
    nearest = np.argpartition(distance, most - 1, axis=1)[:, :most]
    order = np.take_along_axis(distance, nearest, axis=1).argsort(axis=1)
    nearest = np.take_along_axis(nearest, order, axis=1)
    shares = [targets[nearest[:, :k]].mean(axis=1) for k in NEIGHBOURS]
    return min((reference_errors(dataset, given, answers, loss, balanced) for given in shares), key=np.mean)


def straight_line(dataset: Dataset, rank: int, loss: str, balanced: bool = False) -> float:
    """Validation error of the least squares line whose answers are made of `rank` numbers: reduced-rank regression."""
    train, validation = (
        np.column_stack([inputs, np.ones(len(inputs))]) for inputs in (dataset.train_inputs, dataset.validation_inputs)
    )
    targets = dataset.target_rows("train")
    weights = np.linalg.lstsq(train, targets)[0]
    mean = targets.mean(axis=0)
    directions = np.linalg.svd(train @ weights - mean, full_matrices=False)[2][:rank]
    given = mean + (validation @ weights - mean) @ directions.T @ directions
    return float(reference_errors(dataset, given, dataset.target_rows("validation"), loss, balanced).mean())


def reference_errors(dataset: Dataset, given: Array, answers: Array, loss: str, balanced: bool) -> Array:
    """`errors` of a method that gives each class's share of the votes.

    balanced: the class whose share is largest over that in training is its answer, so that rare ones are named too.
    """
    if balanced and dataset.task != "regression":
        shares = dataset.target_rows("train").mean(axis=0)
        given = given + 0.5 - shares if dataset.task == "binary" else given / np.where(shares > 0, shares, np.inf)
    return errors(dataset, given, answers, loss, balanced)


def errors(dataset: Dataset, given: Array, answers: Array, loss: str, balanced: bool = False) -> Array:
    """Of each example 1 for a wrong answer and 0 for a right one, or its loss in a regression; answers in rows.

    balanced: a wrong answer counts n/(C n_c), where n_c of n examples are of its class: all C classes count alike.
    """
    if dataset.task == "regression":
        return LOSSES[loss].value(given[:, None], answers[:, None], "linear")
    if dataset.task == "binary":
        wrong, labels = ((given > 0.5) != (answers > 0.5)).mean(axis=1), answers[:, 0].astype(int)
    else:
        labels = answers.argmax(axis=1)
        wrong = (given.argmax(axis=1) != labels).astype(float)
    if not balanced:
        return wrong
    counts = np.bincount(labels)
    return wrong * len(labels) / ((counts > 0).sum() * counts[labels])


def _standardised(train: Array, validation: Array) -> tuple[Array, Array]:
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1)
    return (train - mean) / deviation, (validation - mean) / deviation


def _median_above(least: float, values: Array) -> float:
    """Median of the values above the least, 1 where there are none."""
    above = values[values > least]
    return float(np.median(above)) if len(above) else 1.0


def _squared_distances(rows: Array, others: Array) -> Array:
    squares = (rows * rows).sum(axis=1)[:, None] + (others * others).sum(axis=1)
    return np.maximum(squares - 2 * rows @ others.T, 0)
