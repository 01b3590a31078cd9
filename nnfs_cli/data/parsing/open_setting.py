"""The error that the cells of a column can be read in several ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class OpenSettingError(ValueError):
    """The cells of a column leave a setting open. Each of the `choices` are settings that would close the question.

    The message is the rest of a sentence about the column.
    """

    def __init__(self, message: str, choices: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(message)
        self.choices = tuple(choices)
