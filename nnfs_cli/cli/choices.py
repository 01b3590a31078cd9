"""The words that options of several commands take."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """The parts of a split."""

    train = "train"
    validation = "validation"
    test = "test"


class Weights(StrEnum):
    """The weights that a run keeps."""

    best = "best"
    last = "last"
