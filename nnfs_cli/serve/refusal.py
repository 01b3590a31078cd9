"""Why a request gets no answer: a status of HTTP, a word for programs and a sentence for people."""

from __future__ import annotations

import json

from nnfs_cli.data.left_out import without_advice
from nnfs_cli.errors import DataError, NnfsError

KINDS = {"not numbers": "wrong_type", "dates": "wrong_type", "empty cells": "empty_cell"}  # by the problem of an error


class Refusal(Exception):  # noqa: N818 - the fault is the client's
    """A request that is refused.

    `status` is the status of HTTP, and `kind` a word that stays the same when the message changes. `rows` is the number
    of rows that the request had, if they were counted. `headers` are sent with the answer.
    """

    def __init__(
        self, status: int, kind: str, message: str, rows: int = 0, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.rows, self.headers = status, kind, rows, headers

    @classmethod
    def of(cls, error: NnfsError, rows: int = 0) -> Refusal:
        """Return the refusal of rows that cannot be used, or of what the run cannot do."""
        problem = error.problem if isinstance(error, DataError) else None
        kind = KINDS.get(problem or "", "unusable_rows" if isinstance(error, DataError) else "not_possible")
        return cls(422, kind, without_advice(str(error)), rows)

    @property
    def body(self) -> bytes:
        """The answer, in JSON."""
        return json.dumps({"error": self.kind, "message": str(self)}).encode()
