#!/usr/bin/env bash
# Runs everything: lint, types, tests.  Needs Python 3.11 or newer and a network for the first run; makes its own venv.
# Arguments are pytest's, and leave out the second kernel.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=tests/.venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --no-compile --disable-pip-version-check -r tests/requirements.txt

find_browser() {
  for name in "${CHROME:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    [ -n "$name" ] && command -v "$name" && return
  done
  "$venv/bin/python" - <<'PYTHON'
from pathlib import Path
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    path = playwright.chromium.executable_path
print(path if Path(path).exists() else "")
PYTHON
}

browser=$(find_browser)
if [ -z "$browser" ]; then
  "$venv/bin/playwright" install --with-deps chromium ||
    { [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium; } ||
    echo "No Chrome or Chromium was found, and none could be installed." >&2
  browser=$(find_browser)
fi
export CHROME="$browser"
# A missing browser fails the browser tests in CI; elsewhere they are skipped.

"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check .
"$venv/bin/mypy" engine pages app.py & types=$! # which takes one core half a minute
# What lessons and ward say over seeds must not hang on the last bits of this processor: it is tested with those of
# another, and with its own by other_kernels.sh.  What the pages show of the same networks is tested with its own here.
claims=(tests/pages/test_patients.py tests/pages/test_*_lesson.py)
[ $# -gt 0 ] && others=("$@") || others=("${claims[@]/#/--ignore=}")
# In the order of their names the longest files, those of the browser, come first, and no process is left with one.
# Three processes for two cores: tests of a browser wait as long as they compute.
"$venv/bin/python" -m pytest -n "${TEST_PROCESSES:-3}" --dist loadfile --no-loadscope-reorder "${others[@]}"
[ $# -gt 0 ] || KERNELS=second bash tests/other_kernels.sh "${claims[@]}"
wait "$types"
