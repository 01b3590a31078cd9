"""Columns that give the target away, and columns that tell nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis, Severity
from nnfs_cli.inspection.finding import Finding
from nnfs_cli.inspection.suggestion import joined
from nnfs_cli.system.wording import listing

NAMED = 3  # columns that a diagnosis describes
UNLESS = "leave it out, unless its value is known when you predict"


def leaked_target(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the columns from which the target can be computed."""
    found = [finding for finding in subject.findings if finding.what == "leak"]
    why = "the net copies the target instead of predicting it, and fails where the column is not known yet"
    yield from _left_out(subject, "leaked_target", "warning", found, why)


def constant(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the columns that hold the same value in every row."""
    found = [finding for finding in subject.findings if finding.what in ("constant", "empty")]
    why = "the net learns nothing from it, and a row with another value would be a surprise"
    yield from _left_out(subject, "constant", "note", found, why)


def _left_out(
    subject: Subject, code: str, severity: Severity, found: Sequence[Finding], why: str
) -> Iterator[Diagnosis]:
    """Yield one diagnosis for all columns, whose remedy leaves them out."""
    if not found:
        return
    more = [f"{len(found) - NAMED:,} more"] if len(found) > NAMED else []
    measured = listing([*map(str, found[:NAMED]), *more])
    remedies = joined(finding.suggestion for finding in found if finding.suggestion)
    edits = {".".join(map(str, path)): value for path, value in (remedies[0].edits if remedies else {}).items()}
    yield Diagnosis(code, severity, measured, why, str(remedies[0]) if remedies else UNLESS, edits)
