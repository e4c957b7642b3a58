"""What a server does before its first visitor: starts its workers, imports what pages need, trains, saves memory.

Where sessions import side by side, one may find a module that another is still importing: Plotly takes pandas and
Pillow from `sys.modules` as they are.
"""

import gc
import threading
import time
from importlib import import_module
from pathlib import Path

from engine.executors.memory import give_memory_back, one_heap
from pages.components.shell.no_delay import answer_at_once
from pages.components.shell.runs import shared_runs, train_meanwhile
from pages.components.shell.script_turns import take_turns
from pages.components.shell.session_lookup import look_values_up

ROOT = Path(__file__).resolve().parents[3]
OURS = "engine/**/*.py", "pages/*/**/*.py"
MEMORY_SECONDS = 3.0  # between two times that memory is given back, 2 to 40 ms; a class leaves 75 MB in circles
# By Streamlit, for a picture and a table.
LATE = "PIL.ImageFile", "pyarrow.pandas_compat", "pyarrow.vendored.version", "numpy.rec"


def get_ready() -> None:
    """Once, when the server starts."""
    one_heap()
    import_module("loky")  # here, and not in the thread that starts the workers
    shared_runs()  # whose workers start while this process imports the rest
    import_everything()
    answer_at_once()
    look_values_up()
    take_turns()
    train_first_lesson()
    keep_memory_low()


def import_everything() -> None:
    """Import all our modules, and what Streamlit and Plotly import when they first draw something."""
    files = [path.relative_to(ROOT) for pattern in OURS for path in ROOT.glob(pattern) if path.stem != "__init__"]
    for name in (*(".".join(file.with_suffix("").parts) for file in files), *LATE):
        import_module(name)
    import_module("plotly.graph_objects").Figure().to_json()


def train_first_lesson() -> None:
    """While the first browser loads Streamlit's scripts: its charts are drawn a quarter of a second sooner."""
    catalogue = import_module("pages.components.lesson.catalogue")  # with the rest, for the workers start before that
    lesson = catalogue.lesson_of(catalogue.FIRST_LESSON)
    train_meanwhile((lesson.patient, lesson.treated))


def keep_memory_low() -> None:
    """From now on, as long as the server lives."""
    gc.freeze()  # what was imported stays: the collector need not look at it again
    threading.Thread(target=_keep_memory_low, name="memory", daemon=True).start()


def _keep_memory_low() -> None:
    while True:
        time.sleep(MEMORY_SECONDS)
        give_memory_back()
