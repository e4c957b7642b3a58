"""The same updates by scikit-learn's MLPClassifier, which records nothing and evaluates nothing."""

import warnings

from problem import Problem
from sklearn.neural_network import MLPClassifier


def train(problem: Problem) -> None:
    """One call of partial_fit a batch: one update each.  Weights are its own draw."""
    experiment = problem.experiment
    model = MLPClassifier(
        [experiment.width] * experiment.depth, activation="relu", solver="sgd", momentum=0, alpha=0,
        learning_rate_init=experiment.learning_rate, batch_size=experiment.batch_size, shuffle=False, random_state=0,
    )  # fmt: skip
    inputs, targets = problem.sets["train"]
    targets = targets[:, 0].astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a batch without one of the classes, a short last batch
        for chosen in problem.batches():
            model.partial_fit(inputs[chosen], targets[chosen], classes=(0, 1))
