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
ENGINE_TESTS = files("tests/engine/*.py")
TEXT = files("pages/text/**/*.py")
CHARTS = files("pages/charts/**/*.py")
WALKTHROUGH = files("pages/walkthrough/**/*.py")
EXPORT = files("pages/export/**/*.py")
COMPONENTS = files("pages/components/**/*.py")
PAGES = files("pages/*.py", "app.py")
SCRIPTS = [f"pages.{path.stem}" for path in files("pages/*.py")]
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
    {"batches", "endings", "plan", "recording", "starting_signal", "training"},
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
    assert packages(path) <= allowed


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
    assert layer_of(module) is not None, "add the module to a layer"
    assert not {name for name in imports if layer_of(name) > layer_of(module)}


@pytest.mark.parametrize("path", ENGINE_TESTS, ids=label)
def test_the_engine_is_tested_by_itself(path):
    assert not within(
        imported(path),
        *HEAVY,
        "app",
        "pages",
        "tests.text",
        "tests.charts",
        "tests.walkthrough",
        "tests.pages",
        "tests.browser",
    )


@pytest.mark.parametrize("path", TEXT, ids=label)
def test_sentences_know_no_figure_and_no_screen(path):
    higher = "pages.charts", "pages.walkthrough", "pages.export", "pages.components"
    assert not within(imported(path), *HEAVY, "app", *higher, *SCRIPTS)


@pytest.mark.parametrize("path", CHARTS, ids=label)
def test_charts_know_no_screen(path):
    assert not within(
        imported(path), "streamlit", "app", "pages.walkthrough", "pages.export", "pages.components", *SCRIPTS
    )


@pytest.mark.parametrize("path", WALKTHROUGH, ids=label)
def test_the_walkthrough_takes_the_look_of_the_charts_and_knows_no_screen(path):
    names = imported(path)
    assert not within(names, "streamlit", "app", "pages.components", *SCRIPTS)
    assert not within(names, "pages.charts") - within(names, "pages.charts.style")


@pytest.mark.parametrize("path", EXPORT, ids=label)
def test_what_is_exported_knows_no_screen(path):
    assert not within(imported(path), "streamlit", "app", "pages.walkthrough", "pages.components", *SCRIPTS)


@pytest.mark.parametrize("path", COMPONENTS, ids=label)
def test_components_know_no_page(path):
    assert not within(imported(path), "app", *SCRIPTS)


@pytest.mark.parametrize("path", PAGES, ids=label)
def test_pages_hold_no_numpy_no_plotly_no_training(path):
    names = imported(path)
    assert not within(names, "numpy", "plotly", "pandas", "engine.training", "engine.train", "engine.train_many")
    assert not within(names, "app", *SCRIPTS)


def test_no_modules_of_the_pages_import_each_other_in_a_circle():
    modules = {module(path): path for path in files("pages/**/*.py", "app.py")}
    needed = {name: (imported(path) & modules.keys()) - {name} for name, path in modules.items()}
    assert len(needed) > 50
    tuple(TopologicalSorter(needed).static_order())  # raises CycleError, which names the circle
