#!/usr/bin/env bash
# Makes one small wrong change to the engine after the other, runs the tests that are about the changed function, and
# prints what no test noticed, and the share that one did.  For now and then: all changes of all modules take hours.
#
#     bash tests/mutants.sh                             a tenth of the changes, of every module in the list below
#     bash tests/mutants.sh engine/measures.py          of this module or folder alone
#     CHANGES='*' bash tests/mutants.sh engine/doctor   every change; a pattern of names, which end in a number
#
# Sentences are not changed: they are for tests of the pages.  Neither are constants and tables outside of functions,
# which mutmut leaves alone: tests/engine/test_diagnosis_table.py and tests/engine/test_bounds.py are about these.
set -euo pipefail
cd "$(dirname "$0")/.."

tests_of() { # the tests that are about a module
  local engine=tests/engine
  case "$1" in
    engine/measures.py) echo $engine/test_{measures,remedies}.py ;;
    engine/network.py) echo $engine/test_{gradients,identity,bounds,worked_example,initializers}.py ;;
    engine/training.py) echo $engine/test_{training,trajectories,losses,bounds,time_slices,remedies,identity,branch}.py ;;
    engine/recording.py) echo $engine/test_{training,measures,bounds,identity,branch}.py ;;
    engine/doctor/cases.py) echo $engine/test_cases.py ;;
    engine/doctor/*) echo $engine/test_{fit,signal,step}_detectors.py $engine/test_{examination,diagnosis_table}.py ;;
    engine/cures/*) echo $engine/test_{changes,outcomes,trials}.py ;;
    *) echo "Which tests are about $1 is not known: tests_of in tests/mutants.sh." >&2; exit 1 ;;
  esac
}

[ $# -gt 0 ] || set -- engine/{network,training,recording,measures}.py engine/doctor engine/cures
mapfile -t modules < <(find "$@" -name '*.py' ! -name __init__.py ! -name thresholds.py ! -name explanations.py | sort)

venv=$PWD/tests/.venv-mutants
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt 'mutmut>=3.8,<4'

for module in "${modules[@]}"; do
  # mutmut changes a copy, in which no function is decorated: it leaves those that are out.
  copy=tests/output/mutants/$(basename "$module" .py)
  rm -rf "$copy"
  mkdir -p "$copy/tests"
  cp -r engine pages assets app.py README.md pyproject.toml requirements.txt "$copy"
  cp -r tests/engine tests/*.py "$copy/tests"
  case "$module" in # the doctor does no mathematics that automatic differentiation could check
    engine/doctor/* | engine/cures/*)
      echo 'import pytest; pytest.skip("takes too long", allow_module_level=True)' >"$copy/tests/engine/oracle.py" ;;
  esac
  "$venv/bin/python" - "$copy/$module" <<'PYTHON'
import ast
import sys
from pathlib import Path

path = Path(sys.argv[1])
lines = path.read_text().splitlines()
functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
for function in sorted(functions, key=lambda node: node.lineno, reverse=True):
    for decorator in reversed(function.decorator_list):
        if ast.unparse(decorator) not in ("staticmethod", "classmethod"):
            indent = " " * function.col_offset
            lines.insert(function.end_lineno, f"{indent}{function.name} = {ast.unparse(decorator)}({function.name})")
            lines[decorator.lineno - 1] = ""
path.write_text("\n".join(lines) + "\n")
PYTHON
  cat >>"$copy/pyproject.toml" <<TOML

[tool.mutmut]
source_paths = ["engine"]
only_mutate = ["$module"]
also_copy = ["pages", "assets", "app.py", "README.md", "requirements.txt"]
do_not_mutate_patterns = ['^\s*f?"[^"]* ', '"\w+ \w']
process_isolation = "forkserver"
pytest_add_cli_args = ["-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = [$(tests_of "$module" | sed -E 's/[^ ]+/"&",/g')]
TOML
  (
    cd "$copy"
    "$venv/bin/mutmut" run --max-children "${TEST_PROCESSES:-2}" "${CHANGES:-*_mutmut_*7}" >mutmut.log 2>&1 || tail -n 30 mutmut.log
    "$venv/bin/mutmut" results --all true | grep -v 'not checked' >results.txt || true
    while IFS=' :' read -r name status; do
      case "$status" in killed | *timeout | segfault | "caught by type check") ;; *) "$venv/bin/mutmut" show "$name" ;; esac
    done <results.txt
    awk -v module="$module" '{ all++ } /: (killed|timeout|segfault)/ { killed++ }
      END { printf "== %s: %d of %d changes were noticed (%.0f %%)\n", module, killed, all, all ? 100 * killed / all : 0 }' results.txt
  )
done
