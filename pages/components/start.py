"""What a server does before its first visitor: it imports everything that a page needs.

Where sessions import side by side, one may find a module that another is still importing: Plotly takes pandas and
Pillow from `sys.modules` as they are.
"""

from importlib import import_module

import plotly.graph_objects as go

from pages.components.frame import ROOT

OURS = "engine/*.py", "pages/charts/**/*.py", "pages/components/*.py"
LATE = "PIL.ImageFile", "pyarrow.pandas_compat", "pyarrow.vendored.version"  # by Streamlit, for a picture and a table


def import_everything() -> None:
    """Import all our modules, and what Streamlit and Plotly import when they first draw something."""
    files = [path.relative_to(ROOT) for pattern in OURS for path in ROOT.glob(pattern) if path.stem != "__init__"]
    for name in (*(".".join(file.with_suffix("").parts) for file in files), *LATE):
        import_module(name)
    go.Figure().to_json()
