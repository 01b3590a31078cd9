"""What the verdicts on a net say about its training. They were recorded when training ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis, Severity

WHY = {  # by the code of the verdict: what it means for the training
    "copies": "the net has seen these rows in training, so the figures say little about rows that are new to it",
    "worse_than_constant": "the net has learned nothing that holds for other rows",
    "no_better_than_constant": "the net has learned nothing that holds for other rows",
    "never_predicted": "the loss counts each row alike, so a class with few rows hardly changes it",
    "worse_than_linear": "the net has missed a pattern that a linear model finds, or has fitted noise",
    "worse_on_test": "the validation figures chose the best epoch, so they look better than those of other rows",
    "majority": "the accuracy is that of a net that always gives the same answer, so it hides what is missed",
    "overfit": "the net goes on to fit the noise of the training rows, and gets worse on others",
    "too_short": "training ended before the net had learned what it can learn",
}
SAME = "a net that has learned nothing gives every row the same answer"
MILD = {"worse_than_linear", "majority", "worse_on_test"}  # true of many sound trainings, too


def verdicts_on_training(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield the verdicts that are warnings and say something about the training."""
    for verdict in run.verdicts:
        if verdict.severity == "warning" and verdict.code in WHY:
            severity: Severity = "note" if verdict.code in MILD else "warning"
            why = SAME if verdict.code == "never_predicted" and run.useless else WHY[verdict.code]
            edits = _edits(run, verdict.code)
            yield Diagnosis(verdict.code, severity, verdict.sentence, why, verdict.remedy, edits)


def _edits(run: TrainedRun, code: str) -> Mapping[str, Any]:
    """Return the keys to change, where one change is likely to help."""
    config = run.config
    if code == "too_short" and run.log:
        return {"epochs": 2 * int(run.log[-1]["epoch"])}
    several = run.confusion is not None and len(run.confusion) > 2  # between two classes, a threshold is better
    if code == "never_predicted" and several and not run.useless and config.class_weights is None:
        return {"class_weights": "balanced"}
    return {}
