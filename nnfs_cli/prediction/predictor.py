"""A net together with what turns tables into its arrays: all that is needed to serve it, trained or not yet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.inputs import FoldsByColumn
from nnfs_cli.data.table import Column, Table, text_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, UserError
from nnfs_cli.metrics import PredictedRows, decide
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.model import Model
from nnfs_cli.prediction.calibration import Calibration, tempered
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.threads import useful_threads


@dataclass(frozen=True)
class EncodedRows:
    """EncodedRows with a known target: X (rows, n_features) and y (rows, n_outputs) as the net sees them.

    `truth` is the target in its own words: class indices (rows,) or values (rows, n_targets). `weight` (rows,) is how
    much each row counts, where they do not count alike; `member` (rows,) which member alone is to answer for each row,
    where it is not all of them together.
    """

    X: Array
    y: Array
    truth: Array
    weight: Array | None = None
    member: Array | None = None

    def __len__(self) -> int:
        return len(self.X)

    @property
    def arrays(self) -> tuple[Array, Array, Array | None]:
        """What is trained on."""
        return self.X, self.y, self.weight

    def take(self, rows: Array) -> EncodedRows:
        """Some of the rows."""
        weight, member = (None if each is None else each[rows] for each in (self.weight, self.member))
        return EncodedRows(self.X[rows], self.y[rows], self.truth[rows], weight, member)

    @classmethod
    def joined(cls, parts: Sequence[EncodedRows]) -> EncodedRows:
        """One below the other."""
        whole = parts[0].room_for(sum(map(len, parts)))
        start = 0
        for part in parts:
            whole.put(slice(start, start + len(part)), part)
            start += len(part)
        return whole

    def room_for(self, n: int) -> EncodedRows:
        """Arrays of the same kind for n samples, with anything in them."""
        X, y, truth = (np.empty((n, *array.shape[1:]), array.dtype) for array in (self.X, self.y, self.truth))
        return EncodedRows(X, y, truth, None if self.weight is None else np.empty(n, self.weight.dtype))

    def put(self, rows: slice, samples: EncodedRows) -> None:
        """Overwrite some of the rows."""
        self.X[rows], self.y[rows], self.truth[rows] = samples.X, samples.y, samples.truth
        if self.weight is not None:
            self.weight[rows] = samples.weight

    def counting(self) -> EncodedRows:
        """Those that count: without the rows of weight 0, and without weights where all that is left are 1."""
        if self.weight is None:
            return self
        counting = self.weight[self.weight > 0]
        rows = self.take(np.flatnonzero(self.weight))
        return replace(rows, weight=None) if (counting == 1).all() else rows


class Predictor:
    """A net for the columns of a table. Its parameters begin as the spec's seed draws them, or all at zero.

    With a `threshold`, the second of two classes is decided for when its probability is that or more. With an
    `interval`, a calibration and a level, probabilities are calibrated, and each answer comes with what holds the truth
    at that level: bounds around a number, or a set of classes.
    """

    threshold: float | None = None
    interval: tuple[Calibration, float] | None = None

    def __init__(self, spec: Config, encoder: Encoder, drawn: bool = True) -> None:
        self.spec, self.encoder = spec, encoder
        rngs = [random_stream(spec.seed + j, "weights") for j in range(spec.members)]
        tables = tuple(EmbeddingTable(*table) for table in encoder.lookups)
        self.model = Model(
            spec.layers,
            spec.loss,
            (len(encoder.names),),
            spec.dtype or "float32",
            rngs if drawn else None,
            Embedding(tables=tables) if tables else None,
            spec.members,
        )

    @property
    def words(self) -> tuple[str, ...]:
        """What the classes are called, if there are any."""
        return tuple(map(text_of, self.encoder.classes or ()))

    @property
    def row_bytes(self) -> int:
        """What a row that is trained on takes: inputs, outputs and a weight."""
        return self.model.dtype.itemsize * (self.model.input_shape[0] + self.model.output_shape[0] + 1)

    def threads(self, rows: int) -> int:
        """How many are worth the products of so many rows at once."""
        return useful_threads(rows * self.model.largest, self.spec.threads)

    def encode(self, table: Table, folds: FoldsByColumn | None = None) -> EncodedRows:
        """The rows of a table that has the target. Raises `DataError` when a column is missing or holds nonsense.

        Without the column of weights all its rows count alike.
        For training rows `folds` says which fold of a preprocessing step's fit each belongs to.
        """
        loss, dtype = self.spec.loss, self.model.dtype
        truth, scaled = self.encoder.encode_target(table, dtype, loss.target_range)
        y = loss.encode(scaled, self.model.output_shape[0]).astype(dtype)
        column = self.spec.dataset.weight_column()
        column = column if column is not None and table.has(column) else None
        weight = self.encoder.weights(table, truth, column, dtype)
        return EncodedRows(self.encoder.encode(table, dtype, folds), y, truth, weight)

    def judge(self, rows: EncodedRows | Iterable[EncodedRows]) -> tuple[float, PredictedRows]:
        """The loss over the rows, as trained on, and what the net says about them, in the target's own units.

        Of rows that come piece by piece only what metrics need is kept. There must be one.
        """
        parts = [rows] if isinstance(rows, EncodedRows) else rows
        total = whole = 0.0
        kept: list[tuple[Array, Array, Array | None]] = []
        for part in parts:
            loss, y_hat = self.model.evaluate(part.X, part.y, part.weight, member=part.member)
            counts = float(len(part) if part.weight is None else part.weight.sum(dtype=np.float64))
            total += loss * counts if counts else 0.0
            whole += counts
            kept.append((part.truth, y_hat, part.weight))
        truth, y_hat, weight = kept[0] if len(kept) == 1 else _below_each_other(kept)
        predicted = PredictedRows(
            truth,
            self._answer(y_hat),
            weight,
            self.threshold,
            self.words,
            self._quantiles(y_hat),
        )
        return total / whole if whole else math.nan, predicted

    def figures(self, rows: EncodedRows) -> dict[str, float]:
        """The loss, as trained on, and every metric, in the target's own units."""
        loss, predicted = self.judge(rows)
        return {"loss": loss, **self.score(predicted)}

    def score(self, predicted: PredictedRows) -> dict[str, float]:
        """Every metric."""
        figures: dict[str, float] = {}
        for metric in self.spec.metrics or ():
            figures |= {column: float(figure) for column, figure in metric.figures(predicted).items()}
        return figures

    def predict(self, table: Table, marks: Array | None = None) -> dict[str, Column]:
        """The answer to every row, as named columns.

        Classes: `prediction`, the label, and `probability_<label>` for each, or `score_<label>` where the loss gives
        none. Numbers: `prediction`, or `prediction_<target>` where there are several targets, and likewise
        `quantile_<level>` for each quantile. With an interval there are `lower` and `upper` besides, or `set`, the
        labels with | between them. With `marks` (rows,) what cannot be used is marked there, and its answer
        means nothing; without, it is a `DataError`.
        """
        y_hat = self.model.predict(self.encoder.encode(table, self.model.dtype, marks=marks))
        _refuse_infinite(y_hat, table, marks)
        answer, classes, targets = self._answer(y_hat), self.encoder.classes, self.encoder.targets
        if classes:
            kind = "probability" if self.spec.loss.probabilistic else "score"
            decided = decide(answer, self.threshold)
            texts = isinstance(classes[0], str)
            labels = Texts(decided, np.array(classes, object)) if texts else np.array(classes)[decided]
            sets: dict[str, Column] = {}
            if self.interval is not None:
                answer = tempered(answer, self.interval[0].temperature or 1.0)
                sets = {"set": _sets(answer, 1 - float(self._bound(*self.interval)[0]), self.words)}
            return {"prediction": labels, **sets} | {
                f"{kind}_{text_of(label)}": column for label, column in zip(classes, answer.T, strict=True)
            }
        named = {"prediction": answer} | {f"quantile_{q}": values for q, values in self._quantiles(y_hat).items()}
        if self.interval is not None:
            bound = self._bound(*self.interval)
            named |= {"lower": answer - bound, "upper": answer + bound}
        suffixes = [""] if len(targets) == 1 else [f"_{target}" for target in targets]
        return {name + suffix: values[:, i] for name, values in named.items() for i, suffix in enumerate(suffixes)}

    def _bound(self, calibration: Calibration, level: float) -> Array:
        """How strange the truth is at most at a level, (targets,). Raises `UserError` if nobody knows."""
        bound = calibration.scores.bound(level)
        if bound is None:
            rows, needed = calibration.scores.rows, math.ceil(level / (1 - level) - 1e-9)
            found = f"takes {needed:,} rows that were not learned from, and there were {rows:,}"
            raise UserError(f"an interval of {level:g} {found}")
        return bound

    def _answer(self, y_hat: Array) -> Array:
        """What the net gives as a column a class, or a target in its own units."""
        return self.encoder.unscale_target(self.spec.loss.answer(y_hat))

    def _quantiles(self, y_hat: Array) -> dict[float, Array]:
        """The quantiles that the net gives, by level, in the target's own units."""
        return {level: self.encoder.unscale_target(values) for level, values in self.spec.loss.quantiles(y_hat).items()}


def _sets(p: Array, least: float, words: Sequence[str]) -> Texts:
    """The classes that are at least so probable, and the most probable one in any case, (rows,)."""
    within = p >= least - 1e-12
    within[np.arange(len(p)), p.argmax(axis=1)] = True
    patterns, places = np.unique(within, axis=0, return_inverse=True)
    sets = ["|".join(word for word, inside in zip(words, pattern, strict=True) if inside) for pattern in patterns]
    return Texts(places.reshape(-1), np.array(sets, object))


def _refuse_infinite(y_hat: Array, table: Table, marks: Array | None) -> None:
    """Raise `DataError` for the first row whose answer is no number, or mark such rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(y_hat.sum(dtype=np.float64)):
            return
    wrong = ~np.isfinite(y_hat.reshape(len(y_hat), -1)).all(axis=1)
    if marks is not None:
        marks |= wrong
    elif wrong.any():
        place, _ = table.locate(int(np.argmax(wrong)), next(iter(table.columns)))
        raise DataError(f"{table.name}, {place}: the net's answer is too large a number; so are its inputs, probably")


def _below_each_other(parts: Sequence[tuple[Array, Array, Array | None]]) -> tuple[Array, Array, Array | None]:
    truth, y_hat = (np.concatenate([part[i] for part in parts if part[i] is not None]) for i in (0, 1))
    if all(weight is None for _, _, weight in parts):
        return truth, y_hat, None
    weights = [np.ones(len(rows), y_hat.dtype) if weight is None else weight for rows, _, weight in parts]
    return truth, y_hat, np.concatenate(weights)
