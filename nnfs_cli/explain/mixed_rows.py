"""The outputs of a net, or of its blend, for rows that are mixed with typical rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.explain.coalitions import Coalitions
from nnfs_cli.explain.first_layer import FirstLayer, first_layer
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.model import Model
from nnfs_cli.prediction.predictor import Predictor

ROWS = 32  # whose parts are made together: always so many, so that rows have the same bytes wherever they stand
BYTES = 1 << 26  # of mixed rows in memory; models of trees are fast with many


class MixedRows:
    """Predict every coalition of some rows, `at_once` at most.

    `columns` are the inputs of each column of the table, and `typical` (others, features) what they are mixed with.
    """

    def __init__(self, predictor: Predictor, columns: Sequence[Array], coalitions: Coalitions, typical: Array) -> None:
        self.predictor, self._n = predictor, len(coalitions.mask)
        model = predictor.model
        first = first_layer(model.body, model.parameters.views)
        self._net = None if first is None else _Parts(model, first, columns, coalitions, typical)
        self._whole = first is None or predictor.blend is not None  # whether all inputs of mixed rows are needed
        self.at_once = 16 * ROWS
        if self._whole:
            mask = np.zeros((self._n, model.input_shape[0]), bool)
            for j, inputs in enumerate(columns):
                mask[:, inputs] = coalitions.mask[:, j, None]
            self._mask, self._fill = mask, np.where(mask, 0, typical[coalitions.other]).astype(model.dtype)
            self.at_once = max(BYTES // self._fill.nbytes, 1)

    def outputs(self, X: Array) -> Array:
        """Return the outputs (rows, coalitions, n) for inputs (rows, features)."""
        if self._net is not None and not self._whole:
            return self._net.outputs(X)
        predictor = self.predictor
        mixed = np.where(self._mask, X[:, None], self._fill).reshape(-1, X.shape[1])
        if self._net is None:
            y_hat = predictor.model.predict(mixed, batch_size=self._n)
        else:
            y_hat = self._net.outputs(X).reshape(len(mixed), -1)
        if predictor.blend is not None:
            loss = predictor.config.loss
            y_hat = loss.from_pool(predictor.blend.outputs(mixed, loss.to_pool(y_hat)))
        return y_hat.reshape(len(X), self._n, -1)


class _Parts:
    """A net that begins with a linear map, to which each column adds a part.

    The parts are added up for each coalition, which takes far less time than to multiply all inputs.
    """

    def __init__(
        self, model: Model, first: FirstLayer, columns: Sequence[Array], coalitions: Coalitions, typical: Array
    ) -> None:
        dtype = np.dtype(np.float64) if first.linear else model.dtype
        self.model, self._rest, self._columns, self._dtype = model, first.rest, columns, dtype
        of_members = first.weight if model.members > 1 else first.weight[None]
        self._weights = [np.ascontiguousarray(of_members[:, inputs], dtype) for inputs in columns]
        self._mask = coalitions.mask.astype(dtype)
        parts = self._parts(typical)[:, coalitions.other]  # (members, coalitions, columns, n)
        bias = (first.bias if model.members > 1 else first.bias[None]).astype(dtype)
        self._others = np.einsum("cj,mcjn->mcn", 1 - self._mask, parts) + bias[:, None]

    def _parts(self, X: Array) -> Array:
        """Return what each column adds, (members, rows, columns, n), for inputs (rows, features)."""
        X = X.astype(self._dtype, copy=False)
        products = [np.matmul(X[:, inputs], each) for inputs, each in zip(self._columns, self._weights, strict=True)]
        return np.stack(products, axis=2)

    @np.errstate(over="ignore", invalid="ignore")  # the outputs show any overflow
    def outputs(self, X: Array) -> Array:
        """Return the outputs (rows, coalitions, n)."""
        model, context = self.model, Context(self._dtype, members=self.model.members)
        z, found = np.empty_like(self._others), np.empty((len(X), len(self._mask), *model.output_shape), self._dtype)
        for start in range(0, len(X), ROWS):
            rows = X[start : start + ROWS]
            padded = np.zeros((ROWS, X.shape[1]), X.dtype)
            padded[: len(rows)] = rows
            parts = self._parts(padded)
            for row in range(len(rows)):
                np.matmul(self._mask, parts[:, row], out=z)
                z += self._others
                context.begin(z.shape[1])
                y = self._rest(z if model.members > 1 else z[0], context)
                y = model.activation.forward(model.parameters.views, y, context)[0]
                found[start + row] = np.add.reduce(y) / model.members if model.members > 1 else y
        return found
