"""Backprop Clinic's engine: NumPy networks that record why they do, or do not, train."""

from engine.datasets import Dataset, data_digest, load_dataset
from engine.experiment import SETTINGS, Experiment
from engine.history import RunHistory
from engine.network import Parameters, backward, forward
from engine.remedies import dropout_masks
from engine.settings import OutOfRange
from engine.training import Training, batch_indices, initialize, train, train_many

__all__ = [
    "SETTINGS",
    "Dataset",
    "Experiment",
    "OutOfRange",
    "Parameters",
    "RunHistory",
    "Training",
    "backward",
    "batch_indices",
    "data_digest",
    "dropout_masks",
    "forward",
    "initialize",
    "load_dataset",
    "train",
    "train_many",
]
