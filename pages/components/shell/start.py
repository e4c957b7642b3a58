"""What a server does before its first visitor: it imports everything that a page needs, and sees to its memory.

Where sessions import side by side, one may find a module that another is still importing: Plotly takes pandas and
Pillow from `sys.modules` as they are.
"""

import gc
import threading
import time
from importlib import import_module

import plotly.graph_objects as go

from engine.executors.memory import give_memory_back, one_heap
from pages.components.shell.frame import ROOT

OURS = "engine/**/*.py", "pages/*/**/*.py"
MEMORY_SECONDS = 5.0  # between two times that memory is given back; a class leaves 75 MB in circles of objects
LATE = "PIL.ImageFile", "pyarrow.pandas_compat", "pyarrow.vendored.version"  # by Streamlit, for a picture and a table


def import_everything() -> None:
    """Import all our modules, and what Streamlit and Plotly import when they first draw something."""
    files = [path.relative_to(ROOT) for pattern in OURS for path in ROOT.glob(pattern) if path.stem != "__init__"]
    for name in (*(".".join(file.with_suffix("").parts) for file in files), *LATE):
        import_module(name)
    go.Figure().to_json()


def keep_memory_low() -> None:
    """From now on, as long as the server lives."""
    one_heap()
    gc.freeze()  # what was imported stays: the collector need not look at it again
    threading.Thread(target=_keep_memory_low, name="memory", daemon=True).start()


def _keep_memory_low() -> None:
    while True:
        time.sleep(MEMORY_SECONDS)
        give_memory_back()
