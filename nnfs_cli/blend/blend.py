"""The fitted blend: an ensemble of nets together with the models beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.base import BlendedModel, Fitted, require
from nnfs_cli.blend.constant import Constant
from nnfs_cli.blend.folded_rows import FoldedRows, Sets
from nnfs_cli.blend.weights import Choice, pool_operations, pooled
from nnfs_cli.pipeline.elementwise import cast
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.shapes import sum_members
from nnfs_cli.pipeline.value import Value

NOTHING: Mapping[int, Array] = MappingProxyType({})
NET = 2.0  # strength of the net, as of a `BlendedModel`
SUPPORTED = ("binary_cross_entropy", "cross_entropy", "mse", "ordinal")  # losses that the models can be fitted to


@dataclass(frozen=True)
class Blend:
    """Models beside the net, and how much each of them counts.

    `weights` (1 + sets, 1 + models) are those of the net and of each model: first for new rows, then for the rows that
    each set leaves out, chosen without these rows. `losses` (2 + models,) are the losses out of fold: of the blend, of
    the net and of each model. A model that never counts has no arrays.
    """

    models: tuple[BlendedModel, ...]
    fitted: tuple[Fitted, ...]
    sets: Sets
    weights: Array
    losses: Array
    probable: bool

    @classmethod
    def fit(
        cls, models: Sequence[BlendedModel], rows: FoldedRows, y_hat: Array, loss_of: Callable[[Array], float]
    ) -> Self:
        """Fit the models to the folds of the rows, and choose the weights by the outputs out of fold.

        `y_hat` (rows in folds, outputs) are the outputs of the net, each of a member that has not seen the row.
        `loss_of` returns the loss of outputs for these rows.
        """
        probable, by = bool(rows.n_classes), rows.held_out_by
        held = np.flatnonzero(by >= 0)
        by, X, target, weight = by[held], rows.X[held], rows.target[held], rows.weight_of(held)
        fitted = [model.fit(rows) for model in models]
        outputs = np.empty((1 + len(models), len(held), rows.n_outputs))
        outputs[0] = y_hat
        for model, arrays, of_model in zip(models, fitted, outputs[1:], strict=True):
            of_model[:] = _by_set(model, arrays, X, by, probable, rows.n_outputs)
        choice = Choice(outputs, target, weight, _prior(models), probable, _place_of_constant(models))
        weights = np.stack([choice.weights(), *(choice.weights(by != k) for k in range(rows.sets.n))])
        blended = np.empty_like(outputs[0])
        for k in range(rows.sets.n):
            blended[by == k] = pooled(outputs[:, by == k], weights[1 + k], probable)
        losses = np.array([loss_of(one) for one in (blended, *outputs)])
        kept = tuple(arrays if w.any() else {} for arrays, w in zip(fitted, weights.T[1:], strict=True))
        return cls(tuple(models), kept, rows.sets, weights, losses, probable)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts: the net, then the models."""
        return ("net", *(model.name for model in self.models))

    def figures(self) -> dict[str, dict[str, float]]:
        """Return the `weight` of the net and of each model for new rows, and its `loss` out of fold, by name."""
        parts = zip(self.names, self.weights[0].tolist(), self.losses[1:].tolist(), strict=True)
        return {name: {"weight": weight, "loss": loss} for name, weight, loss in parts}

    def outputs(self, X: Array, y_hat: Array, member: Array | None = None) -> Array:
        """Return the outputs (rows, outputs) of the blend, for inputs (rows, inputs) and outputs of the net.

        If rows are predicted by a `member` (rows,) each, the models of its set, which have not seen
        them either, join it with weights that were chosen without them.
        """
        found = np.empty_like(y_hat)
        sets = None if member is None else self.sets.of_member[member]
        for k in [None] if sets is None else np.unique(sets):
            rows = slice(None) if sets is None else np.flatnonzero(sets == k)
            found[rows] = self._outputs(X[rows], y_hat[rows], k)
        return found

    def outputs_of_parts(self, X: Array, y_hat: Array, parts: Iterable[slice]) -> Array:
        """Return what `outputs` returns for each part of the rows alone, with the same bytes in less time."""
        sets, found = np.arange(self.sets.n), np.empty_like(y_hat)
        at_once = {
            i: model.outputs(arrays, X, sets, self.probable)
            for i, (model, arrays) in enumerate(zip(self.models, self.fitted, strict=True))
            if model.by_row and self.weights[0, 1 + i]
        }
        for rows in parts:
            known = {i: outputs[:, rows] for i, outputs in at_once.items()}
            found[rows] = self._outputs(X[rows], y_hat[rows], None, known)
        return found

    def _outputs(self, X: Array, y_hat: Array, k: int | None, known: Mapping[int, Array] = NOTHING) -> Array:
        """Return the outputs of the models of a set, or of all sets together.

        `known` are outputs (sets, rows, outputs) of models, by their index, that need not be computed.
        """
        weights = self.weights[0 if k is None else 1 + k]
        parts = [y_hat.astype(np.float64)] if weights[0] else []
        sets, shares = (np.arange(self.sets.n), self.sets.shares) if k is None else (np.array([k]), np.ones(1))
        for i, (model, arrays, weight) in enumerate(zip(self.models, self.fitted, weights[1:], strict=True)):
            if weight:
                outputs = known[i] if i in known else model.outputs(arrays, X, sets, self.probable)
                parts.append(np.tensordot(shares, outputs, axes=1))
        return pooled(np.stack(parts), weights[weights != 0], self.probable)

    def operations(self, X: Value, y_hat: Value) -> Value:
        """Return what `outputs` computes for new rows as operations of a pipeline: (inputs,), (n,) -> (n,).

        Raises `ExportError` for a model that does not say what it computes.
        """
        weights = self.weights[0]
        parts = [cast(y_hat, "float64")] if weights[0] else []
        for model, arrays, weight in zip(self.models, self.fitted, weights[1:], strict=True):
            if weight:
                model.require_operations()
                with part(f"blended model: {model.label()}", arrays):
                    parts.append(sum_members(model.operations(arrays, X, self.probable), self.sets.shares))
        with part("blend"):
            return cast(pool_operations(parts, weights[weights != 0].tolist(), self.probable), y_hat.dtype)

    def arrays(self) -> dict[str, Array]:
        """Return everything that the blend has learned as arrays by name; see `of_arrays`."""
        of_models = {f"{i}.{name}": array for i, one in enumerate(self.fitted) for name, array in one.items()}
        return {"weights": self.weights, "losses": self.losses, "sets": self.sets.of_member, **of_models}

    @classmethod
    def of_arrays(
        cls, models: Sequence[BlendedModel], arrays: Mapping[str, Array], net: tuple[int, int, int], probable: bool
    ) -> Self:
        """Restore a blend from its arrays, for a net of this many members, inputs and outputs.

        Raises `ValueError` unless they fit it.
        """
        members, n_inputs, n_outputs = net
        of_member = require(arrays, "sets", (members,), "i")
        if (of_member < 0).any() or (of_member >= members).any():
            raise ValueError("its sets do not fit the members of the net")
        sets = Sets(of_member)
        weights = require(arrays, "weights", (1 + sets.n, 1 + len(models)))
        losses = require(arrays, "losses", (2 + len(models),))
        if (weights < 0).any() or not weights.any(axis=1).all():
            raise ValueError("its weights are not numbers of 0 or more")
        fitted = []
        for i, (model, w) in enumerate(zip(models, weights.T[1:], strict=True)):
            own = {name.removeprefix(f"{i}."): array for name, array in arrays.items() if name.startswith(f"{i}.")}
            if w.any():
                model.check(own, sets.n, n_inputs, n_outputs)
            fitted.append(own)
        return cls(tuple(models), tuple(fitted), sets, weights, losses, probable)


def _by_set(model: BlendedModel, fitted: Fitted, X: Array, sets: Array, probable: bool, n_outputs: int) -> Array:
    """Return the outputs (rows, outputs) of the model of one set (rows,) for each row."""
    found = np.empty((len(X), n_outputs))
    for k in np.unique(sets):
        rows = np.flatnonzero(sets == k)
        found[rows] = model.outputs(fitted, X[rows], np.array([k]), probable)[0]
    return found


def _prior(models: Sequence[BlendedModel]) -> Array:
    """Return the weights (1 + models,) before any row has been looked at."""
    strengths = np.array([NET, *(model.strength for model in models)])
    return np.asarray(strengths / strengths.sum())


def _place_of_constant(models: Sequence[BlendedModel]) -> int | None:
    """Return the index of the constant model among the net and the models, if it is one of them."""
    return next((i for i, model in enumerate(models, 1) if isinstance(model, Constant)), None)
