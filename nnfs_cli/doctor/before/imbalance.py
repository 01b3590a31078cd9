"""Classes so unequal that accuracy hides whether the rare one is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis


def imbalance(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that one class is ten times as frequent as another and that no class has a weight."""
    found = next((finding for finding in subject.findings if finding.what == "imbalance"), None)
    if found is None:
        return
    metrics = [metric.name for metric in subject.config.metrics or ()]
    hidden = set(metrics) <= {"accuracy"}
    edits: dict[str, Any] = {"metrics": ["accuracy", "balanced_accuracy"]} if hidden else {}
    remedies = ["metrics: [accuracy, balanced_accuracy] shows it"] if hidden else []
    remedies += [f"{found.suggestion} finds more of the rare class"] if found.suggestion else []
    yield Diagnosis(
        "imbalance",
        "note",
        str(found),
        "a net that always predicts the frequent class has a high accuracy, so a rare class is easily missed",
        "; ".join(remedies) or "collect more rows of the rare class",
        edits,
    )
