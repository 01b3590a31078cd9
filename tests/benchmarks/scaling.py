"""Draws how the time of a step grows with width, depth, batch and rows: `python -m tests.benchmarks.scaling`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.contestants import CONTESTANTS
from tests.benchmarks.race import as_installed, race
from tests.benchmarks.workloads import Workload

ROOT = Path(__file__).parent.parent.parent
BASE = Workload("base", 4_000, 50, (128, 128), 1, 128, "adam", 0.001, 7)
AXES: dict[str, Sequence[int]] = {
    "width": (16, 64, 256, 1_024),
    "depth": (1, 2, 4, 8),
    "batch": (8, 32, 128, 512, 2_048),
    "rows": (1_000, 10_000, 100_000),
}
COLOURS = {"nnfs": "#1d4e89", "PyTorch": "#a3271b", "matrix products": "#9a9a9a"}


def varied(axis: str, value: int) -> Workload:
    """The base workload with one thing changed."""
    match axis:
        case "width":
            return replace(BASE, hidden=(value, value))
        case "depth":
            return replace(BASE, hidden=(BASE.hidden[0],) * value)
        case "batch":
            return replace(BASE, batch=value)
        case _:
            return replace(BASE, rows=value)


def measured(axes: dict[str, Sequence[int]], turns: int = 3) -> dict[str, Any]:
    """Microseconds a step by axis, contestant and value."""
    found: dict[str, Any] = {}
    with as_installed():
        for axis, values in axes.items():
            found[axis] = {name: {} for name in COLOURS}
            for value in values:
                print(f"{axis} {value:,} ...", file=sys.stderr)
                seconds = race(varied(axis, value), {name: CONTESTANTS[name] for name in COLOURS}, turns)
                for name, of_turns in seconds.items():
                    found[axis][name][value] = 1e6 * median(of_turns)
    return found


def draw(found: dict[str, Any], file: Path) -> None:
    """A panel for each axis."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(found), figsize=(9, 2.7), sharey=True, layout="constrained")
    for panel, (axis, by_name) in zip(panels.flat if len(found) > 1 else [panels], found.items(), strict=True):
        for name, points in by_name.items():
            panel.plot([*map(int, points)], [*points.values()], "o-", ms=3, color=COLOURS[name], label=name)
        panel.set(xlabel=axis, xscale="log", yscale="log")
        panel.set_xticks([*map(int, next(iter(by_name.values())))], minor=False)
        panel.set_xticklabels([f"{int(n):,}" if int(n) < 10_000 else f"{int(n) // 1000}k" for n in by_name["nnfs"]])
        panel.minorticks_off()
        panel.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("microseconds a step")
    figure.axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(file, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scaling", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / ".readme" / "scaling.png", help="the picture")
    file = parser.parse_args().output
    figures = measured(AXES)
    draw(figures, file)
    print(json.dumps(figures, indent=1))
