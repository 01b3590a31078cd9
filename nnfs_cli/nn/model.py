"""The net as a whole: layers and a loss, built for rows of one shape, with its parameters and their gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np

from nnfs_cli.arrays import Array, Shape, weight_of
from nnfs_cli.nn.layers import Context, Draws, Layer
from nnfs_cli.nn.layers.after_lookup import AfterLookup
from nnfs_cli.nn.layers.identity import Identity
from nnfs_cli.nn.layers.lookup import Lookup
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.nan_probe import Observed
from nnfs_cli.nn.parameters import Parameters

PORTION = 1_000_000  # numbers that rows become together, where they are not learned from,
ROWS = 1_024  # and the most rows


class Model:
    """A `Sequential` of layers and a loss, with the flat vectors that hold their numbers.

    Parameters begin as drawn from `rng` (a numpy Generator or RandomState), or at zero when there is none. With a
    `lookup` some inputs are codes, which become learned vectors before the first layer.

    With `members` it is as many nets of one kind, trained as one: every array has an axis for them before all others,
    `rng` is a sequence with one for each, and what the model predicts is the mean of what they do.
    Raises `ShapeError` when the layers do not fit together.
    """

    def __init__(
        self,
        layers: Iterable[Layer],
        loss: Loss,
        input_shape: Shape,
        dtype: np.dtype[Any] | type | str = "float32",
        rng: Any = None,
        lookup: Lookup | None = None,
        members: int = 0,
    ) -> None:
        layers = tuple(layers)
        self.layers = AfterLookup(layers=layers, lookup=lookup) if lookup else Sequential(layers=layers)
        self.loss, self.lookup, self.members = loss, lookup, members
        self.input_shape = input_shape
        self.output_shape, tree = self.layers.build(input_shape)
        self._numbers = self._count_numbers()
        self.parameters = Parameters(tree, dtype, members=members)
        self.gradients = Parameters(tree, dtype, gradients=True, members=members)
        if rng is not None:
            self.parameters.initialize(*(rng if members else [rng]))
        # Where the loss belongs with the final activation, the body stops short of it, at the logits.
        final = self.layers.final
        self.fused = loss.activation is not None and (isinstance(final, loss.activation) or final.output_range is None)
        self._body = self.layers.with_final(Identity()) if self.fused and final.output_range else self.layers
        self._activation = loss.activation() if loss.activation and self.fused else Identity()
        self._loss_forward = loss.forward_logits if self.fused else loss.forward
        self._training = Context(dtype, training=True, members=members)
        self._predicting = Context(dtype, members=members)

    def _count_numbers(self) -> int:
        """How many a row becomes on its way through the layers, with those it comes as; of all members."""
        shape, numbers = self.input_shape, math.prod(self.input_shape)
        for layer in self.layers.layers:
            if self.lookup is not None and shape is self.input_shape:
                shape, _ = self.lookup.build(shape)
            shape, _ = layer.build(shape)
            numbers += math.prod(shape)
        return numbers * max(self.members, 1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of every number in the net."""
        return self.parameters.vector.dtype

    @property
    def largest(self) -> int:
        """How many numbers its largest matrix has."""
        return max((math.prod(spec.shape) for spec in self.parameters.layout.specs.values()), default=0)

    @property
    def n_parameters(self) -> int:
        """How many numbers the net learns; all its members together."""
        return self.parameters.learned.size

    def differentiate(
        self,
        x: Array,
        y: Array,
        weight: Array | None = None,
        draws: Draws | None = None,
        whole: float | None = None,
    ) -> float:
        """Write the gradient of the batch's loss into `gradients` and return the sum of the rows' losses.

        Of members, each has its own gradient, and the sum is the mean of theirs.

        x (batch, *input_shape), y (batch, n_outputs) and, if rows do not count alike, `weight` (batch,), or
        (batch, members) where each counts them in its own way, are of the net's dtype. What is differentiated is the
        mean or the sum over the batch, as the loss's `reduction` says; with weights a row of weight 2 is as good as two
        rows. The mean is over the weight of these rows, or over `whole`, what such a batch weighs on average. `draws`
        makes the random numbers of layers such as dropout.
        """
        context = self._training
        context.begin(len(x), draws)
        n = len(x)
        if self.members:
            x, y = (np.broadcast_to(array, (self.members, *array.shape)) for array in (x, y))
        y_hat, backward = self._body.forward(self.parameters.views, x, context)
        losses, loss_backward = self._loss_forward(y_hat, y, context)
        if weight is None:
            backward(loss_backward(self.loss.row_weight(n)), self.gradients.views, False)
            return float(np.dot(losses, context.ones(n)).mean())
        whole = whole or weight_of(weight) or 1.0  # rows that all weigh nothing have no gradient
        each = weight.T[..., None]
        counts = np.multiply(each, self.loss.row_weight(whole), out=context.empty(each.shape))
        backward(loss_backward(counts), self.gradients.views, False)
        if weight.ndim > 1:
            return float(np.multiply(losses, weight.T, out=losses).sum()) / self.members
        return float(np.dot(losses, weight).mean())

    def first_infinite(self, x: Array, y: Array, *how: Any) -> str:
        """Where `differentiate` with these arguments first comes upon a number that is not finite, in words."""
        for name, array in {**self.parameters.arrays, "the inputs": x, "the targets": y}.items():
            if not np.isfinite(array).all():
                return f"in {name}"
        found: list[str] = []
        body = cast(Sequential, self._body)
        named = [(layer, f"layers.{i} ({layer.describe()})") for i, layer in enumerate(body.layers)]
        self._body = body.model_copy(update={"layers": tuple(Observed(*layer, found) for layer in named)})
        try:
            self.differentiate(x, y, *how)
        finally:
            self._body = body
        return found[0] if found else "in the loss"

    @np.errstate(over="ignore", invalid="ignore")  # what overflows shows in what comes out
    def predict(self, X: Array, batch_size: int | None = None, member: Array | None = None) -> Array:
        """The output of the final activation for every row: (rows, *input_shape) -> (rows, *output_shape).

        It is the mean of what members say, or what the one of them says that `member` (rows,) names for the row.
        """
        y_hat = np.empty((len(X), *self.output_shape), self.dtype)
        for rows, answer in self._answers(X, batch_size, member):
            y_hat[rows] = answer
        return y_hat

    @np.errstate(over="ignore", invalid="ignore")
    def evaluate(
        self,
        X: Array,
        y: Array,
        weight: Array | None = None,
        batch_size: int | None = None,
        member: Array | None = None,
    ) -> tuple[float, Array]:
        """The mean loss over the rows, each with its weight (rows,) if there are any, and what `predict` gives."""
        total = 0.0
        y_hat = np.empty((len(X), *self.output_shape), self.dtype)
        for rows, answer, losses in self._judged(X, y, batch_size, member):
            y_hat[rows] = answer
            total += float(losses.sum(dtype=np.float64) if weight is None else losses.astype(np.float64) @ weight[rows])
        whole = len(X) if weight is None else float(weight.sum(dtype=np.float64))
        return total / whole if whole else math.nan, y_hat

    def _judged(
        self, X: Array, y: Array, batch_size: int | None, member: Array | None
    ) -> Iterator[tuple[Any, Array, Array]]:
        """Some rows at a time: their places, what is said of them, and what that loses, (rows,)."""
        if self.members:
            for rows, y_hat in self._answers(X, batch_size, member):
                yield rows, y_hat, self.loss.forward(y_hat, y[rows], self._predicting)[0]
            return
        for rows in self._portions(len(X), batch_size):
            body = self._forward(X[rows])
            losses = self._loss_forward(body, y[rows], self._predicting)[0]
            yield rows, self._activate(body), losses

    def _answers(self, X: Array, batch_size: int | None, member: Array | None) -> Iterator[tuple[Any, Array]]:
        """Some rows at a time: their places, and what is said of them."""
        if member is None:
            for rows in self._portions(len(X), batch_size):
                y_hat = self._activate(self._forward(X[rows]))
                yield rows, y_hat.mean(axis=0) if self.members else y_hat
            return
        own = [np.flatnonzero(member == j) for j in range(self.members)]
        for portion in self._portions(max(map(len, own)), batch_size):
            places = [of_member[portion] for of_member in own]
            grid = np.zeros((self.members, max(map(len, places))), np.intp)  # the first row stands where there is none
            for line, of_member in zip(grid, places, strict=True):
                line[: len(of_member)] = of_member
            said = self._activate(self._forward(X[grid], of_each=True))
            for of_member, y_hat in zip(places, said, strict=True):
                yield of_member, y_hat[: len(of_member)]

    def _portions(self, n: int, batch_size: int | None) -> Iterator[slice]:
        """Some of n rows at a time: unless it is given, as many as take little memory, which is the fastest, too."""
        size = batch_size or min(max(PORTION // self._numbers, 64), ROWS)
        return (slice(start, min(start + size, n)) for start in range(0, n, size))

    def _forward(self, x: Array, of_each: bool = False) -> Array:
        """What the body gives for x (rows, ...), the same for all members, or (members, rows, ...)."""
        self._predicting.begin(x.shape[int(of_each)])
        x = np.asarray(x, self.dtype)
        x = np.broadcast_to(x, (self.members, *x.shape)) if self.members and not of_each else x
        return self._body.forward(self.parameters.views, x, self._predicting)[0]

    def _activate(self, body: Array) -> Array:
        return self._activation.forward(self.parameters.views, body, self._predicting)[0]

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Take over parameters by name. Raises `ValueError` unless names and shapes are exactly the net's own."""
        own = self.parameters.arrays
        if set(arrays) != set(own):
            raise ValueError(f"expected the arrays {sorted(own)}, found {sorted(arrays)}")
        for name, array in own.items():
            if arrays[name].shape != array.shape:
                raise ValueError(f"{name} has the shape {arrays[name].shape}; the net needs {array.shape}")
            array[...] = arrays[name]

    def describe(self) -> str:
        """The net in a line: ``30 -> linear 20 -> relu -> linear 1 -> sigmoid``, with its members before it."""
        widened = [f"{table.name} {table.rows} x {table.width}" for table in self.lookup.tables] if self.lookup else []
        before = f"{self.members} members of " if self.members else ""
        before += f"{' x '.join(map(str, self.input_shape))} -> "
        return before + "".join(f"embedding {table} -> " for table in widened) + self.layers.describe()
