"""The app served as the README serves it, for tests and benchmarks."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.patience import SOON

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "app.py"
STOP_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """A server of our own.  started: when the command was given, by time.monotonic."""

    process: subprocess.Popen
    port: int
    started: float
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@contextmanager
def served(script: Path = APP) -> Iterator[Server]:
    """A server that runs the script, from when it answers to the end of the block."""
    with tempfile.NamedTemporaryFile("w") as log:
        port, started = free_port(), time.monotonic()
        process = started_server(script, port, stdout=log, stderr=subprocess.STDOUT)
        server = Server(process, port, started, Path(log.name))
        try:
            _wait_until_up(server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def started_server(script: Path, port: int, **options: Any) -> subprocess.Popen:
    """`streamlit run` with what a port of 127.0.0.1 and a missing desktop ask for, and no other option.

    The configuration is the app's for every script, since it is looked for where the command is given.
    """
    command = [Path(sys.executable).with_name("streamlit"), "run", script]
    command += ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    environment = None if script == APP else os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **options)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_up(server: Server) -> None:
    while time.monotonic() < server.started + SOON and server.process.poll() is None:
        try:
            urllib.request.urlopen(f"{server.address}_stcore/health", timeout=1)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"the server did not start:\n{server.log.read_text()}")
