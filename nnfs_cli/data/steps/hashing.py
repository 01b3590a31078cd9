"""Categories sorted into a fixed number of buckets by a hash."""

from __future__ import annotations

import hashlib
from typing import Annotated

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import CategoryStep, Fit
from nnfs_cli.data.texts import Texts
from nnfs_cli.pipeline.cells import hash_bucket
from nnfs_cli.pipeline.elementwise import cast, equal
from nnfs_cli.pipeline.value import Value

EMPTY_CELL = b"\xff"  # not UTF-8, so no category has these bytes


class Hashing(CategoryStep, name="hashing", main="buckets"):
    """Sort categories into buckets by a hash, with a column for each: y_k = 1 if hash(x) mod buckets = k, else 0.

    The net cannot distinguish categories that share a bucket, and some always do: choose more buckets than there are
    important categories. The hash is BLAKE2b with 8 bytes, which is the same on every machine.

    Fitted: nothing. Unknown categories and empty cells fall into a bucket like any other category.
    Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (2009), here without signs.
    """

    examples = ("hashing", "hashing: 64")

    buckets: Annotated[int, Field(strict=True, ge=2, le=10_000)] = Field(default=32, kw_only=False)
    """Number of buckets, each of which becomes a column."""

    def fit(self, texts: Texts, y: Array, seed: int, weights: Array | None = None) -> Fit:
        """Return nothing: the hash needs no fit."""
        return {}

    def names(self, fit: Fit) -> tuple[str, ...]:
        """Return names that count from "bucket 1"."""
        return tuple(f"bucket {k + 1}" for k in range(self.buckets))

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """Transform categories (rows,) into indicators (rows, buckets), int8."""
        codes, rows = np.unique(texts.codes, return_inverse=True)
        buckets = [_hash(category) % self.buckets for category in Texts(codes, texts.distinct)]
        found: Array = np.array(buckets, np.intp)[rows.reshape(-1), None] == np.arange(self.buckets)
        return found.view(np.int8)

    def operations(self, text: Value, fit: Fit) -> Value:
        """Return the indicators of the buckets."""
        return cast(equal(hash_bucket(text, self.buckets), np.arange(self.buckets)), "float64")


def _hash(category: str | None) -> int:
    content = EMPTY_CELL if category is None else category.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
