"""Time a training step beside PyTorch, torch.compile, JAX and scikit-learn, on one thread and on two.

All train the same four nets on the same data with the same optimizer, and compute loss and accuracy on the validation
rows after every epoch. Each trains in a process of its own, and they take turns, so that a machine that is busy for a
while is busy for all. Matrix products alone are the limit for whoever computes them with NumPy's BLAS.
"""

from __future__ import annotations

import argparse
from statistics import median
from typing import Any

from tests.benchmarks.contestants import COMPILING, CONTESTANTS, NEEDS, variables
from tests.benchmarks.part import Found, described, installed, say
from tests.benchmarks.race import Figures, race
from tests.benchmarks.workloads import WORKLOADS

PACKAGES = ("numpy", "numba", "torch", "jax", "scikit-learn")
OURS = "nnfs, compiled"
WORDS = {1: "one thread", 2: "two threads"}


def options(parser: argparse.ArgumentParser) -> None:
    """Which nets, which contestants, how many threads."""
    names = [workload.name for workload in WORKLOADS]
    parser.add_argument("--nets", nargs="+", choices=names, default=names, metavar="NET", help=", ".join(names))
    parser.add_argument("--threads", nargs="+", type=int, choices=WORDS, default=[*WORDS], help="1, 2 or both")
    parser.add_argument(
        "--contestants", nargs="+", choices=CONTESTANTS, default=[*CONTESTANTS], metavar="NAME", help="all unless given"
    )


def measured(given: argparse.Namespace) -> Found:
    """By number of threads, then by net: its description, and the figures of each contestant."""
    contestants = {name: CONTESTANTS[name] for name in given.contestants if name not in NEEDS or installed(NEEDS[name])}
    races: dict[str, Any] = {}
    for threads in given.threads:
        for workload in WORKLOADS:
            if workload.name in given.nets:
                say(f"{workload.name}, {WORDS[threads]}: {workload.description}")
                found = race(
                    workload.on(threads),
                    contestants,
                    given.turns,
                    0.05 if given.quick else 0.5,
                    variables(threads),
                    COMPILING if threads == given.threads[0] and not given.quick else (),
                )
                races.setdefault(str(threads), {})[workload.name] = found
    return {"turns": given.turns, "races": races}


def ratio(race: dict[str, Figures], other: str, ours: str = OURS) -> float:
    """How many times as long the other takes: the median of the ratios of all turns."""
    return median(theirs / own for theirs, own in zip(race[other]["wall"], race[ours]["wall"], strict=True))


def table(races: dict[str, dict[str, Figures]], corner: str, left_out: tuple[str, ...] = ()) -> list[str]:
    """A row for each contestant: microseconds a step, and how many times those of nnfs that is."""
    names = [name for name in next(iter(races.values())) if name not in left_out]
    lines = [f"| {corner} | " + " | ".join(races) + " |", "|---|" + "---:|" * len(races)]
    for name in names:
        cells = []
        for of_net in races.values():
            time = f"{1e6 * median(of_net[name]['wall']):,.0f}"
            cells.append(f"**{time}**" if name == OURS else f"{time} ({ratio(of_net, name):.2f} x)")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def compiling(races: dict[str, dict[str, Figures]]) -> list[str]:
    """A row for each that compiles: seconds, the first time and with the cache of that."""
    names = [name for name, of in next(iter(races.values())).items() if len(of["compiling"]) > 1]
    lines = ["| seconds of compiling, then from the cache | " + " | ".join(races) + " |"]
    lines.append("|---|" + "---:|" * len(races))
    for name in names:
        cells = [" / ".join(f"{seconds:.1f}" for seconds in of[name]["compiling"]) for of in races.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines if names else []


def markdown(found: Found) -> str:
    """A table for each number of threads, and the seconds of compiling."""
    lines = [described(found) + f"Each figure is the median of {found['turns']} turns.", ""]
    for threads, races in found["races"].items():
        lines += [*table(races, f"microseconds a step, {WORDS[int(threads)]}"), ""]
    lines += compiling(next(iter(found["races"].values())))
    return "\n".join(lines).rstrip("\n") + "\n"


def summary(found: Found) -> str:
    """The short table of the README."""
    machine = found["machine"]
    threads, races = next(iter(found["races"].items()))
    about = f"{found['date']}, {machine['processor']}, {WORDS[int(threads)]}, medians of {found['turns']} turns."
    return "\n".join([*table(races, "microseconds a step", ("torch.compile", "matrix products")), "", about]) + "\n"
