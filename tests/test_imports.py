"""Imports point one way, and nowhere in a circle; tests/engine needs engine alone.

engine <- pages/text <- pages/charts <- pages/walkthrough, pages/export <- pages/components <- pages, app.py
"""

import ast
import graphlib
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = "streamlit", "plotly", "pandas"
TRAINING = "engine.training", "engine.train", "engine.train_many"


def files(*patterns):
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


def imported(path):
    """Dotted names of all modules that a file imports anywhere in it, in a function or for type checking too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def packages(path):
    return {name.split(".")[0] for name in imported(path)}


def within(names, *prefixes):
    return {name for name in names if any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)}


def module(path):
    """Its dotted name; a package's without __init__."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def label(path):
    return str(path.relative_to(ROOT))


ENGINE = files("engine/**/*.py")
SCRIPTS = [f"pages.{path.stem}" for path in files("pages/*.py")]
# files -> what they may not import: what shows something on a screen, and what stands above them
MAY_NOT = {
    "tests/engine/*.py": (
        *HEAVY, "app", "pages", "tests.text", "tests.charts", "tests.walkthrough", "tests.pages", "tests.browser",
    ),
    "pages/text/**/*.py": (
        *HEAVY, "app", "pages.charts", "pages.walkthrough", "pages.export", "pages.components", *SCRIPTS,
    ),
    "pages/charts/**/*.py": (
        "streamlit", "app", "pages.walkthrough", "pages.export", "pages.components", *SCRIPTS,
    ),
    "pages/walkthrough/**/*.py": (
        "streamlit", "app", "pages.components", *SCRIPTS,
        *{f"pages.charts.{path.name}" for path in files("pages/charts/*")} - {"pages.charts.style"},
    ),
    "pages/export/**/*.py": ("streamlit", "app", "pages.walkthrough", "pages.components", *SCRIPTS),
    "pages/components/**/*.py": ("app", *SCRIPTS),
    "pages/*.py": ("app", *SCRIPTS, "numpy", "plotly", "pandas", *TRAINING),
    "app.py": (*SCRIPTS, "numpy", "plotly", "pandas", *TRAINING),
}  # fmt: skip
# threadpoolctl is optional there; backends.py alone starts processes
# within engine, bottom first; a module may import those of its own layer and of the layers below
LAYERS = [
    {
        "activations",
        "blas",
        "blocks",
        "cost",
        "formatting",
        "initializers",
        "losses",
        "schedules",
        "optimizers",
        "randomness",
        "remedies",
    }
    | {"settings", "data.sources"},
    {"experiment"},
    {"history_file"},
    {"data", "history", "limits", "measures", "network"},
    {"batches", "endings", "plan", "predictions", "recording", "starting_signal", "training"},
    {"export"},
    {"theory"},
    {"doctor"},
    {"cures"},
    {"executors"},
]
ENGINE_EXTRAS = {"blas.py": {"threadpoolctl"}, "backends.py": {"loky", "threadpoolctl", "distributed"}}


def test_importing_the_engine_brings_in_no_screen():
    code = f"import engine, sys; print([name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "[]"


def test_there_is_something_to_check():
    assert {"experiment.py", "network.py", "training.py", "theory.py"} <= {path.name for path in ENGINE}


@pytest.mark.parametrize("path", ENGINE, ids=label)
def test_the_engine_needs_numpy_and_the_standard_library(path):
    allowed = {"engine", "numpy", *sys.stdlib_module_names, *ENGINE_EXTRAS.get(path.name, ())}
    wrong = sorted(packages(path) - allowed)
    assert not wrong, f"{label(path)} imports {', '.join(wrong)}: the engine needs NumPy alone, but for ENGINE_EXTRAS"


def engine_imports():
    """Each module of the engine -> those of its modules that it imports, in a function or for type checking too."""
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in ENGINE
    }

    def targets(node):
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in modules else node.module for name in names]

    graph = {}
    for module, path in modules.items():
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        graph[module] = {name for node in imports for name in targets(node) if name in modules}
    return graph


def layer_of(module):
    """Index in LAYERS of a module, which stands there itself or with its package; the package engine is above all."""
    name = module.partition(".")[2]
    names = {name, name.partition(".")[0]}
    return next((i for i, layer in enumerate(LAYERS) if names & layer), None) if name else len(LAYERS)


def test_the_engine_imports_in_no_circle():
    list(graphlib.TopologicalSorter(engine_imports()).static_order())  # CycleError names the modules of a circle


@pytest.mark.parametrize(("module", "imports"), engine_imports().items(), ids=engine_imports())
def test_the_engine_is_built_in_layers(module, imports):
    assert layer_of(module) is not None, f"LAYERS, above in this file, lacks {module}: put it above all that it imports"
    higher = sorted(name for name in imports if layer_of(name) > layer_of(module))
    assert not higher, f"{module} imports from a higher layer of LAYERS: {', '.join(higher)}"


@pytest.mark.parametrize(
    ("path", "names"),
    [pytest.param(path, names, id=label(path)) for pattern, names in MAY_NOT.items() for path in files(pattern)],
)
def test_imports_point_one_way(path, names):
    wrong = sorted(within(imported(path), *names))
    assert not wrong, f"{label(path)} may not import {', '.join(wrong)}: see MAY_NOT"


def test_no_modules_of_the_pages_import_each_other_in_a_circle():
    modules = {module(path): path for path in files("pages/**/*.py", "app.py")}
    needed = {name: (imported(path) & modules.keys()) - {name} for name, path in modules.items()}
    assert len(needed) > 50
    tuple(TopologicalSorter(needed).static_order())  # raises CycleError, which names the circle
