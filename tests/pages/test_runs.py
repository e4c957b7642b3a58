"""Runs as pages ask for them: trained once for all, dropped when nobody waits, and kept within bounds."""

import gc
import importlib.util
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import streamlit as st
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime import Runtime
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import RerunData
from streamlit.runtime.state import SafeSessionState, SessionState
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from engine.executors.backends import this_process
from engine.executors.scheduler import CoalescedRun, Run, Workers
from engine.executors.time_slices import TrainingArguments
from engine.experiment import Experiment
from engine.limits import MAX_BYTES, MAX_SECONDS
from engine.settings import OutOfRange
from engine.training import Branches, train
from pages.components.shell import runs
from pages.components.shell.runs import SharedRuns
from tests.patience import SOON, eventually
from tests.serving import free_port, started_server

QUICK = Experiment(depth=1, width=2, steps=5)
OTHER = Experiment(depth=1, width=2, steps=5, activation="tanh")
OVER_BUDGET = Experiment(depth=50, width=256, steps=20000)


class Patient:
    """Workers that never end a run by themselves."""

    closed = False
    notice = ""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def submit(self, experiment: Experiment, data: object = None, branches: Branches = ()) -> Run:
        if self.closed:
            raise CancelledError
        self.runs.append(Run(TrainingArguments((experiment,), branches=branches), True, object()))
        return self.runs[-1]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def patient() -> Patient:
    return Patient()


@pytest.fixture
def waiting(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> SharedRuns:
    """Shared runs that the test ends, or nobody."""
    shared = SharedRuns(patient)  # type: ignore[arg-type]
    monkeypatch.setattr(runs, "shared_runs", lambda: shared)
    monkeypatch.setattr(runs, "GRACE_SECONDS", 0.15)
    return shared


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedRuns]:
    """Shared runs that really train, in this process."""
    with Workers([this_process]) as workers:
        shared = SharedRuns(workers)
        monkeypatch.setattr(runs, "shared_runs", lambda: shared)
        yield shared


# --- one training for all ---


def test_all_who_ask_for_one_experiment_share_one_run(waiting: SharedRuns, patient: Patient) -> None:
    joined: list[Run] = []
    threads = [threading.Thread(target=lambda: joined.append(waiting.join(QUICK))) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(patient.runs) == 1
    assert set(joined) == set(patient.runs)
    waiting.join(OTHER)
    assert len(patient.runs) == 2


def test_an_ended_run_is_kept(waiting: SharedRuns, patient: Patient) -> None:
    run = waiting.join(QUICK)
    run.set_result(train(QUICK))
    waiting.leave(run)
    assert waiting.join(QUICK) is run
    assert waiting.nbytes == run.result().nbytes


def test_histories_are_kept_up_to_a_number_of_bytes(waiting: SharedRuns) -> None:
    experiments = [Experiment(depth=1, width=2, steps=5, seed=seed) for seed in range(4)]
    histories = [train(experiment) for experiment in experiments]
    waiting.limit = 2.5 * histories[0].nbytes
    unfinished = waiting.join(OTHER)
    for experiment, history in zip(experiments[:2], histories, strict=False):
        waiting.join(experiment).set_result(history)
    first = waiting.join(experiments[0])  # now the second is the one that was not asked for longest
    waiting.join(experiments[2]).set_result(histories[2])
    assert waiting.nbytes == histories[0].nbytes + histories[2].nbytes
    assert waiting.join(experiments[0]) is first
    assert not waiting.join(experiments[1]).done()
    assert waiting.join(OTHER) is unfinished
    waiting.limit = 1  # too little even for one: the newest stays
    waiting.join(experiments[3]).set_result(histories[3])
    assert waiting.nbytes == histories[3].nbytes


def test_the_patients_of_a_class_outlast_what_they_are_compared_with(waiting: SharedRuns, patient: Patient) -> None:
    patients = [Experiment(depth=1, width=2, steps=5, seed=seed) for seed in range(4)]
    history = train(QUICK)
    waiting.limit = 6.5 * history.nbytes
    others = iter(Experiment(depth=1, width=2, steps=5, gain=gain) for gain in range(2, 50))
    for _ in range(4):  # rounds of a class in which each has a patient, and changes the other network
        for experiment in patients:
            for run in (waiting.join(experiment, first=True), waiting.join(next(others))):
                if not run.done():
                    run.set_result(history)
    assert sorted(run.experiments[0].gain for run in patient.runs)[4:] == [
        *range(2, 18)
    ]  # no patient was trained twice
    assert waiting.nbytes <= waiting.limit
    for experiment in map(next, [others] * 8):  # of another class: what nobody asks for any more goes
        for _ in range(2):
            run = waiting.join(experiment, first=True)
            if not run.done():
                run.set_result(history)
    assert not any(waiting.join(experiment).done() for experiment in patients)


def test_what_is_asked_for_again_outlasts_what_is_asked_for_once(waiting: SharedRuns) -> None:
    history = train(QUICK)
    waiting.limit = 3.5 * history.nbytes
    others = (Experiment(depth=1, width=2, steps=5, gain=gain) for gain in range(2, 9))
    for run in (waiting.join(QUICK), waiting.join(OTHER), waiting.join(QUICK), *map(waiting.join, others)):
        if not run.done():
            run.set_result(history)
    assert waiting.join(QUICK).done()
    assert not waiting.join(OTHER).done()


def test_what_is_not_kept_is_gone_at_once(waiting: SharedRuns, patient: Patient) -> None:
    waiting.limit = 1
    together = CoalescedRun([waiting.join(QUICK), waiting.join(OTHER)])
    histories = [train(QUICK), train(OTHER)]
    gone, newest = map(weakref.ref, histories)
    patient.runs.clear()
    gc.disable()  # which seldom looks at what has lived so long
    try:
        together.end(None, tuple(histories))
        del histories, together
        assert gone() is None
        assert newest() is not None
    finally:
        gc.enable()


def test_a_failure_is_not_kept(waiting: SharedRuns, patient: Patient) -> None:
    waiting.join(QUICK).set_exception(MemoryError())
    assert len(waiting) == 0
    assert not waiting.join(QUICK).done()


def test_a_run_may_fail_before_anyone_looks(waiting: SharedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = Run(TrainingArguments((QUICK,)), True, object())
    failed.set_exception(MemoryError())
    monkeypatch.setattr(waiting.workers, "submit", lambda *_, **__: failed)
    assert waiting.join(QUICK) is failed
    waiting.leave(failed)
    assert len(waiting) == 0


def test_a_server_has_one_object_while_its_workers_live(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_shared", None)
    monkeypatch.setattr(runs, "Workers", lambda: patient)
    first = runs.shared_runs()
    assert runs.shared_runs() is first
    st.cache_resource.clear()
    assert runs.shared_runs() is first
    patient.closed = True
    assert runs.shared_runs() is not first


def test_a_module_that_is_loaded_anew_leaves_no_workers_behind(patient: Patient) -> None:
    spec = importlib.util.spec_from_file_location("runs_before_a_change", runs.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module)["Workers"] = lambda: patient
    shared_runs = module.shared_runs  # as another module, or a script that is still running, may hold it
    shared_runs()
    assert not patient.closed
    del sys.modules[spec.name], module
    gc.collect()
    assert patient.closed


def test_a_run_that_nobody_waits_for_is_dropped_but_not_at_once(waiting: SharedRuns, patient: Patient) -> None:
    first, second = waiting.join(QUICK), waiting.join(QUICK)
    waiting.leave(first)
    time.sleep(2 * runs.GRACE_SECONDS)
    assert not first.cancelled()
    waiting.leave(second)
    third = waiting.join(QUICK)
    time.sleep(2 * runs.GRACE_SECONDS)
    assert third is first
    assert not third.cancelled()
    waiting.leave(third)
    eventually(third.cancelled)
    assert len(waiting) == 0
    assert waiting.join(QUICK) is not third


# --- in a page ---

PAGE = """
import streamlit as st
from engine.experiment import Experiment
from engine.limits import MAX_BYTES, MAX_SECONDS
from engine.settings import OutOfRange
from pages.components.shell import runs

try:
    histories = runs.histories_of({experiments})
    st.write(" ".join(history.experiment.activation for history in histories))
except OutOfRange as error:
    st.error(str(error))
"""


def page(*experiments: Experiment) -> str:
    return PAGE.format(experiments=list(experiments))


def test_a_page_gets_its_histories_in_order(training: SharedRuns) -> None:
    test = AppTest.from_string(page(QUICK, OTHER, QUICK)).run(timeout=SOON)
    assert not test.exception
    assert test.markdown[0].value == "relu tanh relu"
    before = training.join(QUICK)
    assert test.run(timeout=SOON).markdown[0].value == "relu tanh relu"
    assert training.join(QUICK) is before


def test_an_experiment_over_budget_is_the_pages_to_show(training: SharedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "GRACE_SECONDS", 0)  # or else a fast machine may end the other run before
    long = Experiment(depth=8, steps=10_000)
    test = AppTest.from_string(page(long, OVER_BUDGET)).run(timeout=SOON)
    assert not test.exception
    with pytest.raises(OutOfRange) as caught:
        train(OVER_BUDGET, max_seconds=MAX_SECONDS, max_bytes=MAX_BYTES)
    assert test.error[0].value == str(caught.value)
    eventually(lambda: len(training) == 0)  # the other run, which nobody wants now, went as well


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalScriptRunner:
    """A page in Streamlit's own script runner, which a test can interrupt as the server does."""
    monkeypatch.setattr(Runtime, "_instance", MagicMock())
    path = tmp_path / "page.py"
    path.write_text(page(QUICK))
    state = SafeSessionState(SessionState(), lambda: None)
    return LocalScriptRunner(str(path), state, PagesManager(str(path), setup_watcher=False))


def texts(script: LocalScriptRunner) -> list[str]:
    """What the progress bar has said."""
    deltas = [message.delta.new_element for message in script.forward_msgs() if message.HasField("delta")]
    return [element.progress.text for element in deltas if element.HasField("progress")]


def test_a_page_that_is_closed_gives_up_its_run(
    waiting: SharedRuns, patient: Patient, script: LocalScriptRunner
) -> None:
    script.start()
    eventually(lambda: patient.runs)
    script.request_stop()
    script.join()
    eventually(patient.runs[0].cancelled)
    assert len(waiting) == 0
    assert not texts(script)  # it never waited long enough to show progress


def test_a_closed_page_leaves_the_run_to_others(
    waiting: SharedRuns, patient: Patient, script: LocalScriptRunner
) -> None:
    run = waiting.join(QUICK)
    script.start()
    eventually(lambda: waiting._entries[QUICK].visitors == 2)
    script.request_stop()
    script.join()
    assert waiting._entries[QUICK].visitors == 1
    time.sleep(2 * runs.GRACE_SECONDS)
    assert not run.cancelled()


def test_a_changed_widget_goes_on_with_the_run_that_it_wants_again(
    waiting: SharedRuns, patient: Patient, script: LocalScriptRunner
) -> None:
    script.start()
    eventually(lambda: patient.runs)
    script.request_rerun(RerunData())
    eventually(lambda: len(script.events) > 3)
    time.sleep(2 * runs.GRACE_SECONDS)
    assert len(patient.runs) == 1
    patient.runs[0].set_result(train(QUICK))
    eventually(lambda: "relu" in str(script.forward_msgs()))
    script.request_stop()
    script.join()


def test_progress_shows_after_a_moment_and_goes(
    waiting: SharedRuns, patient: Patient, script: LocalScriptRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PATIENCE_SECONDS", 0.1)
    script.start()
    eventually(lambda: patient.runs)
    patient.runs[0].progress = 0.48
    eventually(lambda: texts(script))
    assert texts(script)[0] == "Training: 48%"
    patient.runs[0].set_result(train(QUICK))
    eventually(lambda: "relu" in str(script.forward_msgs()))
    script.request_stop()
    script.join()
    assert not texts(script)  # the queue holds the last message for each place: the bar's place is empty


def test_what_is_wrong_with_the_workers_is_said_beside_the_progress(
    waiting: SharedRuns, patient: Patient, script: LocalScriptRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PATIENCE_SECONDS", 0)
    script.start()
    eventually(lambda: texts(script))
    assert texts(script) == ["Training: 0%"]
    patient.notice = "A worker did not answer."
    eventually(lambda: texts(script) != ["Training: 0%"])
    assert texts(script) == ["Training: 0% · A worker did not answer."]
    script.request_stop()
    script.join()


def test_whoever_waits_while_the_workers_are_closed_asks_the_next(
    script: LocalScriptRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_shared", None)
    made: list[Patient] = []

    def make() -> Patient:
        made.append(Patient())
        made[-1].closed = len(made) == 2  # and before anything could be submitted
        return made[-1]

    monkeypatch.setattr(runs, "Workers", make)
    script.start()
    eventually(lambda: made and made[0].runs)
    runs.shared_runs().workers.close()
    made[0].runs[0].cancel()
    eventually(lambda: len(made) == 3 and made[2].runs)
    made[2].runs[0].set_result(train(QUICK))
    eventually(lambda: "relu" in str(script.forward_msgs()))
    script.request_stop()
    script.join()


# --- in a real server ---

SERVED = """
import threading, time
import streamlit as st
from engine.experiment import Experiment
from pages.components.shell.runs import histories_of, shared_runs

@st.cache_resource
def tell(_shared):
    def watch():
        before = None
        while True:
            now = f"{len(_shared)} runs in {_shared.workers.backend}, {_shared.nbytes > 0}"
            if now != before:
                print(now, flush=True)
            before = now
            time.sleep(0.005)
    threading.Thread(target=watch, daemon=True).start()

tell(shared_runs())
histories_of([Experiment(depth=8, steps=9000)])
"""


@contextmanager
def open_page(port: int) -> Iterator[None]:
    """What a browser does to see a page, and to leave it."""
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_queue=None
    ) as connection:
        connection.send(BackMsg(rerun_script=ClientState()).SerializeToString())
        yield


def test_in_a_server_runs_train_in_processes_and_end_with_the_browser(tmp_path: Path) -> None:
    (tmp_path / "served.py").write_text(SERVED)
    port = free_port()
    server = started_server(tmp_path / "served.py", port, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert server.stdout is not None
    output = iter(server.stdout)
    try:
        assert any("URL" in line for line in output)
        with open_page(port):
            assert any("1 runs in worker processes" in line for line in output)
        assert next(output) == "0 runs in worker processes, False\n"
        with open_page(port):
            assert any(line == "1 runs in worker processes, True\n" for line in output)
    finally:
        server.send_signal(signal.SIGINT)
        _, complaints = server.communicate(timeout=SOON)
    assert server.returncode == 0
    assert "Traceback" not in complaints
