"""Time what surrounds the steps of an epoch: the log, the figures, the best weights and the progress line.

Also an epoch of a single step, beside the loop that one writes in NumPy without a tool.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from statistics import median

from tests.benchmarks import full_batch
from tests.benchmarks.contestants import variables
from tests.benchmarks.overhead import overhead
from tests.benchmarks.part import Found, described, say
from tests.benchmarks.race import race
from tests.benchmarks.steps import ratio
from tests.benchmarks.workloads import WORKLOADS

PACKAGES = ("numpy", "numba")


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def measured(given: argparse.Namespace) -> Found:
    """The race of full batches, and the shares of the epochs of `tiny` and `small`."""
    say("full batch")
    full = full_batch.FullBatch()
    races = race(full, full_batch.CONTESTANTS, given.turns, 0.05 if given.quick else 0.5, variables(1))
    shares = {}
    for workload, epochs in zip(WORKLOADS, (2_000, 40), strict=False):
        for engine in ("compiled", "numpy"):
            say(f"epochs of {workload.name}, {engine}")
            shorter = replace(workload, engine=engine, epochs=4 if given.quick else epochs)
            shares[f"{workload.name}, {engine}"] = overhead(shorter)
    return {"full batch": races, "description": full.description, "epochs": shares}


def markdown(found: Found) -> str:
    """A table and a sentence."""
    lines = [
        described(found),
        "| an epoch of | microseconds in all | steps | validation rows | all else |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, of in found["epochs"].items():
        whole, steps, forward = (1e6 * of[key] for key in ("whole", "steps", "forward"))
        lines.append(f"| {name} | {whole:,.0f} | {steps:,.0f} | {forward:,.0f} | {whole - steps - forward:,.0f} |")
    race = found["full batch"]
    ours, plain = (1e6 * median(race[name]["wall"]) for name in ("nnfs", "plain NumPy loop"))
    lines += [
        "",
        f"An epoch of full-batch gradient descent ({found['description']})",
        f"takes {ours:,.0f} microseconds, and {plain:,.0f} in a plain NumPy loop"
        f" ({ratio(race, 'plain NumPy loop', 'nnfs'):.2f} x).",
    ]
    return "\n".join(lines) + "\n"
