"""Whether the answers of two rows differ, whatever the kind of the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.audit.audited_rows import AuditedRows
from nnfs_cli.data.copies import row_hashes
from nnfs_cli.inspection.column_relations import cell_hashes

APART = 0.5  # interquartile ranges by which numbers differ


@dataclass(frozen=True)
class GivenAnswers:
    """The answers that the table gives for its rows, to be compared.

    `values` are a code (rows, 1) for each different answer, or numbers in interquartile ranges (rows, targets). Two
    rows have different answers if they differ by more than `apart` in any target.
    """

    values: Array
    apart: float

    @classmethod
    def of(cls, rows: AuditedRows) -> Self:
        """Return the answers of all audited rows."""
        encoder, table = rows.predictor.encoder, rows.table
        if encoder.classes or encoder.pairs:
            hashes = row_hashes(cell_hashes(table.column(name)) for name in encoder.targets)
            return cls(np.unique(hashes, return_inverse=True)[1][:, None].astype(np.float64), 0.0)
        values = np.stack([table.numbers(name, gaps=True) for name in encoder.targets], axis=1)
        low, high = np.quantile(values, (0.25, 0.75), axis=0)
        return cls(values / np.where(high > low, high - low, 1.0), APART)

    def distance(self, one: Array, other: Array) -> Array:
        """Return how far the answers of rows are from those of other rows, (n,) each, in the target that differs most.

        For classes, that is 1 for different ones and 0 for equal ones.
        """
        found: Array = np.abs(self.values[one] - self.values[other]).max(axis=1)
        return np.minimum(found, 1.0) if self.apart == 0 else found

    def differ(self, one: Array, other: Array) -> Array:
        """Return whether the answers of rows differ from those of other rows, (n,) each."""
        return np.asarray(self.distance(one, other) > self.apart)
