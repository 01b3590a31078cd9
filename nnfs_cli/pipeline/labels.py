"""Operations that turn numbers into the words of a prediction."""

from __future__ import annotations

from collections.abc import Sequence

from nnfs_cli.pipeline.value import DType, Value

Label = str | int | bool


def label_of(codes: Value, labels: Sequence[Label]) -> Value:
    """Return the label (1,) with each code, of labels that are all texts, all whole numbers or all booleans."""
    first = labels[0]
    dtype: DType = "text" if isinstance(first, str) else "bool" if isinstance(first, bool) else "int64"
    return Value("label_of", (codes,), dtype, (1,), settings={"labels": tuple(labels)})


def joined_labels(inside: Value, labels: Sequence[str]) -> Value:
    """Return the labels of the true entries (n,) joined by |, in one text (1,)."""
    return Value("joined_labels", (inside,), "text", (1,), settings={"labels": tuple(labels)})
