#!/usr/bin/env bash
# Runs tests once more with each set of matrix kernels that OpenBLAS has for other processors, and once with NumPy's own
# loops at their baseline: results that hang on the last bits of one machine fail here.  `tests/run.sh` comes first.
#
#     bash tests/other_kernels.sh                                        all but the browser, all kernels
#     KERNELS="Haswell" bash tests/other_kernels.sh tests/pages -k ward  some of both; any arguments of pytest
#     KERNELS=second bash tests/other_kernels.sh                         Haswell's, or another's where these are in use
set -euo pipefail
cd "$(dirname "$0")/.."

python=tests/.venv/bin/python
[ $# -gt 0 ] || set -- tests/engine tests/text tests/charts tests/walkthrough tests/pages

kernel() { # the one that OpenBLAS takes where it is asked for $1; for one that the processor lacks, its own choice
  OPENBLAS_CORETYPE="$1" "$python" -c '
import numpy, threadpoolctl
print(*{library.get("architecture") for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"})'
}

own=$(kernel "")
kernels=${KERNELS:-Haswell SkylakeX Zen Prescott baseline}
second=
[ "$kernels" != second ] || { second=1; kernels=$([ "$own" = Haswell ] && echo Prescott || echo Haswell); }
failed=() seen=()
for name in $kernels; do
  if [ "$name" = baseline ]; then
    # Features that this processor has and NumPy looks for when it starts.
    features=$("$python" -c 'import numpy; print(*numpy.show_config(mode="dicts")["SIMD Extensions"].get("found", []))')
    if [ -z "$features" ]; then echo "== NumPy uses nothing beyond its baseline here: not run"; continue; fi
    echo "== NumPy without $features"
    setting=NPY_DISABLE_CPU_FEATURES="$features"
  else
    got=$(kernel "$name")
    if [ "$got" = "$own" ] && [ "$name" != "$own" ]; then
      [ -n "$second" ] || { echo "== This processor, or this OpenBLAS, has no $name kernels: not run"; continue; }
      echo "== There are no other kernels here: with its own"
    fi
    case " ${seen[*]} " in *" $got "*) echo "== For $name OpenBLAS takes the $got kernels: not run twice"; continue ;; esac
    seen+=("$got")
    echo "== OpenBLAS with $name kernels"
    setting=OPENBLAS_CORETYPE="$name"
  fi
  env "$setting" "$python" -m pytest -n "${TEST_PROCESSES:-2}" --dist loadfile "$@" || failed+=("$name")
done
[ ${#failed[@]} -eq 0 ] || { echo "Failed with: ${failed[*]}" >&2; exit 1; }
