#!/usr/bin/env bash
# Runs all tests but the browser’s on the oldest allowed version of every requirement, with Python 3.11, and on the
# newest, with the newest Python that is installed.  Tests whose package has no release for that Python are skipped by name.
#
#     bash tests/versions.sh             both
#     bash tests/versions.sh newest -x   one of them; any arguments of pytest
set -euo pipefail
cd "$(dirname "$0")/.."

pythons() { # every Python 3.11 or newer that can be found, "version path" in each line, the oldest first
  for path in $(compgen -c python3. | grep -E '^python3\.[0-9]+$' | sort -u) ~/.pyenv/versions/3.*/bin/python3; do
    "$path" -c 'import sys; v = sys.version_info; print("%d.%d" % v[:2], sys.executable) if v >= (3, 11) else None' \
      2>/dev/null || true
  done | sort -V -u
}

requirements() { # one a line; as "==" of the lowest allowed version for the oldest
  cat requirements.txt tests/requirements.txt | sed -E -e '/^-r|^ *(#|$)/d' \
    $([ "$1" = oldest ] && echo "-e s/>=([^,]+).*/==\1/")
}

run() { # $1: oldest or newest, $2: "version path" of its Python, the rest: for pytest
  local venv="tests/.venv-$1" each
  echo "== $1 versions, Python ${2%% *}"
  "${2#* }" -m venv --clear "$venv"
  if ! "$venv/bin/pip" install --quiet --disable-pip-version-check -r <(requirements "$1"); then
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt
    while read -r each; do
      "$venv/bin/pip" install --quiet --disable-pip-version-check "$each" || echo "== without $each"
    done < <(requirements "$1")
  fi
  "$venv/bin/pip" freeze | grep -iE '^(streamlit|numpy|plotly|pandas|orjson|loky|threadpoolctl|torch|scikit-learn|distributed)=='
  shift 2
  "$venv/bin/python" -m pytest -n "${TEST_PROCESSES:-2}" --dist loadfile -rs tests/engine tests/text tests/charts tests/walkthrough tests/pages "$@"
}

which=(oldest newest)
case "${1:-}" in oldest | newest) which=("$1"); shift ;; esac
for name in "${which[@]}"; do
  found=$(pythons)
  [ -n "$found" ] || { echo "No Python 3.11 or newer was found." >&2; exit 1; }
  run "$name" "$(if [ "$name" = oldest ]; then head -n 1; else tail -n 1; fi <<<"$found")" "$@"
done
