"""What an audit finds: rows with one kind of fault, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array


@dataclass(frozen=True, eq=False)
class RowFinding:
    """Rows with one kind of fault, the worst first.

    `code` is a stable name for programs. `measured` says what was found, `why` what it means, and `remedy` what to do,
    each a sentence without a full stop. `rows` (found,) are places among the audited rows. `score` (found,) is larger
    for worse rows; scores of different findings cannot be compared. `given` are the answers of the rows in the table,
    and `likely` the answers that the nets give, if they tell; `reasons` say in words what is wrong with each row.
    """

    code: str
    measured: str
    why: str
    remedy: str
    rows: Array
    score: Array
    reasons: Sequence[str]
    given: Sequence[str] = ()
    likely: Sequence[str] = ()
    brief: Sequence[str] = ()
    """The reasons in few words, for a table in the terminal; empty if they are brief already."""

    def __len__(self) -> int:
        return len(self.rows)

    def plain(self, numbers: Array, most: int) -> dict[str, Any]:
        """Return the finding for JSON, with at most so many rows; `numbers` are those of the audited rows."""
        rows = [
            {
                "row": int(numbers[place]),
                "score": float(np.float64(self.score[i])),
                "given": self.given[i] if self.given else None,
                "likely": self.likely[i] if self.likely else None,
                "reason": self.reasons[i],
            }
            for i, place in enumerate(self.rows[:most].tolist())
        ]
        return {
            "code": self.code,
            "found": len(self),
            "measured": self.measured,
            "why": self.why,
            "remedy": self.remedy,
            "rows": rows,
        }
