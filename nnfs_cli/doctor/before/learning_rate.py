"""A learning rate that is far too high or far too low."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.remedies import another_lr
from nnfs_cli.system.wording import counted, rounded

FAR = 10.0  # a factor below which only a training that diverges is told
NEAR = 2.0  # a factor below which nothing is said
FEW = 300  # steps in which a training that diverges shows it


def learning_rate(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that training diverges, or gains less than half of what it gains with another learning rate.

    The range test finds a candidate. If it is ten times higher or lower than lr, trial trainings decide. They also tell
    whether a less different lr diverges: the lr of the range test grows so fast that its loss may still fall there.
    """
    test, trials = subject.range_test, subject.trials
    if test is None or test.suggested is None:
        return
    lr, suggested = trials.lr, test.suggested
    steps = min(trials.steps, trials.planned)
    if lr >= NEAR * suggested:
        steps = steps if (far := lr >= FAR * suggested) else min(steps, FEW)
        here, there = trials.run(lr, steps), trials.run(suggested, steps)
        less = far and subject.gains_less(here, there)
        if less or subject.diverges(here, there):
            best, last, after = _shown(here.held_out), _shown(here.last), counted(steps, "step")
            loss = f"in {after} the loss gets no lower than {best}" if less else f"after {after} the loss is {last}"
            yield Diagnosis(
                "lr_too_high",
                "warning",
                f"{loss}, but with lr {suggested:g} it gets to {_shown(there.held_out)};"
                f" the best constant has {rounded(subject.constant_loss(subject.rows))}",
                "steps that are too long jump over the minimum, or away from it",
                *_remedy(subject, suggested),
            )
    # So many steps of a copy lead about as far as all planned ones if they are longer by this factor.
    elif (whole := lr * trials.planned / steps) <= suggested / FAR:
        here, there = trials.run(whole, steps), trials.run(suggested, steps)
        if subject.gains_less(here, there):
            yield Diagnosis(
                "lr_too_low",
                "warning",
                f"the {counted(trials.planned, 'planned step')} get to a loss of about {_shown(here.held_out)}; with lr"
                f" {suggested:g}, {counted(steps, 'step')} get to {_shown(there.held_out)}",
                "steps that are too short do not reach the minimum in the planned epochs",
                *_remedy(subject, suggested),
            )


def _shown(loss: float) -> str:
    return rounded(loss) if np.isfinite(loss) else "infinite"


def _remedy(subject: Subject, suggested: float) -> tuple[str, dict[str, Any]]:
    """Return the remedy of the suggested mean; the lr of the config is the peak of its schedule."""
    return another_lr(suggested * float(subject.config.lr or 1.0) / subject.trials.lr)
