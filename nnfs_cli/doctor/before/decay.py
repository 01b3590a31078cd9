"""Weight decay or a penalty that holds the weights where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.system.wording import counted, percent, rounded
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.penalty import Penalty

LEAST = 3.0  # times e by which decay alone shrinks the weights in all planned steps


def decay_too_strong(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that trial steps gain less than half of what they gain without weight decay and penalty."""
    config, trials = subject.config, subject.trials
    steps = min(trials.steps, trials.planned)
    if not steps or not isinstance(config.optimizer, Stepper):
        return
    decay, penalty = config.optimizer.weight_decay, config.penalty
    if decay * trials.lr * trials.planned < LEAST and not (penalty.l1 or penalty.l2):
        return
    free = config.optimizer.model_copy(update={"weight_decay": 0.0})
    here = trials.run(trials.lr, steps)
    there = trials.run(trials.lr, steps, optimizer=free, penalty=Penalty())
    if not subject.gains_less(here, there):
        return
    edits: dict[str, Any] = {}
    if decay:
        others = config.optimizer.model_dump(mode="json", exclude_defaults=True)
        edits["optimizer"] = {config.optimizer.name: {**others, "weight_decay": 0.01}}
        cause = f"weight decay shrinks the weights by {percent(min(decay * trials.lr, 1), 1)} in each step"
        remedy = "weight_decay: 0.01"
    else:
        cause, remedy = (
            f"the penalty (l1 {penalty.l1:g}, l2 {penalty.l2:g}) outweighs the loss",
            "penalty: {l2: 0.0001}",
        )
    if penalty.l1 or penalty.l2:
        edits["penalty"] = {"l2": 0.0001}
    yield Diagnosis(
        "decay_too_strong",
        "warning",
        f"{cause}: in {counted(steps, 'step')} the loss gets no lower than {rounded(here.held_out)}, but"
        f" without it to {rounded(there.held_out)}",
        "the weights cannot grow as large as the data needs",
        remedy,
        edits,
    )
