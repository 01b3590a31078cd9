"""What a verdict is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from nnfs_cli.runs.directory import RunDirectory

Severity = Literal["warning", "note"]


@dataclass(frozen=True)
class Verdict:
    """One sentence on how good a net is, and what to do about it.

    `code` is a stable name for programs. A "warning" says that the net should not be used as it is; a "note" says how
    it compares with simpler models.

    >>> from nnfs_cli import Verdict
    >>> print(Verdict("worse_than_constant", "warning", "worse than a constant", "try a smaller lr"))
    worse than a constant; try a smaller lr
    """

    code: str
    severity: Severity
    sentence: str
    remedy: str

    def __str__(self) -> str:
        """Return the sentence and what to do."""
        return f"{self.sentence}; {self.remedy}"

    def plain(self) -> dict[str, str]:
        """Return the verdict as a dict for JSON."""
        return asdict(self)


def recorded_verdict(run: RunDirectory) -> tuple[Verdict, ...]:
    """Return the verdicts that a training recorded; none for a run of an earlier release, or an unfinished one.

    Raises `RunError` if the record is damaged.
    """
    return tuple(
        Verdict(row["code"], "warning" if row["severity"] == "warning" else "note", row["sentence"], row["remedy"])
        for row in run.records.verdict()
    )
