"""A rare class whose errors the accuracy hides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.system.wording import counted, named, percent
from nnfs_cli.workflows.verdicts.decisions import decide_for

ACCURATE = 0.9  # accuracy from which figures look good
FOUND = 0.5  # share of the rows of a class that a net should find
FEWEST = 10  # held-out rows of a class below which a lower share may be chance
RARE = 10  # the largest class has more than so many times the rows of a rare one


def hidden_by_accuracy(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield the rare class of which less than half is found, or nothing at all, though the accuracy is high.

    Nothing is said if something makes rare classes count more already, or if a verdict names a class that is never
    found.
    """
    if run.confusion is None or run.config.class_weights is not None or "never_predicted" in run.verdict_codes:
        return
    rows = {truth: sum(counts.values()) for truth, counts in run.confusion.items()}
    right = {truth: counts.get(truth, 0) for truth, counts in run.confusion.items()}
    n, largest = sum(rows.values()), max(rows.values(), default=0)
    accuracy = sum(right.values()) / max(n, 1)
    rare = [
        truth
        for truth, here in rows.items()
        if 0 < RARE * here < largest and (here >= FEWEST or (run.useless and not right[truth]))
    ]
    worst = min(rare, key=lambda truth: (right[truth] / rows[truth], -rows[truth]), default=None)
    if worst is None or accuracy < ACCURATE or right[worst] >= FOUND * rows[worst]:
        return
    remedy, edits = _remedy(run, rows, worst)
    yield Diagnosis(
        "hidden_by_accuracy",
        "warning",
        f"the accuracy is {accuracy:.4f}, but {right[worst] or 'none'} of the {counted(rows[worst], 'held-out row')} of"
        f" {named(worst)} {'is' if right[worst] == 1 else 'are'} found",
        f"only {percent(rows[worst] / n)} of the rows are {named(worst)}, so their errors hardly count in the"
        " accuracy and in the loss",
        remedy,
        edits,
    )


def _remedy(run: TrainedRun, rows: Mapping[str, int], rare: str) -> tuple[str, Mapping[str, Any]]:
    """Return the remedy in words and as edits: for two classes a threshold and a metric that shows its effect."""
    shows = "metrics: [accuracy, balanced_accuracy]"
    if len(rows) > 2:
        return f"class_weights: balanced, and {shows}", {"class_weights": "balanced"}
    command = decide_for([*rows].index(rare), [*rows.values()])
    metrics = [metric.brief() for metric in run.config.metrics or ()] or ["accuracy"]
    new = [] if "balanced_accuracy" in metrics else ["balanced_accuracy"]
    return f"`{command}`, and {shows}", {"metrics": [*metrics, *new]} if new else {}
