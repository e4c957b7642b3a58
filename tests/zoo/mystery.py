"""How often the cure that is made for a mystery patient's fault takes away most of the harm.

python -m tests.zoo.mystery [--patients 200] [--levels easy medium] [--workers 2]
"""

import argparse
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

from engine import Experiment, RunHistory, train_many
from engine.cures.outcomes import FRAMES, UPDATE_ROWS
from engine.doctor.cases import LEVELS, candidates, holds, recovered
from pages.text.mystery_answers import CURED, best_dose, canonical


class Cured(NamedTuple):
    """A patient's fault, and the share of its harm that the canonical cure takes away; None where nobody waits."""

    seed: int
    fault: str
    share: float | None


def quick(experiment: Experiment) -> RunHistory:
    return train_many([experiment], max_updates=UPDATE_ROWS, max_frames=FRAMES)[0]


def cured(level: str, seed: int) -> Cured:
    """What the canonical cure does to the patient of this number, at the dose that validation data choose."""
    for case in candidates(seed, level):
        patient, healthy = quick(case.patient), quick(case.healthy)
        if holds(case, patient, healthy):
            runs = [quick(dose.experiment) for dose in canonical(case) if dose.experiment]
            return Cured(seed, case.fault, recovered(case, patient, healthy, runs[best_dose(runs)]) if runs else 0.0)
    return Cured(seed, next(candidates(seed, level)).fault, None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=200, help="of all levels together")
    parser.add_argument("--levels", nargs="+", default=["easy", "medium"], choices=LEVELS)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.workers) as pool:
        for level in arguments.levels:
            seeds = range(arguments.patients // len(arguments.levels))
            found = list(pool.map(partial(cured, level), seeds))
            there = [one for one in found if one.share is not None]
            well = sum(one.share >= CURED for one in there if one.share is not None)
            print(f"{level}: at least {CURED:.0%} of the harm taken away in {well} of {len(there)} patients")
            missed = [one for one in there if one.share is not None and one.share < CURED]
            for one in missed:
                print(f"    {one.seed} {one.fault}: {one.share:.0%}")
            nobody = Counter(one.fault for one in found if one.share is None)
            print(f"    nobody waits under {len(found) - len(there)}: {dict(nobody)}")
    took = os.times()
    print(f"{(took.user + took.children_user) / 60:.1f} minutes of processor time")
