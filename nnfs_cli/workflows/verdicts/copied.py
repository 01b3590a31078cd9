"""The verdict on held-out rows that are copies of training rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.copies import row_hashes, units_of_copies
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.inputs import CategoryInput
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.workflows.verdicts.verdict import Verdict

MOST_ROWS = 20_000  # rows that are compared, of all splits together
MOST_NUMBERS = 400_000  # numbers in these rows
BLOCK = 10_000  # rows that are hashed at a time
KEYS = 4  # columns whose numbers choose the rows that are compared
FEWEST = 10  # copies, and different rows among them, up to which nothing is said
LEAST = 0.2  # share of copies up to which nothing is said


def copied_rows(encoder: Encoder, splits: Mapping[str, EncodedRows]) -> Iterator[Verdict]:
    """Yield how many validation rows, or else test rows, are copies of rows that the net was trained on.

    Equal inputs and targets alone do not make copies; see `units_of_copies`.
    """
    numbers, others = _columns(encoder)
    if not numbers:
        return
    share = min(MOST_ROWS, MOST_NUMBERS // (len(numbers) + len(others))) / sum(map(len, splits.values()))
    apart = {split: rows for split, rows in splits.items() if rows.member is None}  # others are training rows
    chosen = {split: _chosen(rows.X, numbers, share) for split, rows in apart.items()}
    X, y = (
        np.concatenate([getattr(rows, name)[chosen[split]].reshape(-1, width) for split, rows in apart.items()])
        for name, width in (("X", splits["train"].X.shape[1]), ("truth", splits["train"].truth[:1].size))
    )
    unit = units_of_copies([X[:, i] for i in numbers], [*(X[:, i] for i in others), *y.T])
    units = dict(zip(apart, np.split(unit, np.cumsum([len(rows) for rows in chosen.values()])[:-1]), strict=True))
    folds = splits["train"].folds
    for split, rows in splits.items():
        if split == "train":
            continue
        if split in apart:
            found = units[split]
            copied = np.isin(found, units["train"])
        elif folds is not None:
            found, copied = _out_of_fold(units["train"], folds.fold[chosen["train"]], folds.trains[chosen["train"]])
        n = int(copied.sum())
        if n > max(FEWEST, LEAST * len(copied)) and len(np.unique(found[copied])) > FEWEST:
            about, of_all = ("about ", n * len(rows) / len(copied)) if share < 1 else ("", n)
            sentence = f"{about}{of_all:,.0f} of {len(rows):,} {split} rows are copies of training rows"
            remedy = "remove them, or split by group"
            yield Verdict("copies", "warning", f"{sentence}, so the figures are too good", remedy)
            return


def _columns(encoder: Encoder) -> tuple[list[int], list[int]]:
    """Return the places of inputs that come from numbers or dates, and of those from categories.

    Inputs that differ between training rows and others, such as the mean of the target by category, are left out.
    """
    numbers, others, end = list[int](), list[int](), 0
    for block in encoder.inputs:
        places = range(end, end + len(block.names))
        end = places.stop
        if not isinstance(block, CategoryInput):
            numbers += places
        elif block.step.assign_folds(0, 0) is None:
            others += places
    return numbers, others


def _chosen(X: Array, numbers: list[int], share: float) -> Array:
    """Return the places of about this share of the rows of X; a copy of a row is chosen if the row is."""
    if share >= 1:
        return np.arange(len(X))
    keys, below = numbers[:: -(-len(numbers) // KEYS)], np.uint64(share * 2.0**64)
    low = [row_hashes(X[start : start + BLOCK, keys].T) < below for start in range(0, len(X), BLOCK)]
    return np.flatnonzero(np.concatenate(low))[: 2 * MOST_ROWS]


def _out_of_fold(unit: Array, fold: Array, trains: Array) -> tuple[Array, Array]:
    """Return the units of the training rows that are in a fold, and whether a copy trained the net of the fold."""
    copied = np.zeros(len(unit), bool)
    for k in range(int(fold.max(initial=-1)) + 1):
        copied |= (fold == k) & np.isin(unit, unit[trains[:, k]])
    return unit[fold >= 0], copied[fold >= 0]
