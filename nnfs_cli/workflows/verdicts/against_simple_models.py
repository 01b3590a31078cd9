"""Verdicts on whether a net is better than a constant prediction and than a linear model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from nnfs_cli.workflows.verdicts.interval import Interval, interval, mean_of, pooled
from nnfs_cli.workflows.verdicts.losses import RowLosses
from nnfs_cli.workflows.verdicts.verdict import Severity, Verdict
from nnfs_cli.workflows.verdicts.wording import brief

Model = Literal["constant", "linear"]

LEAST = 0.02  # a difference below this share of the simple model's loss does not matter, however certain it is
SLIGHT = 0.05  # share of what the linear model gains over the constant; a net that loses less is slightly worse
TREES = "`nnfs evaluate --baselines` compares it with boosted trees"
IN_THE_DATA = "the inputs may say little about the target, or the rows are too few"
TRAIN_ON = "try another lr or more epochs"


def against_simple_models(losses: Sequence[RowLosses], outputs: int) -> Iterator[Verdict]:
    """Yield how the net compares with the constant, and with the linear model if there is one, on all held-out rows.

    `outputs` is the number of outputs of the net, for the remedy.
    """
    of_constant = _difference(losses, "constant")
    if of_constant is None:
        return
    simpler = f"layers: [linear: {outputs}]"
    of_linear = _difference(losses, "linear")
    linear_wins = of_linear is not None and of_linear.negative and _matters(of_linear, losses, "linear")
    if not of_constant.positive:
        clearly = "worse" if of_constant.negative else "not clearly better"
        hint = "`nnfs check` looks for columns that were read wrongly" if of_constant.negative else IN_THE_DATA
        yield Verdict(
            "worse_than_constant" if of_constant.negative else "no_better_than_constant",
            "warning",
            f"{clearly} than a constant prediction: {_by(of_constant)}",
            f"{TRAIN_ON}: even a linear model finds more" if linear_wins else hint,
        )
        return
    if of_linear is not None and linear_wins:
        gained = _mean(losses, "constant") - _mean(losses, "linear")
        slight = -of_linear.mean < SLIGHT * gained
        sentence = f"{'slightly ' if slight else ''}worse than a linear model: {_by(of_linear)}"
        severity: Severity = "note" if slight else "warning"
        yield Verdict("worse_than_linear", severity, sentence, f"{TRAIN_ON}, or use {simpler}")
    if of_linear is None or _mean(losses, "constant") < _mean(losses, "linear"):
        than = "a constant prediction" if of_linear is None else "a constant prediction and a linear model"
        yield Verdict("better_than_constant", "note", f"better than {than}: {_by(of_constant)}", TREES)
    elif of_linear.positive and _matters(of_linear, losses, "linear"):
        yield Verdict("better_than_linear", "note", f"better than a linear model: {_by(of_linear)}", TREES)
    elif not linear_wins:
        sentence = f"{'hardly' if of_linear.positive else 'not clearly'} better than a linear model: {_by(of_linear)}"
        yield Verdict("no_better_than_linear", "note", sentence, f"{simpler} may do as well")


def _difference(losses: Sequence[RowLosses], model: Model) -> Interval | None:
    """Return how much higher the losses of a simple model are than those of the net; None if that is not known."""
    if not losses or any(getattr(rows, model) is None for rows in losses):
        return None
    return interval(
        pooled([(mean_of(getattr(rows, model) - rows.net, *rows.units), rows.total_weight) for rows in losses])
    )


def _matters(difference: Interval, losses: Sequence[RowLosses], model: Model) -> bool:
    return abs(difference.mean) >= LEAST * _mean(losses, model)


def _mean(losses: Sequence[RowLosses], model: Model) -> float:
    return pooled([(mean_of(getattr(rows, model), *rows.units), rows.total_weight) for rows in losses]).value


def _by(found: Interval) -> str:
    """Return the difference of the losses in words, as in "loss 0.083 lower (0.051 to 0.115)"."""
    if found.mean < 0:
        mean, low, high, than = -found.mean, -found.high, -found.low, "higher"
    else:
        mean, low, high, than = found.mean, found.low, found.high, "lower"
    return f"loss {brief(mean)} {than} ({brief(low)} to {brief(high)})"
