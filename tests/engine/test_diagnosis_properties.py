"""Whatever run the engine can produce, the doctor examines it without a warning, and what it says is well formed."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import SETTINGS, Experiment, Finding, OutOfRange, RunHistory, Training, data_digest, diagnose, train
from engine.doctor import rules
from engine.doctor.findings import SEVERITIES
from engine.doctor.rule import Rule
from tests.engine.test_properties import EXAMPLES, EXTREMES, values

CODES = {rule.code for rule in vars(rules).values() if isinstance(rule, Rule)}
REMEDIES = {
    "activation", "initializer", "gain", "bias", "clip", "learning_rate_up", "learning_rate_down", "optimizer",
    "normalization", "residual", "l1", "l2", "dropout", "patience", "n_train", "wider", "deeper", "shallower", "steps",
    "target_scale", "inputs", "class_weights", "label_noise", "batch_size",
    "shuffle", "leakage", "validation_shift", "validation_labels", "output",
}  # fmt: skip


def examined(history: RunHistory, data=None) -> tuple[Finding, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        findings = diagnose(history, data)
    assert_well_formed(history, findings)
    return findings


def assert_well_formed(history, findings):
    codes = [finding.code for finding in findings]
    assert len(set(codes)) == len(codes)
    assert set(codes) <= CODES
    roles = [finding.role for finding in findings]
    assert roles == sorted(roles, key=["cause", "consequence", "context"].index)
    assert roles.count("cause") == min(1, len(roles))
    last = max([*history.evaluation_step.tolist(), *history.step.tolist(), (history.diverged_at or [0])[0]])
    if findings:
        assert findings[0].severity == max((finding.severity for finding in findings), key=SEVERITIES.index)
    for finding in findings:
        assert finding.role != "cause" or finding.severity != "info"
        assert all(0 <= layer < history.layers for layer in finding.layers)
        assert 0 <= finding.steps[0] <= finding.steps[1] <= last
        assert not math.isnan(finding.measured)
        assert not math.isnan(finding.threshold)
        assert finding.explanation.endswith(".")
        assert "nan" not in finding.explanation
        assert "not defined" not in finding.explanation
        assert finding.metric
        assert finding.source
        assert finding.remedies
        assert set(finding.remedies) <= REMEDIES
        assert finding.code not in finding.mistaken_for
        assert set(finding.mistaken_for) <= CODES
        if finding.confirm:
            assert finding.confirm.experiment(history.experiment) != history.experiment
            assert finding.confirm.shows.endswith(".")
    hash(findings)


@settings(EXAMPLES, max_examples=150)
@given(
    st.fixed_dictionaries({name: values(setting) for name, setting in SETTINGS.items()}),
    st.sampled_from([0, 1, 7, 2000]),
    st.sampled_from([3, 60]),
    st.sampled_from([0, 3, 20_000]),
)
def test_any_run_can_be_examined(legal, max_updates, max_frames, advanced):
    try:
        training = Training(Experiment(**legal), None, max_updates, max_frames)
    except OutOfRange:
        return
    examined(training.advance(advanced).history())


@settings(EXAMPLES, max_examples=60)
@given(st.sets(st.sampled_from(sorted(EXTREMES)), min_size=1, max_size=8))
def test_extremes_can_be_examined(names):
    try:
        experiment = Experiment(
            **({"steps": 20, "n_train": 30, "loss": "mse"} | {name: EXTREMES[name] for name in names})
        )
        history = train(experiment)
    except OutOfRange:
        return
    examined(history)


@pytest.mark.parametrize("classes", [True, False])
def test_custom_data_are_examined_with_and_without_them(classes):
    draw = np.random.default_rng(3)
    inputs = draw.standard_normal((60, 3))
    targets = (inputs[:, 0] > 0).astype(int) if classes else inputs[:, 0] + 7.0
    experiment = Experiment(
        dataset="custom", data_digest=data_digest(inputs, targets), n_train=30, learning_rate=1e-6, steps=30
    )
    history = train(experiment, (inputs, targets))
    with_data = examined(history, (inputs, targets))
    assert with_data[0].code == diagnose(history)[0].code == "learning_rate_too_low"
    assert diagnose(history) is diagnose(history), "worked out once"
    assert diagnose(history, (inputs, targets)) == with_data, "and not where data are handed in"


@pytest.mark.parametrize("targets", [np.zeros(60), np.r_[np.ones(1, int), np.zeros(59, int)]])
@pytest.mark.parametrize("initializer", ["zeros", "he_normal"])
def test_data_with_nothing_to_learn_are_examined(targets, initializer):
    """All targets are equal, or all but one, so that the best constant answer makes no error on validation data."""
    inputs = np.random.default_rng(3).standard_normal((60, 2))
    settings = {"data_digest": data_digest(inputs, targets), "n_train": 30, "steps": 20, "initializer": initializer}
    experiment = Experiment(dataset="custom", **settings)
    history = train(experiment, (inputs, targets))
    examined(history)
    examined(history, (inputs, targets))
