"""A rare class whose errors the accuracy hides."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.system.wording import named, percent

FEWEST = 10  # held-out rows of a class below which its errors may be chance
ACCURATE = 0.9
FOUND = 0.5
RARE = 10  # the largest class has more than so many times the rows


def hidden_by_accuracy(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield the class of which less than half is found though the accuracy is high, if it is rare.

    Nothing is said if something makes rare classes count more already, or if a class is never found: a verdict says so.
    """
    if run.confusion is None or run.config.class_weights is not None or "never_predicted" in run.verdict_codes:
        return
    rows = {truth: sum(counts.values()) for truth, counts in run.confusion.items()}
    right = {truth: counts.get(truth, 0) for truth, counts in run.confusion.items()}
    accuracy = sum(right.values()) / max(sum(rows.values()), 1)
    largest = max(rows.values(), default=0)
    rare = [truth for truth, n in rows.items() if n >= FEWEST and RARE * n < largest]
    worst = min(rare, key=lambda truth: right[truth] / rows[truth], default=None)
    if worst is not None and accuracy >= ACCURATE and right[worst] < FOUND * rows[worst]:
        yield Diagnosis(
            "hidden_by_accuracy",
            "warning",
            f"the accuracy is {accuracy:.4f}, but only {right[worst]} of the {rows[worst]} held-out rows of"
            f" {named(worst)} are found",
            f"{named(worst)} is {percent(rows[worst] / sum(rows.values()))} of the rows, so the accuracy hardly counts"
            " its errors",
            "class_weights: balanced, and metrics: [accuracy, balanced_accuracy]",
            {"class_weights": "balanced"},
        )
