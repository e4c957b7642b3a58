"""Trains the zoo and prints how often the doctor, and the rules of four other tools, are right about it.

python -m tests.zoo [reported|tuning] [--workers 2] [--misses]
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor

from tests.zoo.cases import GROUNDS
from tests.zoo.score import misses, table
from tests.zoo.training import judged

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", default="reported", choices=GROUNDS)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--misses", action="store_true", help="list the runs that the doctor is wrong about")
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.workers) as pool:
        runs = judged(arguments.set, pool.map)
    print(table(runs))
    if arguments.misses:
        print("\nwrong about:", misses(runs), sep="\n")
    took = os.times()
    print(f"\n{(took.user + took.children_user) / 60:.1f} minutes of processor time")
