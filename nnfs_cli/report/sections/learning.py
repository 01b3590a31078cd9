"""The learning curves, with the best epoch marked, and the learning rate."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.annotations import Mark
from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.line import Line
from nnfs_cli.report.blocks import Block, Charts, Section, Text
from nnfs_cli.report.run_facts import RunFacts

NAMES = {"train": "training rows", "val": "validation rows"}
RATIO = 50.0  # of the largest to the smallest value, from which on an axis is logarithmic
LOSS_NOTE = (
    "Both curves should fall. A validation curve that rises while the other one falls shows overfitting; two curves "
    "that stay high show a net that is too small or a learning rate that does not suit."
)


def learning(facts: RunFacts) -> Section | None:
    """Return the learning curves by epoch."""
    if facts.log is None:
        return Section("learning", "Learning curves", [Text("No epoch was logged.")])
    epochs, log = facts.log["epoch"], facts.log
    names = list(dict.fromkeys(name.split("_", 1)[1] for name in log if name.startswith(("train_", "val_"))))
    charts = [(_curves(facts, name, epochs, log), LOSS_NOTE if name == "loss" else "") for name in names]
    rate, blocks = log.get("lr", np.empty(0)), list[Block]()
    if len(np.unique(rate)) > 1:
        charts.append((_rate(epochs, rate), ""))
    elif rate.size:
        blocks.append(Text(f"The learning rate is {rate[0]:g} in all epochs.", soft=True))
    return Section("learning", "Learning curves", [Charts(charts), *blocks])


def _curves(facts: RunFacts, name: str, epochs: Array, log: dict[str, Array]) -> Chart:
    """Return a figure of the training and the validation rows by epoch."""
    lines = [Line(epochs, log[f"{of}_{name}"], text) for of, text in NAMES.items() if f"{of}_{name}" in log]
    return Chart(
        _title(name),
        "epoch",
        _unit(facts, name) + (f", {lines[0].name}" if len(lines) == 1 else ""),
        lines,
        _best(facts, lines[-1]),
        y_log=has_wide_range(np.concatenate([line.y for line in lines])),
    )


def _best(facts: RunFacts, line: Line) -> list[Mark]:
    """Mark the best epoch, if the curve has it."""
    best = facts.best_epoch
    if best is None:
        return []
    places = np.flatnonzero(line.x == best)[:1].tolist()
    return [Mark(float(line.x[i]), float(line.y[i]), f"best, epoch {best:,}") for i in places]


def _rate(epochs: Array, lr: Array) -> Chart:
    return Chart("Learning rate", "epoch", "learning rate", [Line(epochs, lr)], y_log=has_wide_range(lr))


def _title(name: str) -> str:
    return f"{name[0].upper()}{name[1:]} by epoch"


def _unit(facts: RunFacts, name: str) -> str:
    """Return the label of the axis: the figure and, for a loss, which one it is."""
    return f"loss ({facts.config.loss.name})" if name == "loss" and facts.config else name


def has_wide_range(values: Array) -> bool:
    """Return whether all values are positive and so far apart that a logarithmic axis shows them better."""
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.min() > 0 and finite.max() / finite.min() > RATIO)
