"""Print the last measurements as the guide shows them: `python -m tests.benchmarks.report`.

With `--summary` it prints the short table of the README.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent.parent.parent / ".readme" / "benchmarks.json"


def ratio(results: dict[str, list[float]], other: str, ours: str = "nnfs") -> float:
    """Return how many times as long the other takes: the median of the ratios of all turns."""
    return median(theirs / own for theirs, own in zip(results[other], results[ours], strict=True))


def described(results: dict[str, Any]) -> str:
    """Return the date, the machine and the versions of the measurements."""
    machine = results["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"Measured on {results['date']}: {machine['processor']}, {machine['cores']} cores, {machine['platform']},\n"
        f"Python {machine['python']}, {packages}.\nEach figure is the median of {results['turns']} turns."
    )


def step_table(races: dict[str, Any], left_out: tuple[str, ...] = ()) -> list[str]:
    """Return a Markdown table of the time of a step: of nnfs, and of the others with their ratio to nnfs."""
    others = [name for name in next(iter(races.values()))["seconds"] if name not in ("nnfs", *left_out)]
    lines = ["| microseconds a step | nnfs | " + " | ".join(others) + " |", "|---|" + "---:|" * (len(others) + 1)]
    for name, race in races.items():
        seconds = race["seconds"]
        if "plain NumPy loop" in seconds:
            continue
        cells = [f"{1e6 * median(seconds[other]):,.0f} ({ratio(seconds, other):.2f} x)" for other in others]
        own = f"**{1e6 * median(seconds['nnfs']):,.0f}**"
        label = name if left_out else f"{name}: {race['description']}"
        lines.append(f"| {label} | {own} | " + " | ".join(cells) + " |")
    return lines


def summary(results: dict[str, Any]) -> str:
    """Return the short table of the README."""
    machine = results["machine"]
    about = f"{results['date']}, {machine['processor']}, {machine['cores']} cores, medians of {results['turns']} turns."
    return "\n".join([*step_table(results["races"], ("without Numba", "matrix products")), "", about]) + "\n"


def markdown(results: dict[str, Any]) -> str:
    """Return the tables of the guide: medians, and how many times as long each contestant takes as nnfs."""
    races = results["races"]
    full = races["full batch"]
    seconds = full["seconds"]
    lines = [
        described(results),
        "",
        *step_table(races),
        "",
        f"An epoch of full-batch gradient descent ({full['description']}) takes",
        f"{1e6 * median(seconds['nnfs']):,.0f} microseconds, and {1e6 * median(seconds['plain NumPy loop']):,.0f}"
        f" in a plain NumPy loop ({ratio(seconds, 'plain NumPy loop'):.2f} x).",
        "",
        "| whole command / compared with | seconds | seconds of the other | ratio |",
        "|---|---:|---:|---:|",
    ]
    for what, pairs in results["commands"].items():
        ours, other = (median(side) for side in zip(*pairs, strict=True))
        lines.append(f"| {what} | {ours:.2f} | {other:.2f} | {median(a / b for a, b in pairs):.2f} |")
    everything, bookkeeping = (100 * share for share in results["overhead"])
    lines += [
        "",
        f"When `small` is trained, {everything:.1f} % of the time goes into evaluating the validation rows after each",
        f"epoch, the log, the best weights and the progress line. Without the forward pass over those rows it is"
        f" {bookkeeping:.1f} %.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    shown = summary if "--summary" in sys.argv else markdown
    print(shown(json.loads(RESULTS.read_text(encoding="utf-8"))), end="")
