"""Words sorted into a fixed number of buckets."""

from __future__ import annotations

import hashlib
from typing import Annotated

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import CategoryStep, Fit
from nnfs_cli.data.texts import Texts

GAP = b"\xff"  # an empty cell, as what no word can be: it is not UTF-8


class Hashing(CategoryStep, name="hashing", main="buckets"):
    """Put words into buckets by a hash, with a column for each: y_k = 1 if hash(x) mod buckets = k, else 0.

    Takes any word, also one never seen, and an empty cell. Words that share a bucket cannot be told apart, and some
    always do: take more buckets than there are words that matter. The hash (BLAKE2b, 8 bytes) is the same everywhere.
    Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (2009), without its signs.
    """

    examples = ("hashing", "hashing: 64")

    buckets: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 32
    """How many columns come out."""

    def fit(self, texts: Texts, y: Array, seed: int) -> Fit:
        """Nothing has to be known."""
        return {}

    def names(self, fit: Fit) -> tuple[str, ...]:
        """Numbers from 1."""
        return tuple(f"bucket {k + 1}" for k in range(self.buckets))

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """(rows,) -> (rows, buckets), int8 since nothing but 0 and 1 is there."""
        codes, rows = np.unique(texts.codes, return_inverse=True)
        places = [_hash(word) % self.buckets for word in Texts(codes, texts.distinct)]
        found: Array = np.array(places, np.intp)[rows.reshape(-1), None] == np.arange(self.buckets)
        return found.view(np.int8)


def _hash(word: str | None) -> int:
    content = GAP if word is None else word.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
