"""Cut points between ordered classes as parameters that keep them in order, whatever values they take."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.arrays import Array, Shape


class EqualShares:
    """Cut points of classes that are equally frequent: sigmoid(c_k) = (k + 1) / (units + 1)."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Return the parameters; nothing is random."""
        share = np.arange(1, shape[-1] + 1) / (shape[-1] + 1)
        return spacing(np.log(share / (1 - share)))


def spacing(cuts: Array) -> Array:
    """Return the parameters of cut points (..., units): the first, and the logarithms of the distances between them."""
    return np.concatenate([cuts[..., :1], np.log(np.diff(cuts, axis=-1))], axis=-1)
