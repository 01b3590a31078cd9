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
GAIN = 0.2  # share of the errors of the majority; a net that avoids more is not called useless
NAMED = 3  # classes that are named


def decision_verdicts(
    truth: Array,
    decided: Array,
    weight: Array | None,
    labels: Sequence[str],
    balanced: bool,
    noun: str = "held-out row",
) -> Iterator[Verdict]:
    """Yield what the true and the predicted classes (rows,) say; `noun` names a row.

    Counts of rows ignore the weights (rows,). `balanced` is whether something makes rare classes count more already:
    class weights, or a threshold. Then a low accuracy is intended.
    """
    of_all = f"of the {counted(len(truth), noun)}"
    n_classes = len(labels)
    there = np.bincount(truth, minlength=n_classes)
    found = np.bincount(truth[truth == decided], minlength=n_classes)
    lost = [i for i in range(n_classes) if there[i] >= FEWEST and not found[i]]
    if lost:
        yield _never_found(lost, there, np.bincount(decided, minlength=n_classes), labels, of_all, balanced)
        return
    majority = int(there.argmax())
    right, without = decided == truth, truth == majority
    share = mean_of(without * 1.0, weight, None, None).value
    gain = interval(mean_of(right * 1.0 - without, weight, None, None))
    if not balanced and gain is not None and share >= MAJORITY and not gain.positive and gain.mean < GAIN * (1 - share):
        accuracy = mean_of(right * 1.0, weight, None, None).value
        clearly = "worse" if gain.negative else "not clearly better"
        always = f"always predicting {named(labels[majority])} ({share:.4f})"
        yield Verdict(
            "majority",
            "warning",
            f"accuracy {accuracy:.4f} {of_all} is {clearly} than that of {always}",
            "`nnfs evaluate --metrics 'roc_auc, f1'` tells more",
        )


def _never_found(
    lost: Sequence[int], there: Array, decided: Array, labels: Sequence[str], of_all: str, balanced: bool
) -> Verdict:
    more = [f"{len(lost) - NAMED} more"] if len(lost) > NAMED else []
    names = listing([*(named(labels[i]) for i in lost[:NAMED]), *more])
    are, them = ("are", "them") if len(lost) > 1 else ("is", "it")
    missed = f"{of_all}, all {there[lost].sum():,} of {them} are missed"
    how = "never predicted rightly" if decided[lost].any() else "never predicted"
    weights = "other class_weights" if balanced else "class_weights: balanced"
    remedy = f"try {weights}" if len(there) > 2 else f"try `{decide_for(lost[0], there.tolist())}`"
    return Verdict("never_predicted", "warning", f"{names} {are} {how}: {missed}", remedy)


def decide_for(rare: int, rows: Sequence[int]) -> str:
    """Return the command that makes errors in the rare one of two classes cost as much as those in the other one.

    `rows` are the numbers of rows of both. Unlike weights in training, a threshold leaves the probabilities right.
    """
    times = float(f"{max(rows[1 - rare] / max(rows[rare], 1), 1):.1g}")
    return f"nnfs decide RUN --costs {f'fp=1,fn={times:g}' if rare == 1 else f'fp={times:g},fn=1'}"
