"""The weights that rows have when their errors calibrate a net."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array


def calibration_weights(n_rows: int, weight: Array | None = None, group: Array | None = None) -> Array:
    """Return how much each row counts, (rows,), float64 and above 0; a row of weight 2 counts as two rows.

    Weights with a mean below 1 are scaled to a mean of 1, so that weights that only compare rows, such as shares, do
    not make the rows count as fewer than they are. Rows of a group count as one row together, because a new row belongs
    to a new group: only groups are exchangeable.
    Source: Lee, Barber and Willett, "Distribution-Free Inference with Hierarchical Data" (2023), section 3.
    """
    weight = np.ones(n_rows) if weight is None else weight.astype(np.float64)
    if group is not None:
        codes = np.unique(group, return_inverse=True)[1]
        shares: Array = weight / np.bincount(codes, weight)[codes]
        return shares
    return np.asarray(weight / min(weight.mean(), 1.0))
