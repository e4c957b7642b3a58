"""Backprop Clinic's engine: NumPy networks that record why they do, or do not, train."""

import numpy as np

from engine import network
from engine.batches import batch_indices, dropout_masks
from engine.cures.trials import Trial, prescribe
from engine.data.custom import data_digest
from engine.data.loading import Dataset, load_dataset
from engine.doctor.diagnosis import diagnose
from engine.doctor.findings import Finding
from engine.experiment import SETTINGS, Experiment
from engine.history import RunHistory
from engine.network import Parameters
from engine.settings import OutOfRange
from engine.training import Training, initialize, train, train_many

# A number that overflows is a finding, not a warning.  Training ignores it once for many steps.
_quiet = np.errstate(all="ignore")
forward, backward = _quiet(network.forward), _quiet(network.backward)

__all__ = [
    "SETTINGS",
    "Dataset",
    "Experiment",
    "Finding",
    "OutOfRange",
    "Parameters",
    "RunHistory",
    "Training",
    "Trial",
    "backward",
    "batch_indices",
    "data_digest",
    "diagnose",
    "dropout_masks",
    "forward",
    "initialize",
    "load_dataset",
    "prescribe",
    "train",
    "train_many",
]
