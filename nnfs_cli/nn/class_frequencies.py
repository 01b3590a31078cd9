"""The start of a net for ordered classes: its cut points lie where the frequencies of the classes put them."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.cut_points import AscendingShares, EqualShares, at_shares
from nnfs_cli.nn.layers.ascending import Ascending
from nnfs_cli.nn.layers.cumulative_logits import CumulativeLogits
from nnfs_cli.nn.model import Model


def start_at_frequencies(model: Model, y: Array, weight: Array | None) -> None:
    """Set the cut points of a net so that, at a score of 0, it predicts the frequencies of the classes.

    A rare class has a cut point far outside, which takes many steps to reach. y (rows, units) and `weight`, (rows,) or
    (rows, members), are those of the training rows. Each class counts one row more, so that none has a frequency of 0.
    Any other net stays as it is.
    """
    for i, layer in enumerate(model.layers.layers):
        if isinstance(layer, CumulativeLogits | Ascending):
            kind = AscendingShares if isinstance(layer, Ascending) else EqualShares
            units = y.shape[1]
            each = np.ones(len(y)) if weight is None else weight.astype(np.float64)
            total = each.sum(axis=0)[..., None] / len(y)
            rows = np.tensordot(each, y.astype(np.float64), (0, 0)) / total
            share = (rows + np.arange(1, units + 1)) / (len(y) + units + 1)
            model.parameters.arrays[f"{i}.spacing"][...] = at_shares(kind, share)
