#!/usr/bin/env bash
# Runs the heart of the browser tests in Firefox ESR and WebKitGTK, in an environment of its own.  Debian's packages
# firefox-esr, webkit2gtk-driver and xvfb have them; who is root gets what is missing, and else it is skipped by name.
# Arguments are pytest's.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=tests/.venv-browsers
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/browsers/requirements.txt

installed() { command -v firefox-esr && command -v WebKitWebDriver && command -v xvfb-run; }
if ! installed >/dev/null && [ "$(id -u)" = 0 ]; then
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends firefox-esr webkit2gtk-driver xvfb xauth; } || true
fi
screen=()
if command -v xvfb-run >/dev/null; then screen=(xvfb-run -a -s "-screen 0 1600x1200x24"); fi
exec "${screen[@]}" "$venv/bin/python" -m pytest -rs "$@" tests/browsers/heart.py
