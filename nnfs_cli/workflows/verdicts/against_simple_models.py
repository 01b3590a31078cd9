"""Verdicts on whether a net is better than a constant prediction and than a linear model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.workflows.verdicts.interval import Difference, interval, mean_of, pooled
from nnfs_cli.workflows.verdicts.losses import RowLosses
from nnfs_cli.workflows.verdicts.verdict import Verdict

Model = Literal["constant", "linear"]

LEAST = 0.02  # a difference below this share of the simple model's loss does not matter, however certain it is
SLIGHT = 0.05  # share of what the linear model gains over the constant; a net that loses less is slightly worse, if
RATIO = 1.1  # its loss may also be less than so many times that of the linear model
TREES = "`nnfs evaluate --baselines` compares it with boosted trees"
IN_THE_DATA = "the inputs may say little about the target, or the rows are too few"
UNDERFIT = "try another lr or more epochs"
OVERFIT = "it fits the training rows too closely: try weight decay or fewer inputs"
A_LINEAR_MODEL = "a linear model on the same inputs"
CODES = {
    "worse_than_constant", "no_better_than_constant", "better_than_constant",
    "worse_than_linear", "no_better_than_linear", "better_than_linear",
}  # fmt: skip


@dataclass(frozen=True)
class Net:
    """What the remedies depend on: the outputs of the net, whether it is more than linear, its loss on training rows.

    A net of one layer, besides the activation that belongs to its loss, is linear.
    """

    outputs: int
    has_hidden: bool
    train_loss: float

    @classmethod
    def of(cls, predictor: Predictor, train_loss: float) -> Net:
        """Return what there is to know about the net of a predictor."""
        last = predictor.config.loss.activation
        layers = [layer for layer in predictor.config.layers if last is None or not isinstance(layer, last)]
        return cls(predictor.model.output_shape[0], len(layers) > 1 or not isinstance(layers[0], Linear), train_loss)


def against_simple_models(losses: Sequence[RowLosses], net: Net) -> Iterator[Verdict]:
    """Yield how the net compares with the constant, and with the linear model if there is one, on all held-out rows."""
    of_constant = _difference(losses, "constant")
    if of_constant is None:
        return
    of_linear = _difference(losses, "linear")
    linear_wins = of_linear is not None and of_linear.negative and _matters(of_linear, losses, "linear")
    if not of_constant.positive:
        clearly = "worse" if of_constant.negative else "not clearly better"
        hint = "`nnfs check` looks for columns that were read wrongly" if of_constant.negative else IN_THE_DATA
        yield Verdict(
            "worse_than_constant" if of_constant.negative else "no_better_than_constant",
            "warning",
            f"{clearly} than a constant prediction: {_by(of_constant)}",
            f"{UNDERFIT}: {A_LINEAR_MODEL} finds more" if linear_wins else hint,
        )
        return
    gained = _mean(losses, "constant") - _mean(losses, "linear") if of_linear else 0.0
    if of_linear is not None and linear_wins:
        yield _worse_than_linear(of_linear, losses, gained, net)
    if of_linear is None or gained < 0:
        than = "a constant prediction" + (f" and {A_LINEAR_MODEL}" if of_linear else "")
        yield Verdict("better_than_constant", "note", f"better than {than}: {_by(of_constant)}", TREES)
    elif of_linear.positive and _matters(of_linear, losses, "linear"):
        yield Verdict("better_than_linear", "note", f"better than {A_LINEAR_MODEL}: {_by(of_linear)}", TREES)
    elif not linear_wins and net.has_hidden:
        sentence = f"{'hardly' if of_linear.positive else 'not clearly'} better than {A_LINEAR_MODEL}"
        remedy = f"layers: [linear: {net.outputs}] may do as well"
        yield Verdict("no_better_than_linear", "note", f"{sentence}: {_by(of_linear)}", remedy)
    elif not linear_wins:
        yield Verdict("better_than_constant", "note", f"better than a constant prediction: {_by(of_constant)}", TREES)


def _worse_than_linear(of_linear: Difference, losses: Sequence[RowLosses], gained: float, net: Net) -> Verdict:
    """Return by how much the net is worse, and what to do.

    A net overfits if it predicts its training rows better than the linear model predicts rows that are new to it.
    """
    of_model = _mean(losses, "linear")
    slight = -of_linear.mean < SLIGHT * gained and of_model - of_linear.high < RATIO * of_model
    remedy = OVERFIT if net.train_loss < of_model else UNDERFIT
    return Verdict(
        "worse_than_linear",
        "note" if slight else "warning",
        f"{'slightly ' if slight else ''}worse than {A_LINEAR_MODEL}: {_by(of_linear)}",
        f"{remedy}, or use layers: [linear: {net.outputs}]" if net.has_hidden else remedy,
    )


def _difference(losses: Sequence[RowLosses], model: Model) -> Difference | None:
    """Return how much higher the losses of a simple model are than those of the net; None if that is not known."""
    if not losses or any(getattr(rows, model) is None for rows in losses):
        return None
    return interval(
        pooled([(mean_of(getattr(rows, model) - rows.net, *rows.units), rows.total_weight) for rows in losses])
    )


def _matters(difference: Difference, losses: Sequence[RowLosses], model: Model) -> bool:
    return abs(difference.mean) >= LEAST * _mean(losses, model)


def _mean(losses: Sequence[RowLosses], model: Model) -> float:
    return pooled([(mean_of(getattr(rows, model), *rows.units), rows.total_weight) for rows in losses]).value


def _by(found: Difference) -> str:
    """Return in words how much higher the loss of the net is than that of a simple model, given how much lower."""
    return found.reversed().in_words("loss")
