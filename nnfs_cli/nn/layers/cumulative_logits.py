"""Cumulative logits: one score for each row, beside cut points that are learned and stay in order."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.field_types import PositiveInt
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.cut_points import EqualShares
from nnfs_cli.nn.initializers import Initializer, UniformFanIn
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views
from nnfs_cli.pipeline.elementwise import subtract
from nnfs_cli.pipeline.shapes import matmul
from nnfs_cli.pipeline.value import Value, constant


class CumulativeLogits(Layer, name="cumulative_logits", main="units"):
    """One score beside cut points in order: y_k = c_k - x w with c_0 = s_0 and c_k = c_k-1 + exp(s_k).

    It is the last layer of a net for ordered classes, with the loss `ordinal`: sigmoid(y_k) is the probability that the
    class is k or one before it. One more class than cut points can be told apart. Since the cut points ascend, so do
    these probabilities, for every row. With `ascending`, each row has cut points of its own.
    Gradients, with dy = dL/dy: dw = -Σ_batch xᵀ Σ_k dy_k, ds_j = exp(s_j) Σ_k>=j Σ_batch dy_k (without exp for
    j = 0), dx = -(Σ_k dy_k) wᵀ.
    Shapes: x (batch, ..., n_inputs), w (n_inputs, 1), s (units,), y (batch, ..., units).
    Source: McCullagh, "Regression Models for Ordinal Data" (1980), the proportional-odds model.
    """

    examples = ("cumulative_logits: 6", "cumulative_logits: {units: 2, init: he_normal}")
    by_entry = (
        "y_k = spacing_0 + reach_k - Σ_i x_i weight_i0",
        "dx_i = -weight_i0 (Σ_k dy_k)",
        "dweight_ij = -Σ_b x_bi (Σ_k dy_bk)",
        "dspacing_j = distance_j (Σ_b (Σ_k dy_bk after_kj))",
    )

    units: PositiveInt = Field(kw_only=False)
    """Number of cut points: one less than there are classes."""
    init: Initializer = UniformFanIn()
    """Initializer of the weights w. The cut points start where the frequencies of the classes put them, or, in Python,
    where those of equally frequent classes do."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return one weight for each input, the first cut point, and the logarithms of the distances to the next."""
        *axes, n_inputs = input_shape
        return (*axes, self.units), {
            "weight": ParameterSpec((n_inputs, 1), self.init, n_inputs, 1, decays=True),
            "spacing": ParameterSpec((self.units,), EqualShares(), n_inputs, self.units),
        }

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ..., n_inputs) -> (batch, ..., units)."""
        shape, x = x.shape, context.as_rows(x)
        score = context.matmul(x, p.weight)
        distance = np.exp(p.spacing, out=context.empty(p.spacing.shape))
        cuts = context.empty(distance.shape)
        cuts[...] = distance
        cuts[..., 0] = p.spacing[..., 0]
        np.cumsum(cuts, axis=-1, out=cuts)
        y = np.subtract(cuts[..., None, :], score, out=context.empty((*score.shape[:-1], self.units)))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            rows = context.as_rows(dy)
            total = np.dot(rows, context.ones(self.units), out=context.empty(rows.shape[:-1]))
            dscore = np.negative(total, out=total)[..., None]
            context.sum_outer(x, dscore, out=g.weight)
            context.sum_rows(rows, out=cuts)
            later = g.spacing[..., ::-1]
            np.cumsum(cuts[..., ::-1], axis=-1, out=later)
            distance[..., 0] = 1
            np.multiply(g.spacing, distance, out=g.spacing)
            return context.matmul(dscore, p.weight.mT).reshape(shape) if need_dx else dy

        return y.reshape(*shape[:-1], self.units), backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return c - x w."""
        spacing = p.spacing.array
        steps = np.concatenate([spacing[..., :1], np.exp(spacing[..., 1:])], axis=-1)
        cuts = constant(np.cumsum(steps, axis=-1), members=bool(p.spacing.members))
        return subtract(cuts, matmul(x, p.weight))

    def named_numbers(self, x: Array, y: Array) -> dict[str, Array | float]:
        """Return numbers of the cut points, whatever the scores.

        `reach` (batch, ..., units) is how far a cut point lies behind the first, `distance` (units,) how far it lies
        behind the one before it (1 for the first), and `after` (units, units) is 1 if cut point k is j or behind it.
        """
        reach = y - y[..., :1]
        distance = np.diff(reach.reshape(-1, self.units)[0], prepend=-1.0)
        return {"reach": reach, "distance": distance, "after": np.tri(self.units)}
