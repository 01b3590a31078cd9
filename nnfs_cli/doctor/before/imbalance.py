"""Classes so unequal that accuracy hides whether the rare one is found."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis


def imbalance(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that one class is ten times as frequent as another, and that no weight or metric takes care of it."""
    found = next((finding for finding in subject.findings if finding.what == "imbalance"), None)
    if found is None or found.suggestion is None:
        return
    yield Diagnosis(
        "imbalance",
        "note",
        str(found),
        "a net that always predicts the frequent class has a high accuracy, so a rare class is easily missed",
        str(found.suggestion),
        {"metrics": found.suggestion.value},
    )
