"""Weights that decay kills."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.system.wording import counted, rounded

FORGETS = 0.1  # share of all steps after which the weights should not be forgotten yet
SHRUNK = 0.5  # share of their first norm below which weights have shrunk


def killed_by_decay(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield that decay makes the net forget within a few steps, and has shrunk all weights, in a net that is poor.

    Decay multiplies the weights by 1 - lr x weight_decay in each step, so that they forget what is 1 / (lr x
    weight_decay) steps old.
    Source: Wang and Aitchison, "How to Set AdamW's Weight Decay as You Scale Model and Dataset Size" (2024).
    """
    decay = run.stepper.weight_decay if run.stepper else 0.0
    norms = [norm for name in run.weights() if (norm := run.probed(name, "norm")) is not None and norm[0] > 0]
    if not decay or not norms or not run.log or not run.poor:
        return
    memory, steps = 1 / (run.lr * decay), run.log[-1]["step"]
    left = max(float(norm[-1] / norm[0]) for norm in norms)
    if memory > FORGETS * steps or left > SHRUNK:
        return
    weaker = float(f"{1.5 / (run.lr * steps):.1g}")
    yield Diagnosis(
        "decay_too_strong",
        "warning",
        f"with weight_decay {decay:g}, the effect of a step is lost after {counted(max(1, math.floor(memory)), 'step')}"
        f" of {steps:,.0f}, and the weights of every layer have shrunk to {rounded(left)} of their first norm, or less",
        "each step takes more from the weights than the gradient gives",
        f"weight_decay: {weaker:g}",
        {"optimizer": run.config.optimizer.model_copy(update={"weight_decay": weaker}).brief()},
    )
