"""Penalties on large weights: the other way, besides decay, to keep a net from relying on any of them too much."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.components.section import Section
from nnfs_cli.nn.parameters import Layout


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
    """A penalty with the factors of every single parameter, (learned,) each, or None where there is nothing to add."""

    def __init__(self, penalty: Penalty, layout: Layout, dtype: np.dtype[Any]) -> None:
        self._l1 = _spread(layout, dtype, "l1", penalty.l1)
        self._l2 = _spread(layout, dtype, "l2", penalty.l2)
        self._work = np.empty(0, dtype)

    def __bool__(self) -> bool:
        """Whether anything is penalised."""
        return self._l1 is not None or self._l2 is not None

    def value(self, w: Array) -> float:
        """l1 Σ |w| + l2/2 Σ w² at the parameters w (learned,)."""
        value = 0.0
        self._make_room(w)
        if self._l1 is not None:
            value += float(np.dot(self._l1, np.abs(w, out=self._work)))
        if self._l2 is not None:
            value += float(np.dot(self._l2, np.square(w, out=self._work))) / 2
        return value

    def add_gradient(self, w: Array, gradient: Array) -> None:
        """Add l1 sign(w) + l2 w to a gradient (members?, learned); at w = 0 the subgradient 0 is taken."""
        self._make_room(w)
        if self._l2 is not None:
            np.add(gradient, np.multiply(self._l2, w, out=self._work), out=gradient)
        if self._l1 is not None:
            np.multiply(self._l1, np.sign(w, out=self._work), out=self._work)
            np.add(gradient, self._work, out=gradient)

    def _make_room(self, w: Array) -> None:
        if self._work.shape != w.shape:
            self._work = np.empty(w.shape, self._work.dtype)


def _spread(layout: Layout, dtype: np.dtype[Any], kind: Literal["l1", "l2"], factor: float) -> Array | None:
    """The layers' own factors, or else the run's for what decays, by parameter; None when all are 0."""
    spread = None
    for name, spec in layout.specs.items():
        own: float | None = getattr(spec, kind)
        value = own if own is not None else factor if spec.decays else 0.0
        if value and spec.learned:
            spread = np.zeros(layout.learned, dtype) if spread is None else spread
            spread[layout.slices[name]] = value
    return spread
