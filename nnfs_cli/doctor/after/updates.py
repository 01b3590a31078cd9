"""How far the weights move: in all layers, and in single ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.remedies import another_lr
from nnfs_cli.system.wording import listing, rounded

STILL = 0.3  # a training in which no weights can have moved further, as a share of themselves, was too slow
GOES = 3.0  # how far the weights go in a usual training
FEWEST = 50  # steps below which it is rather their number that is too small
UNCHANGED = 1e-3  # weights that cannot have moved further are unchanged
BEHIND = 100.0  # if others have moved so many times as far
LARGE = 0.1  # share of themselves by which weights should not change in a late step
USUAL = 0.003
GOOD = {"better_than_linear", "better_than_constant"}
UNFINISHED = {"worse_than_constant", "no_better_than_constant", "worse_than_linear", "too_short"}
NAMED = 3


def small_updates(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield that no weights can have moved far, in a training that has not found what there is to find."""
    moved = _movements(run)
    few = not run.log or run.log[-1]["step"] < FEWEST
    if run.stepper is None or few or not moved or run.verdict_codes.isdisjoint(UNFINISHED):
        return
    furthest = max(moved.values())
    if 0 < furthest < STILL:
        usual = float(np.nanmedian([np.nanmedian(run.probes[f"{name}.update"]) for name in moved]))
        yield Diagnosis(
            "lr_too_low",
            "warning",
            f"a step changes the weights by {rounded(usual)} of their norm, and all steps together by at"
            f" most {rounded(furthest)}; about 0.001 a step is usual",
            "the weights stay near their random start, so the net cannot learn much",
            *another_lr(min(100.0, GOES / furthest) * run.lr),
        )


def large_updates(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield that late steps still change some weights by a large share, in a net that is not known to be good."""
    if run.stepper is None or not run.verdict_codes.isdisjoint(GOOD):
        return
    late = {name: _late_update(run, name) for name in run.weights()}
    name = max(late, key=lambda one: late[one], default=None)
    if name is None or late[name] < LARGE:
        return
    yield Diagnosis(
        "lr_too_high",
        "warning",
        f"in the second half of the probed epochs, a step changes the weights of {run.weights()[name]} by"
        f" {rounded(late[name])} of their norm; about 0.001 a step is usual",
        "after a few such steps nothing is left of what the weights have learned",
        *another_lr(max(0.01, USUAL / late[name]) * run.lr),
    )


def _late_update(run: TrainedRun, name: str) -> float:
    """Return the median of the probed updates of a weight in the second half; 0 if there is none."""
    update = run.probed(name, "update")
    late = np.zeros(0) if update is None else update[len(update) // 2 :]
    late = late[np.isfinite(late)]
    return float(np.median(late)) if len(late) else 0.0


def unchanged_weights(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield the weights that do not move while others do."""
    moved = _movements(run)
    furthest = max(moved.values(), default=0.0)
    behind = [name for name, one in moved.items() if one < UNCHANGED and one * BEHIND < furthest]
    if not behind or furthest < STILL:
        return
    named = listing(
        [
            *(run.weights()[name] for name in behind[:NAMED]),
            *([f"{len(behind) - NAMED} more"] if len(behind) > NAMED else []),
        ]
    )
    yield Diagnosis(
        "unchanged_weights",
        "warning",
        f"the weights of {named} changed by at most {rounded(max(moved[name] for name in behind))} of their norm in the"
        f" whole training, others by up to {rounded(furthest)}",
        "no gradient reaches these weights, so what they compute stays as it was drawn",
        "look for dead or saturated units and vanishing gradients in the layers after them",
    )


def _movements(run: TrainedRun) -> dict[str, float]:
    found = {name: run.movement(name) for name in run.weights()}
    return {name: one for name, one in found.items() if one is not None}
