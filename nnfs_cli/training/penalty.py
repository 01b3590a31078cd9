"""Penalties on large weights, which keep a net from relying on a few of them, as weight decay does."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.components.section import Section
from nnfs_cli.nn.parameters import Parameters

Factors = dict[str, Array]  # l1 and l2, each (learned,), unless no parameter has that factor; and work, a buffer


class Penalty(Section):
    """A term added to the loss that training minimizes: l1 Σ |w| + l2/2 Σ w², over the weights, not the biases.

    A layer's own l1 and l2 replace these. The logged losses leave the penalty out, so that runs can be compared.
    Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 7.1.
    """

    main = "l2"

    l1: NonNegativeFloat = 0.0
    """Factor of the sum of absolute weights. It makes many weights zero."""
    l2: NonNegativeFloat = Field(default=0.0, kw_only=False)
    """Factor of half the sum of squared weights."""

    def begin(self, parameters: Parameters) -> Factors:
        """Return the factors of every single parameter, for the other methods; empty if nothing is penalized."""
        factors = {kind: _spread(parameters, kind, getattr(self, kind)) for kind in ("l1", "l2")}
        found = {kind: factor for kind, factor in factors.items() if factor is not None}
        return found | {"work": np.empty_like(parameters.learned)} if found else {}

    def value(self, w: Array, factors: Factors) -> float:
        """Return l1 Σ |w| + l2/2 Σ w² at the parameters w (learned,)."""
        value, work = 0.0, factors["work"]
        if "l1" in factors:
            value += float(np.dot(factors["l1"], np.abs(w, out=work)))
        if "l2" in factors:
            value += float(np.dot(factors["l2"], np.square(w, out=work))) / 2
        return value

    def add_gradient(self, w: Array, gradient: Array, factors: Factors) -> None:
        """Add l1 sign(w) + l2 w to a gradient (members?, learned); at w = 0 the subgradient is 0."""
        work = factors["work"]
        if "l2" in factors:
            np.add(gradient, np.multiply(factors["l2"], w, out=work), out=gradient)
        if "l1" in factors:
            np.multiply(factors["l1"], np.sign(w, out=work), out=work)
            np.add(gradient, work, out=gradient)


def _spread(parameters: Parameters, kind: Literal["l1", "l2"], factor: float) -> Array | None:
    """Return the factor of each parameter: the layer's own, or `factor` for weights; None if all are 0."""
    layout, spread = parameters.layout, None
    for name, spec in layout.specs.items():
        own: float | None = getattr(spec, kind)
        value = own if own is not None else factor if spec.decays else 0.0
        if value and spec.learned:
            spread = np.zeros(layout.learned, parameters.vector.dtype) if spread is None else spread
            spread[layout.slices[name]] = value
    return spread
