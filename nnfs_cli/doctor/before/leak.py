"""A column that gives the target away."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis


def leaked_target(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the columns from which the target can be computed."""
    found = [finding for finding in subject.findings if finding.what == "leak"]
    if not found:
        return
    dataset = subject.config.dataset
    drop = [*dataset.dropped_columns(), *(finding.column for finding in found)]
    yield Diagnosis(
        "leaked_target",
        "warning",
        "; ".join(map(str, found)),
        "the net copies the target instead of predicting it, and fails on rows where the column is not known yet",
        f"drop: [{', '.join(map(str, drop))}]",
        {f"dataset.{dataset.name}.drop": drop},
    )
