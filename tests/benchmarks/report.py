"""The last measurements as the README shows them: `python -m tests.benchmarks.report`."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent.parent.parent / ".readme" / "benchmarks.json"


def ratio(results: dict[str, list[float]], other: str, ours: str = "nnfs") -> float:
    """How many times as long the other takes, turn by turn, in the median."""
    return median(theirs / own for theirs, own in zip(results[other], results[ours], strict=True))


def markdown(results: dict[str, Any]) -> str:
    """Tables of medians, with how many times as long each takes as nnfs."""
    machine = results["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    lines = [
        f"{results['date']}, {machine['processor']}, {machine['cores']} cores, {machine['platform']}, Python",
        f"{machine['python']}, {packages}; medians of {results['turns']} turns.",
        "",
    ]
    races = results["races"]
    others = [name for name in next(iter(races.values()))["seconds"] if name != "nnfs"]
    lines += ["| microseconds a step | nnfs | " + " | ".join(others) + " |", "|---|" + "---:|" * (len(others) + 1)]
    for name, race in races.items():
        seconds = race["seconds"]
        if "plain NumPy loop" in seconds:
            continue
        cells = [f"{1e6 * median(seconds[other]):,.0f} ({ratio(seconds, other):.2f} x)" for other in others]
        own = f"**{1e6 * median(seconds['nnfs']):,.0f}**"
        lines.append(f"| {name}: {race['description']} | {own} | " + " | ".join(cells) + " |")
    full = races["full batch"]
    seconds = full["seconds"]
    lines += [
        "",
        f"An epoch of {full['description']}: {1e6 * median(seconds['nnfs']):,.0f} microseconds, and",
        f"{1e6 * median(seconds['plain NumPy loop']):,.0f} in a loop of plain NumPy"
        f" ({ratio(seconds, 'plain NumPy loop'):.2f} x).",
        "",
        "| whole command / what it is beside | its seconds | the other's | its share of them |",
        "|---|---:|---:|---:|",
    ]
    for what, pairs in results["commands"].items():
        ours, other = (median(side) for side in zip(*pairs, strict=True))
        lines.append(f"| {what} | {ours:.2f} | {other:.2f} | {median(a / b for a, b in pairs):.2f} |")
    everything, bookkeeping = (100 * share for share in results["overhead"])
    lines += [
        "",
        f"Of the training of `small`, {everything:.1f} % go to the look at the validation rows after an epoch, the",
        f"log, the best weights and the progress; without the net's own pass over those rows {bookkeeping:.1f} %.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(json.loads(RESULTS.read_text(encoding="utf-8"))), end="")
