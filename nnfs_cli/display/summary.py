"""Summarize a finished training: why it stopped, its best epoch, its figures, and the verdict on the net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnfs_cli.display.text import number, row_count

if TYPE_CHECKING:
    from nnfs_cli.config.config import Config
    from nnfs_cli.workflows.verdicts import Verdict

LEAST_WEIGHT = 0.005  # of a model that is told of
SHOWN = 3  # verdicts that a terminal or a notebook shows


def summary_lines(metrics: Mapping[str, Any], config: Config) -> list[tuple[str, str]]:
    """Return the label and the text of each line, such as ("validation", "loss 0.1, accuracy 0.9561 (114 rows)").

    `metrics` are the final figures of a run. The figures of the training rows are shown only if no rows were held out.
    """
    lines = []
    if "stopped" in metrics:
        lines.append(("stopped", metrics["stopped"]))
    if metrics["best_epoch"] is not None and ("validation" in metrics or config.checkpoint.monitor != "val_loss"):
        lines.append(("best", f"epoch {metrics['best_epoch']:,}, by {config.checkpoint.monitor}"))
    held_out = [split for split in metrics if split in ("validation", "test")]
    for split in held_out or ["train"]:
        figures = dict(metrics[split])
        rows = row_count(figures.pop("rows"), config.holdout is not None and split == "validation")
        shown = ", ".join(f"{name} {number(value)}" for name, value in figures.items())
        lines.append((split, f"{shown} ({rows})"))
    if blend := metrics.get("blend"):
        lines.append(("blend", blend_in_words(blend)))
    return lines


def blend_in_words(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return the weights of the models of a blend, and the loss of the net alone."""
    weights = ", ".join(f"{part['model']} {part['weight']:.2f}" for part in parts if part["weight"] >= LEAST_WEIGHT)
    return f"{weights}; the net alone has a loss of {number(parts[0]['loss'])}"


def verdict_lines(verdicts: Sequence[Verdict]) -> list[tuple[str, str]]:
    """Return the label and the text of the most important verdicts."""
    return [("verdict", str(verdict)) for verdict in verdicts[:SHOWN]]
