"""The README is true: the files that it names are there, and its notebook runs."""

import re
import subprocess
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MOST_LINES = 95
SLOW = "prescribe("  # a quarter of a minute; tests/engine/test_trials.py has its own


def test_every_file_that_it_names_is_there() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {f"{folder}/" for file in files for folder in Path(file).parents}
    named = {name for name in re.findall(r"`([^`\s]+)`", README) if re.search(r"\.(py|js|toml|md|sh|txt)$|\w/$", name)}
    assert len(named) > 50
    for name in named:
        pattern = re.compile(r"(^|/)" + re.escape(name).replace(r"\*", "[^/]*") + "$")
        assert any(map(pattern.search, [*files, *folders])), name
    for link in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / link).exists(), link


def test_it_is_short() -> None:
    assert README.count("\n") <= MOST_LINES


def test_its_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"## The engine in a notebook\n\n((?:    .*\n|\n)+)", README)
    lines = textwrap.dedent(block).splitlines()
    names: dict = {}
    exec("\n".join(line for line in lines if not line.startswith(SLOW)), names)
    assert 1e-7 < names["patient"].gradient_ratio[0] < 1e-5
    assert (tmp_path / "patient.npz").exists()
    assert names["other"].advance(400).history().branches
