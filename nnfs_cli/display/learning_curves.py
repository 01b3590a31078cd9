"""The learning curves of a training: a figure of the training and the validation rows by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.annotations import Mark
from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.line import Line
from nnfs_cli.charts.scale import has_wide_range
from nnfs_cli.display.text import ROWS_OF

CURVES = {"train": ROWS_OF["train"], "val": ROWS_OF["validation"]}  # by the beginning of columns of the log


def curves(name: str, epochs: Array, values: Mapping[str, Array], best: int | None, label: str = "") -> Chart:
    """Return a chart of a figure by epoch. `values` has an array (epochs,) for "train", "val" or both.

    The best epoch is marked on the last curve, if that has it. `label` is that of the axis; by default the name.
    """
    lines = [Line(epochs, values[of], text) for of, text in CURVES.items() if of in values]
    label = label or name
    return Chart(
        f"{'Loss' if name == 'loss' else name} by epoch",
        "epoch",
        label if len(lines) > 1 else f"{label}, {lines[0].name}",
        lines,
        [
            Mark(float(x), float(y), f"best, epoch {best:,}")
            for x, y in zip(lines[-1].x, lines[-1].y, strict=True)
            if x == best
        ],
        y_log=has_wide_range(np.concatenate([line.y for line in lines])),
    )


def learning_curves(
    epochs: Iterable[float],
    train_loss: Iterable[float],
    val_loss: Iterable[float] | None = None,
    best_epoch: int | None = None,
) -> str:
    """Return an SVG of the losses in the colour of the text around it, or "" if no loss is finite."""
    losses = {"train": train_loss} if val_loss is None else {"train": train_loss, "val": val_loss}
    columns = {name: np.array([*values], dtype=float) for name, values in losses.items()}
    columns = {name: values for name, values in columns.items() if np.isfinite(values).any()}
    if not columns:
        return ""
    svg = curves("loss", np.array([*epochs], dtype=float), columns, best_epoch).svg()
    return f'<div style="overflow-x:auto">{svg}</div>'
