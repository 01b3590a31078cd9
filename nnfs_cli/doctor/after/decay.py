"""Weights that decay kills."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.workflows.verdicts.wording import brief

SHRUNK = 0.1  # weights with a norm below this share of their first one have been killed
BAD = {"worse_than_constant", "no_better_than_constant", "worse_than_linear", "majority", "never_predicted"}


def killed_by_decay(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield that decay or a penalty has shrunk the weights of all layers to almost nothing, in a net that is poor."""
    penalty, stepper = run.config.penalty, run.stepper
    decay = stepper.weight_decay if stepper else 0.0
    norms = [norm for name in run.weights() if (norm := run.probed(name, "norm")) is not None and norm[0] > 0]
    if not (decay or penalty.l1 or penalty.l2) or not norms or run.verdict_codes.isdisjoint(BAD):
        return
    left = max(float(norm[-1] / norm[0]) for norm in norms)
    if left < SHRUNK:
        key, value = ("weight_decay", decay) if decay else ("penalty", penalty.l2 or penalty.l1)
        yield Diagnosis(
            "decay_too_strong",
            "warning",
            f"the weights of every layer have shrunk to {brief(left)} of their first norm, or less, with {key}"
            f" {value:g}",
            "each step takes more from the weights than the gradient gives, so the net forgets what it learns",
            f"{key}: {value / 100:g}",
            _edits(run, decay),
        )


def _edits(run: TrainedRun, decay: float) -> dict[str, object]:
    if decay:
        return {f"optimizer.{run.config.optimizer.name}.weight_decay": decay / 100}
    return {"penalty": {"l1": run.config.penalty.l1 / 100, "l2": run.config.penalty.l2 / 100}}
