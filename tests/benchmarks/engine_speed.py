"""How fast the engine is beside PyTorch, JAX and scikit-learn: the engine's rows of the design's budgets, as ratios.

    pip install -r tests/benchmarks/requirements.txt
    python tests/benchmarks/engine_speed.py

Prints Markdown tables after about two minutes.  Nothing here can fail for a slow or busy machine: it measures processor
time, the contestants take turns so that noise hits all of them, and the best of several turns counts.  PyTorch and JAX
do all of the engine's work: the rows, frames, decision surfaces, confusion, test results, and the order of the batches.
It does fail where a run did not take all its updates, or what a peer recorded is not what the engine did.
"""

import os
import sys
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # read when the libraries are loaded
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import argparse  # noqa: E402
import datetime  # noqa: E402
import platform  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import replace  # noqa: E402
from functools import partial  # noqa: E402
from importlib.metadata import version  # noqa: E402
from time import process_time  # noqa: E402

import jax_peer  # noqa: E402
import numpy as np  # noqa: E402
import pytorch_peer  # noqa: E402
import scikit_learn_peer  # noqa: E402
import torch  # noqa: E402
from problem import Array, problem  # noqa: E402

from engine import Experiment, RunHistory, train, train_many  # noqa: E402

STEPS = 500
LEARNING_RATE = 0.01  # low enough for the deepest network: a run that diverges ends early, and the peers' go on
TURNS = 3
# depth, width, batch size; how many times as fast as PyTorch the engine is to be
NETWORKS = {(2, 8, 32): 6, (10, 16, 64): 6, (10, 32, 256): 3, (30, 64, 256): 2}
SEEDS, STACK_TARGET = 8, 13
PAIR_BUDGET = 0.3  # s of processor time for patient and treated together
PREDICTABLE_DEPTH, ROUNDING = 10, 0.05  # what rounding may change of a test result by the last update
COMPARED, TOLERANCE = 2, 0.01  # first rows compared (deep networks are chaotic), relative to a field's largest value


def experiment_of(depth: int, width: int, batch: int) -> Experiment:
    n_train = max(192, 2 * batch)  # whole batches, which compiled code wants
    return Experiment(
        depth=depth, width=width, batch_size=batch, n_train=n_train, steps=STEPS, precision="float32",
        learning_rate=LEARNING_RATE,
    )  # fmt: skip


def best_of_turns(contestants: dict[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """Least processor seconds of each, over turns in which each goes once."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(turns):
        for name, run in contestants.items():
            start = process_time()
            run()
            seconds[name].append(process_time() - start)
    return {name: min(each) for name, each in seconds.items()}


def check_completed(history: RunHistory) -> None:
    """Raise where a run took fewer updates than the peers, which never stop."""
    if history.status != "completed":
        raise SystemExit(f"The engine's run {history.status} after {len(history.step)} updates: {history.experiment}")


def check_rows(history: RunHistory, peer: str, rows: tuple[dict[str, Array], ...]) -> None:
    """Raise where a peer's first rows and frame are not the engine's, or, where rounding allows, its test results."""
    updates, evaluations, frames, test = rows
    first = [(fields, COMPARED, TOLERANCE) for fields in (updates, evaluations)] + [(frames, 1, TOLERANCE)]
    if history.experiment.depth <= PREDICTABLE_DEPTH:
        first.append((test, 1, ROUNDING))
    for fields, count, relative in first:
        for name, values in fields.items():
            mine, theirs = np.atleast_1d(getattr(history, name))[:count], np.atleast_1d(values)[:count]
            theirs = theirs.reshape(mine.shape)
            tolerance = relative * np.abs(mine[np.isfinite(mine)]).max(initial=1e-30)
            if name == "dead_fraction":  # one unit of a layer may lie on either side of 0 by rounding
                tolerance = max(tolerance, 1 / history.experiment.width)
            if not np.allclose(mine, theirs, rtol=0, atol=tolerance, equal_nan=True):
                raise SystemExit(f"{peer} recorded another {name} than the engine: {theirs} for {mine}")


def compared_row(shape: tuple[int, int, int], target: float, turns: int) -> str:
    experiment = experiment_of(*shape)
    given = problem(experiment)
    jax_peer.forget_compiled()
    start = process_time()
    jax_rows = jax_peer.train(given)
    compiling = process_time() - start
    history = train(experiment)
    check_completed(history)
    check_rows(history, "JAX", jax_rows)
    check_rows(history, "PyTorch", pytorch_peer.train(given))
    check_rows(history, "PyTorch with backward hooks", pytorch_peer.train(given, backward_hooks=True))
    best = best_of_turns(
        {
            "engine": lambda: train(experiment),
            "PyTorch": lambda: pytorch_peer.train(given),
            "PyTorch, backward hooks": lambda: pytorch_peer.train(given, backward_hooks=True),
            "JAX": lambda: jax_peer.train(given),
            "scikit-learn": lambda: scikit_learn_peer.train(given),
        },
        turns,
    )
    mine = best["engine"]
    cells = [f"{mine / STEPS * 1e6:.0f} µs", f"**{best['PyTorch'] / mine:.1f}**", f"{target:g}"]
    cells.append(f"{best['PyTorch, backward hooks'] / mine:.1f}")
    cells += [f"{seconds / mine:.2f}" for seconds in (best["JAX"], compiling, best["scikit-learn"])]
    depth, width, batch = shape
    return f"| {depth} x {width}, batch {batch} | " + " | ".join(cells) + " |"


def stack_row(turns: int) -> str:
    experiment = experiment_of(10, 16, 64)
    given = problem(experiment)
    seeds = [replace(experiment, seed=seed) for seed in range(SEEDS)]
    for history in train_many(seeds):
        check_completed(history)
    best = best_of_turns(
        {
            "stack": lambda: train_many(seeds),
            "PyTorch": lambda: pytorch_peer.train(given),
            "PyTorch, backward hooks": lambda: pytorch_peer.train(given, backward_hooks=True),
        },
        turns,
    )
    each = best["stack"] / SEEDS
    cells = [f"{each / STEPS * 1e6:.0f} µs", f"**{best['PyTorch'] / each:.1f}**", f"{STACK_TARGET}"]
    cells += [f"{best['PyTorch, backward hooks'] / each:.1f}", "", "", ""]
    return f"| 10 x 16, batch 64, a stack of {SEEDS}, each | " + " | ".join(cells) + " |"


def pair_rows(turns: int) -> list[str]:
    rows = []
    for steps in (500, 300):
        patient = Experiment(depth=10, activation="sigmoid", initializer="xavier_normal", steps=steps)
        treated = replace(patient, activation="relu", initializer="he_normal")
        best = best_of_turns({"patient": partial(train, patient), "treated": partial(train, treated)}, turns)
        each = [f"{seconds:.3f} s" for seconds in (*best.values(), sum(best.values()))]
        rows.append(f"| {steps} | " + " | ".join(each) + f" | {PAIR_BUDGET:g} s |")
    return rows


def machine() -> str:
    """Date, processor and versions, in a line."""
    model = platform.processor() or platform.machine()
    described = Path("/proc/cpuinfo")
    if described.exists():
        names = [line.split(":")[1].strip() for line in described.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "jax", "scikit-learn"))
    return f"{datetime.date.today()}, {os.cpu_count()} cores, {model}; Python {platform.python_version()}, {versions}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=TURNS, help="how often each contestant goes; the best time counts")
    turns = parser.parse_args().turns
    torch.set_num_threads(1)

    print(machine(), "One thread each; processor time, least of", turns, "turns taken in rotation.\n")
    print("The engine's time an update, everything recorded and evaluated, and the others' as multiples of it.\n")
    print("| float32 | engine | PyTorch | target | with backward hooks | JAX | compilation included | scikit-learn |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for shape, target in NETWORKS.items():
        print(compared_row(shape, target, turns), flush=True)
    print(stack_row(turns))
    print(f"\nOver {STEPS} updates and 101 evaluations. PyTorch and JAX draw the same batches, record the same rows")
    print("and keep the same frames, decision surfaces, confusion and test results. PyTorch sees the gradients of")
    print("activations by `retain_grad`, or by full backward hooks. scikit-learn records and evaluates nothing.\n")
    print("| default lesson, float64, steps | patient | treated | together | budget |")
    print("| --- | --- | --- | --- | --- |")
    print(*pair_rows(turns), sep="\n")


if __name__ == "__main__":
    main()
