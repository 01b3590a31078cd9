"""Cut points between ordered classes as parameters that keep them in order, whatever values they take."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.arrays import Array, Shape


class EqualShares:
    """Cut points c of classes that are equally frequent: sigmoid(c_k) = (k + 1) / (units + 1)."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Return the parameters; nothing is random."""
        return self.parameters(_logits(np.arange(1, shape[-1] + 1) / (shape[-1] + 1)))

    @staticmethod
    def parameters(cuts: Array) -> Array:
        """Return the parameters of cut points (..., units): the first, and the logarithms of the distances between."""
        return np.concatenate([cuts[..., :1], np.log(np.diff(cuts, axis=-1))], axis=-1)


class AscendingShares(EqualShares):
    """Cut points of classes that are equally frequent, as parameters whose softplus is the distance between two."""

    @staticmethod
    def parameters(cuts: Array) -> Array:
        """Return the parameters of cut points (..., units): the first, and the inverse softplus of the distances."""
        return np.concatenate([cuts[..., :1], np.log(np.expm1(np.diff(cuts, axis=-1)))], axis=-1)


def at_shares(kind: type[EqualShares], share: Array) -> Array:
    """Return the parameters of cut points (..., units) below which these shares of the rows lie."""
    return kind.parameters(_logits(share))


def _logits(share: Array) -> Array:
    return np.asarray(np.log(share / (1 - share)))
