"""What a finding is: a sentence about a column, the rows or the net, and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nnfs_cli.inspection.suggestion import Suggestion
from nnfs_cli.system.wording import named


@dataclass(frozen=True)
class Finding:
    """A problem of a column, the rows or the net, and a change of the config that would help, if there is one.

    `what` is a stable name for programs; `column` is None if the finding is not about one column.
    """

    what: str
    column: str | None
    message: str
    suggestion: Suggestion | None = None

    def __str__(self) -> str:
        """Return the sentence of the finding, without the suggestion."""
        return self.message if self.column is None else f"{named(self.column)} {self.message}"

    def plain(self) -> dict[str, Any]:
        """Return the finding as a dict for JSON: `suggestion` is a line of YAML, and `fix` the same as data."""
        suggestion = self.suggestion
        return {
            "what": self.what,
            "column": self.column,
            "message": self.message,
            "suggestion": suggestion and str(suggestion),
            "fix": suggestion and suggestion.plain(),
        }
