"""Verdicts on the predicted classes: a class that is never found, and an accuracy that says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.wording import counted, listing, named
from nnfs_cli.workflows.verdicts.interval import interval, mean_of
from nnfs_cli.workflows.verdicts.verdict import Verdict

FEWEST = 5  # rows of a class below which it is no wonder that none is found
MAJORITY = 0.6  # share of the rows from which a class counts as the majority
NAMED = 3  # classes that are named


def decision_verdicts(
    truth: Array, decided: Array, weight: Array | None, labels: Sequence[str], majority: int
) -> Iterator[Verdict]:
    """Yield what the true and the predicted classes (rows,) of held-out rows say.

    `majority` is the class that is predicted without looking at the inputs. Counts ignore the weights (rows,).
    """
    n_classes = len(labels)
    there = np.bincount(truth, minlength=n_classes)
    found = np.bincount(truth[truth == decided], minlength=n_classes)
    lost = [i for i in range(n_classes) if there[i] >= FEWEST and not found[i]]
    if lost:
        yield _never_found(lost, there, np.bincount(decided, minlength=n_classes), labels)
        return
    right, without = decided == truth, truth == majority
    share = mean_of(without * 1.0, weight, None, None).value
    gain = interval(mean_of(right * 1.0 - without, weight, None, None))
    if gain is not None and share >= MAJORITY and not gain.positive:
        accuracy = mean_of(right * 1.0, weight, None, None).value
        always = f"always predicting {named(labels[majority])} ({share:.4f})"
        yield Verdict(
            "majority",
            "warning",
            f"accuracy {accuracy:.4f} is not clearly better than that of {always}",
            _rebalance(len(labels)),
        )


def _never_found(lost: Sequence[int], there: Array, decided: Array, labels: Sequence[str]) -> Verdict:
    more = [f"{len(lost) - NAMED} more"] if len(lost) > NAMED else []
    names = listing([*(named(labels[i]) for i in lost[:NAMED]), *more])
    are = "are" if len(lost) > 1 else "is"
    missed = f"all {counted(int(there[lost].sum()), 'row')} of {'them' if len(lost) > 1 else 'it'} are missed"
    how = "never predicted" if not decided[lost].any() else "never predicted rightly"
    return Verdict("never_predicted", "warning", f"{names} {are} {how}: {missed}", _rebalance(len(labels)))


def _rebalance(n_classes: int) -> str:
    choose = ", or choose a threshold with `nnfs evaluate --threshold best_f1`" if n_classes == 2 else ""
    return f"try class_weights: balanced{choose}"
