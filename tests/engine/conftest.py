"""Shared by the engine's tests: the contract's assertions explain themselves as a test's own do."""

import pytest

pytest.register_assert_rewrite("tests.engine.contract")
