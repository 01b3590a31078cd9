"""The model: layers and a loss, built for rows of one shape, with the parameters and their gradients."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from nnfs_cli.arrays import Array, Shape, total_weight
from nnfs_cli.nn.context import Context, Draws
from nnfs_cli.nn.embedding import EmbeddedSequential, Embedding
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.identity import Identity
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.nan_probe import NanProbe
from nnfs_cli.nn.parameters import Parameters, constants
from nnfs_cli.nn.probes import Observer, observed
from nnfs_cli.pipeline.elementwise import cast
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.shapes import sum_members
from nnfs_cli.pipeline.value import DType, Value
from nnfs_cli.system.helpers import do_together
from nnfs_cli.system.spill import SpilledCopy
from nnfs_cli.system.threads import allowed_threads
from nnfs_cli.system.wording import listing

CHUNK_NUMBERS = 1_000_000  # numbers in all layers' outputs for the rows of one prediction pass
CHUNK_ROWS = 1_024  # the most rows of one prediction pass
SHARED_NUMBERS = 500_000  # in all layers' outputs of all passes, from which on several threads make them

# The rows of one pass, as a slice or as indices: the same for all members, or for each member its own.
Piece = tuple[Any, ...]
Result = TypeVar("Result")


class Model:
    """A `Sequential` of layers and a loss, with the flat vectors that hold their numbers.

    `rng` (a NumPy Generator or RandomState) draws the first parameters; without it they are zero. With an `embedding`,
    some inputs are codes, which become learned vectors before the first layer.

    With more than one of `members`, the model is an ensemble of such nets, trained as one: every array has an axis for
    the members before all others, `rng` is a sequence of one generator for each, and predictions are the mean of the
    members' predictions. Raises `ShapeError` if the layers do not fit together.

    Any number of threads may predict and evaluate at once. Only one may call `differentiate`, `load` or anything else
    that changes the net, and none may predict meanwhile.
    """

    def __init__(
        self,
        layers: Iterable[Layer],
        loss: Loss,
        input_shape: Shape,
        dtype: np.dtype[Any] | type | str = "float32",
        rng: Any = None,
        embedding: Embedding | None = None,
        members: int = 1,
    ) -> None:
        layers = tuple(layers)
        self.layers = EmbeddedSequential(layers=layers, embedding=embedding) if embedding else Sequential(layers=layers)
        self.loss, self.embedding, self.members = loss, embedding, members
        self.first_member = 0  # among the members of an ensemble that this net is a share of
        self.input_shape = input_shape
        self.output_shape, tree = self.layers.build(input_shape)
        self.numbers_per_row = self._count_numbers_per_row()  # as input and as output of every layer
        self.parameters = Parameters(tree, dtype, members=members)
        self.gradients = Parameters(tree, dtype, gradients=True, members=members)
        if rng is not None:
            self.parameters.initialize(*(rng if isinstance(rng, Sequence) else [rng]))
        # If the loss includes the final activation, the body leaves it out and returns logits.
        final = self.layers.final
        self.fused = loss.activation is not None and (isinstance(final, loss.activation) or final.output_range is None)
        self._stand_in = Identity()
        self._body = self.layers.with_final(self._stand_in) if self.fused and final.output_range else self.layers
        self._activation = loss.activation() if loss.activation and self.fused else Identity()
        self._loss_forward = loss.forward_logits if self.fused else loss.forward
        self._training = Context(dtype, training=True, members=members)
        # While another engine trains the net: it returns the sum of the losses and the outputs, or None.
        self.evaluator: Callable[[Array, Array, Array | None], tuple[float, Array] | None] | None = None
        self._watched = False  # whether an observer sees the passes, which are then made one after another
        self._idle: list[Context] = []  # contexts of predictions that have ended, for the next ones

    def _count_numbers_per_row(self) -> int:
        """Return how many numbers a row has as input and as output of every layer, in all members together."""
        shape, numbers = self.input_shape, math.prod(self.input_shape)
        if self.embedding is not None:
            shape, _ = self.embedding.build(shape)
        for layer in self.layers.layers:
            shape, _ = layer.build(shape)
            numbers += math.prod(shape)
        return numbers * self.members

    @property
    def body(self) -> Layer:
        """The layers without a final activation that the loss includes; see `fused`."""
        return self._body

    @property
    def activation(self) -> Layer:
        """The activation that the loss includes; it follows the `body` in predictions."""
        return self._activation

    @property
    def rows_of_pass(self) -> int:
        """The most rows of one prediction pass, which keep its memory small; that is fastest."""
        return min(max(CHUNK_NUMBERS // self.numbers_per_row, 64), CHUNK_ROWS)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of every number in the net."""
        return self.parameters.vector.dtype

    @property
    def n_parameters(self) -> int:
        """The number of learned parameters of all members together."""
        return self.parameters.learned.size

    def differentiate(
        self,
        x: Array,
        y: Array,
        weight: Array | None = None,
        draws: Draws | None = None,
        mean_total: float | None = None,
    ) -> float:
        """Write the gradient of the batch's loss into `gradients` and return the sum of the rows' losses.

        x (batch, *input_shape), y (batch, n_outputs) and `weight` are of the net's dtype. `weight` (batch,) gives the
        weight of each row, or (batch, members) its weight for each member. The loss of the batch is the mean or the sum
        over its rows, as `reduction` of the loss sets it; a row of weight 2 counts as two rows. The mean divides by the
        weight of these rows, or by `mean_total`, the weight of an average batch, if given. `draws` makes the random
        numbers of layers such as dropout.

        In an ensemble each member has its own gradient, and the sum returned is the mean of the members' sums.
        """
        return self.total_loss(self.differentiate_rows(x, y, weight, draws, mean_total), weight)

    def differentiate_rows(
        self, x: Array, y: Array, weight: Array | None, draws: Draws | None, mean_total: float | None
    ) -> Array:
        """Write the gradient as `differentiate` does, and return what `total_loss` needs, (members?, batch)."""
        context = self._training
        n = len(x)
        context.begin(n, draws)
        if context.axes > 1:
            x, y = (np.broadcast_to(array, (self.members, *array.shape)) for array in (x, y))
        y_hat, backward = self._body.forward(self.parameters.views, x, context)
        losses, loss_backward = self._loss_forward(y_hat, y, context)
        if weight is None:
            backward(loss_backward(self.loss.row_weight(n)), self.gradients.views, False)
            return losses
        mean_total = mean_total or total_weight(weight) or 1.0  # if all rows have weight 0, the gradient is 0
        each = weight.T[..., None]
        counts = np.multiply(each, self.loss.row_weight(mean_total), out=context.empty(each.shape))
        backward(loss_backward(counts), self.gradients.views, False)
        return np.multiply(losses, weight.T, out=losses) if weight.ndim > 1 else losses

    def total_loss(self, losses: Array, weight: Array | None) -> float:
        """Return the sum of the rows' losses, of what `differentiate_rows` returned for rows of this weight."""
        if weight is None:
            return float(np.dot(losses, self._training.ones(losses.shape[-1])).mean())
        return float(losses.sum()) / self.members if weight.ndim > 1 else float(np.dot(losses, weight).mean())

    def share(self, members: range, vector: Array) -> Model:
        """Return a net of some members that keeps its parameters in `vector` (members, size); it can only be trained.

        It computes for them the same bytes as the whole net does.
        """
        other: Model = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.members, other.first_member = len(members), self.first_member + members.start
        other.parameters = self.parameters.over(vector)
        other.gradients = self.gradients.over(np.zeros_like(self.gradients.vector[members.start : members.stop]))
        other._training, other._idle = Context(self.dtype, training=True, members=self.members), []
        return other

    def end_training(self) -> None:
        """Free the memory that only `differentiate` needs, apart from the gradients. It may be called again."""
        self._training.release()

    def first_not_finite(self, x: Array, y: Array, *how: Any) -> str:
        """Return where `differentiate` with these arguments first meets a number that is not finite."""
        for name, array in {**self.parameters.arrays, "the inputs": x, "the targets": y}.items():
            if not np.isfinite(array).all():
                return f"in {name}"
        probe = NanProbe()
        with self.observed(probe):
            self.differentiate(x, y, *how)
        return probe.found or "in the loss"

    @contextlib.contextmanager
    def observed(self, observer: Observer) -> Iterator[None]:
        """Show the observer every layer of the passes made meanwhile; no number in them changes.

        It sees what `differentiate`, `predict` and `evaluate` compute in the layers. If the loss includes the final
        activation (see `fused`), that activation is not seen: its place holds the logits.

        >>> import numpy as np
        >>> from nnfs_cli.nn.layers.linear import Linear
        >>> from nnfs_cli.nn.losses.mse import MSE
        >>> from nnfs_cli.nn.model import Model
        >>> from nnfs_cli.nn.probes import Observer
        >>> class Shapes(Observer):
        ...     def forward(self, path, layer, x, y):
        ...         print(path, layer.describe(), x.shape, "->", y.shape)
        >>> model = Model([Linear(3), Linear(1)], MSE(), (2,))
        >>> with model.observed(Shapes()):
        ...     loss = model.differentiate(np.ones((5, 2), "float32"), np.ones((5, 1), "float32"))
        layers.0 linear 3 (5, 2) -> (5, 3)
        layers.1 linear 1 (5, 3) -> (5, 1)
        """
        body, watched = self._body, self._watched
        self._body, self._watched = observed(body, observer, leave_out=self._stand_in), True
        try:
            yield
        finally:
            self._body, self._watched = body, watched

    @contextlib.contextmanager
    def untouched(self) -> Iterator[None]:
        """Let the passes made meanwhile leave no trace in gradients and running statistics."""
        gradients, running = self.gradients.vector, self.parameters.vector[..., self.parameters.learned.shape[-1] :]
        kept, before = SpilledCopy(gradients), running.copy()
        kept.store(gradients)
        try:
            yield
        finally:
            gradients[...], running[...] = kept.vector, before

    @np.errstate(over="ignore", invalid="ignore")  # the outputs show any overflow
    def predict(self, X: Array, batch_size: int | None = None, member: Array | None = None) -> Array:
        """Return the output of the final activation for every row: (rows, *input_shape) -> (rows, *output_shape).

        In an ensemble it is the mean of the members' outputs, or for each row the output of the one member that
        `member` (rows,) names.
        """
        y_hat = np.empty((len(X), *self.output_shape), self.dtype)

        def predict(piece: Piece, context: Context) -> None:
            for rows, chunk in self._predicted(X, piece, context):
                y_hat[rows] = chunk

        self._share(predict, self._pieces(len(X), batch_size, member))
        return y_hat

    def _share(self, work: Callable[[Piece, Context], Result], pieces: Sequence[Piece]) -> list[Result]:
        """Do some work for each piece, and return the results in order; much of it is shared by threads."""
        numbers = len(pieces) * CHUNK_ROWS * self.numbers_per_row
        lanes = 1 if self._watched or numbers < SHARED_NUMBERS else min(len(pieces), allowed_threads())
        results: list[Result] = [None] * len(pieces)  # type: ignore[list-item]

        def run(lane: int) -> None:
            context = self._take_context()
            for i in range(lane, len(pieces), lanes):
                results[i] = work(pieces[i], context)
            self._idle.append(context)

        if lanes > 1:
            do_together([partial(run, lane) for lane in range(lanes)])
        else:
            run(0)
        return results

    def _take_context(self) -> Context:
        """Return a context that no other thread predicts with; the one that ended last has warm buffers."""
        try:
            return self._idle.pop()  # in one step, so no other thread can get the same
        except IndexError:
            return Context(self.dtype, members=self.members)

    def evaluate(
        self,
        X: Array,
        y: Array,
        weight: Array | None = None,
        batch_size: int | None = None,
        member: Array | None = None,
    ) -> tuple[float, Array]:
        """Return the mean loss over the rows, weighted by `weight` (rows,) if given, and what `predict` returns."""
        whole = len(X) if weight is None else float(weight.sum(dtype=np.float64))
        if self.evaluator is not None and batch_size is None and member is None and not self._watched:
            found = self.evaluator(X, y, weight)
            if found is not None:
                return found[0] / whole if whole else math.nan, found[1]
        total, y_hat = self._evaluate(X, y, weight, self._pieces(len(X), batch_size, member))
        return total / whole if whole else math.nan, y_hat

    def loss_of(self, y_hat: Array, y: Array, weight: Array | None = None) -> float:
        """Return the mean loss of predictions (rows, n) for a target (rows, n), weighted by `weight` (rows,)."""
        losses = self.loss.of_rows(y_hat, y)
        return float(np.average(losses, weights=weight)) if weight is None or weight.any() else math.nan

    @np.errstate(over="ignore", invalid="ignore")
    def _evaluate(self, X: Array, y: Array, weight: Array | None, pieces: Sequence[Piece]) -> tuple[float, Array]:
        """Return the sum of the rows' losses · weight, and their predictions."""
        y_hat = np.empty((len(X), *self.output_shape), self.dtype)

        def score(piece: Piece, context: Context) -> float:
            total = 0.0
            for rows, chunk, losses in self._scored(X, y, piece, context):
                y_hat[rows] = chunk
                each = losses.astype(np.float64) if weight is not None else losses
                total += float(losses.sum(dtype=np.float64) if weight is None else each @ weight[rows])
            return total

        return sum(self._share(score, pieces)), y_hat

    def _scored(self, X: Array, y: Array, piece: Piece, context: Context) -> Iterator[tuple[Any, Array, Array]]:
        """Yield the rows of a piece, their predictions and their losses (rows,)."""
        if self.members > 1:
            for rows, y_hat in self._predicted(X, piece, context):
                yield rows, y_hat, self.loss.forward(y_hat, y[rows], context)[0]
        else:
            (rows,) = piece
            body = self._forward(X[rows], context)
            losses = self._loss_forward(body, y[rows], context)[0]
            yield rows, self._activate(body, context), losses

    def _predicted(self, X: Array, piece: Piece, context: Context) -> Iterator[tuple[Any, Array]]:
        """Yield the rows of a piece and their predictions; if each member has rows of its own, member by member."""
        if len(piece) == 1:
            y_hat = self._activate(self._forward(X[piece[0]], context), context)
            yield piece[0], np.add.reduce(y_hat) / self.members if self.members > 1 else y_hat
            return
        grid = np.zeros((self.members, max(map(len, piece))), np.intp)  # row 0 fills up the shorter lines
        for line, rows in zip(grid, piece, strict=True):
            line[: len(rows)] = rows
        y_hats = self._activate(self._forward(X[grid], context, per_member=True), context)
        for rows, y_hat in zip(piece, y_hats, strict=True):
            yield rows, y_hat[: len(rows)]

    def _pieces(self, n_rows: int, batch_size: int | None, member: Array | None) -> list[Piece]:
        """Return pieces of `batch_size` rows, `rows_of_pass` by default.

        A piece is a slice of rows, or for each member the rows that it predicts.
        """
        size = batch_size or self.rows_of_pass
        if member is None:
            return [(slice(start, min(start + size, n_rows)),) for start in range(0, n_rows, size)]
        rows_of = [np.flatnonzero(member == j) for j in range(self.members)]
        most = max(map(len, rows_of))
        return [tuple(rows[start : start + size] for rows in rows_of) for start in range(0, most, size)]

    def _forward(self, x: Array, context: Context, per_member: bool = False) -> Array:
        """Return the body's output for x (rows, ...), the same for all members, or (members, rows, ...)."""
        context.begin(x.shape[int(per_member)])
        x = np.asarray(x, self.dtype)
        if self.members > 1 and not per_member:
            x = np.broadcast_to(x, (self.members, *x.shape))
        return self._body.forward(self.parameters.views, x, context)[0]

    def _activate(self, body: Array, context: Context) -> Array:
        return self._activation.forward(self.parameters.views, body, context)[0]

    def operations(self, x: Value) -> Value:
        """Return what `predict` computes as operations of a pipeline, for inputs x of the net.

        Raises `ExportError` for a layer that does not say what it computes.
        """
        for layer in self._body.walk():
            layer.require_operations()
        p = constants(self.parameters.views, members=self.members > 1)
        body = self._body.operations(p, cast(x, self.parameter_type))
        with part(f"output: {self._activation.describe()}"):
            y_hat = self._activation.operations(p, body)
        with part(f"mean of {self.members} nets"):
            return sum_members(y_hat)

    @property
    def parameter_type(self) -> DType:
        """The type of every number in the net, as a pipeline calls it."""
        return "float32" if self.dtype == np.float32 else "float64"

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Copy parameters by name into the net. Raises `ValueError` unless names and shapes are exactly the net's."""
        own = self.parameters.arrays
        for name in own:
            if name not in arrays:
                raise ValueError(f"there is no array '{name}'")
        for name in arrays:
            if name not in own:
                raise ValueError(f"the net has no array '{name}'; its arrays are {listing(own)}")
        given = {name: np.asarray(arrays[name]) for name in own}
        for name, array in own.items():
            if given[name].shape != array.shape:
                raise ValueError(f"{name} has the shape {given[name].shape}; the net needs {array.shape}")
        for name, array in own.items():
            array[...] = given[name]

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle what the net is made of and its parameters: no gradients and no buffers."""
        made_of = self.layers.layers, self.loss, self.input_shape, self.dtype, None, self.embedding, self.members
        return type(self), made_of, self.parameters.vector

    def __setstate__(self, vector: Array) -> None:
        """Take the parameters of the net that was copied or pickled."""
        self.parameters.vector[...] = vector

    def describe(self) -> str:
        """Return the net in a line: ``30 -> linear 20 -> relu -> linear 1 -> sigmoid``, and its number of members."""
        tables = self.embedding.tables if self.embedding else ()
        parts = [" x ".join(map(str, self.input_shape))]
        parts += [f"embedding {table.name} {table.rows} x {table.width}" for table in tables]
        members = f"{self.members} nets, each " if self.members > 1 else ""
        return members + " -> ".join([*parts, self.layers.describe()])
