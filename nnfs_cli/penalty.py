"""Penalties on large weights: the other way, besides decay, to keep a net from relying on any of them too much."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.parameters import Array, Layout
from nnfs_cli.settings import NonNegativeFloat, Section


class Penalty(Section):
    """What is added to the loss that training descends: l1 Σ |w| + l2/2 Σ w², over the weights, not the biases.

    A layer's own l1 and l2 take the place of these. The logged losses are without it, so that runs compare.
    Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 7.1.
    """

    main = "l2"

    l1: NonNegativeFloat = 0.0
    """The factor of the sum of absolute weights, which makes many of them zero."""
    l2: NonNegativeFloat = 0.0
    """The factor of half the sum of squared weights."""


class Penalties:
    """A penalty with the factors of every single parameter, (learned,) each."""

    def __init__(self, penalty: Penalty, layout: Layout, dtype: np.dtype[Any]) -> None:
        self._l1, self._l2, self._work = np.zeros((3, layout.learned), dtype)
        for name, spec in layout.specs.items():
            if spec.learned:
                own = layout.slices[name]
                self._l1[own] = (penalty.l1 if spec.decays else 0) if spec.l1 is None else spec.l1
                self._l2[own] = (penalty.l2 if spec.decays else 0) if spec.l2 is None else spec.l2
        self._has_l1 = bool(self._l1.any())
        self._any = self._has_l1 or bool(self._l2.any())

    def __bool__(self) -> bool:
        """Whether anything is penalised."""
        return self._any

    def value(self, w: Array) -> float:
        """l1 Σ |w| + l2/2 Σ w² at the parameters w (learned,)."""
        return float(self._l1 @ np.abs(w) + self._l2 @ np.square(w) / 2)

    def add_gradient(self, w: Array, gradient: Array) -> None:
        """Add l1 sign(w) + l2 w to a gradient (learned,); at w = 0 the subgradient 0 is taken."""
        np.add(gradient, np.multiply(self._l2, w, out=self._work), out=gradient)
        if self._has_l1:
            np.multiply(self._l1, np.sign(w, out=self._work), out=self._work)
            np.add(gradient, self._work, out=gradient)
