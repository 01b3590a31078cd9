"""The errors for a loss or a gradient that is not finite."""

from __future__ import annotations

from math import isfinite

from nnfs_cli.errors import DivergedError
from nnfs_cli.system.wording import counted
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import Progress


def diverged(where: str, loss: float, first: str, plan: Plan, progress: Progress) -> DivergedError:
    """Return the error for a batch or an iteration (`where`) whose loss or gradient is not finite.

    `first` says where the first number that is not finite appears; see `Model.first_not_finite`.
    """
    what = "the gradient is not finite" if isfinite(loss) else f"the loss is {loss}"
    found = f"the first number that is not finite is {first}"
    remedy = _remedy(
        plan, progress, "the targets, the initial weights" if first == "in the loss" else "the initial weights"
    )
    return DivergedError(f"training diverged: {what} in {where}, {_when(progress)}; {found}; {remedy}")


def require_finite(loss: float, plan: Plan, progress: Progress) -> None:
    """Raise `DivergedError` unless the loss of the trained net is finite."""
    if not isfinite(loss):
        what = f"the loss of the trained net is {loss}"
        raise DivergedError(f"training diverged: {what}, {_when(progress)}; {_remedy(plan, progress)}")


def _when(progress: Progress) -> str:
    lr = f", at lr {progress.lr:g}" if progress.step and progress.lr is not None else ""
    return f"after {counted(progress.step, 'step')}{lr}"


def _remedy(plan: Plan, progress: Progress, large: str = "the initial weights") -> str:
    """Return the advice; `large` is what may be too large besides the inputs, if there was no step yet."""
    if not progress.step or progress.lr is None:
        return f"{large} or the inputs are too large; scale the data or choose another init"
    smaller = min((plan.lr or progress.lr) / 10, 0.1)
    return f"try a smaller lr, such as {smaller:g}{'' if plan.clip else ', or clip: {norm: 1}'}"
