"""A net together with what turns tables into its arrays: all that is needed to serve it, trained or not yet."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.table import Table, word
from nnfs_cli.errors import NnfsWarning
from nnfs_cli.metrics import Outcome, decide
from nnfs_cli.model import Model
from nnfs_cli.parameters import Array
from nnfs_cli.spec import Spec
from nnfs_cli.streams import stream


@dataclass(frozen=True)
class Samples:
    """Samples with a known target: X (rows, n_features) and y (rows, n_outputs) as the net sees them.

    `truth` is the target in its own words: class indices (rows,) or values (rows, n_targets). `weight` (rows,) is how
    much each row counts, where they do not count alike.
    """

    X: Array
    y: Array
    truth: Array
    weight: Array | None = None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, rows: Array) -> Samples:
        """Some of the rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Samples(self.X[rows], self.y[rows], self.truth[rows], weight)

    def counting(self) -> Samples:
        """Those that count: without the rows of weight 0, and without weights where all that is left are 1."""
        if self.weight is None:
            return self
        counting = self.weight[self.weight > 0]
        rows = self.take(np.flatnonzero(self.weight))
        return replace(rows, weight=None) if (counting == 1).all() else rows


class Predictor:
    """A net for the columns of a table. Its parameters begin as the spec's seed draws them.

    With a `threshold`, the second of two classes is decided for when its probability is that or more.
    """

    threshold: float | None = None

    def __init__(self, spec: Spec, encoder: Encoder) -> None:
        self.spec, self.encoder = spec, encoder
        rng = stream(spec.seed, "weights")
        self.model = Model(spec.layers, spec.loss, (len(encoder.features),), spec.dtype or "float32", rng)

    def encode(self, table: Table) -> Samples:
        """The rows of a table that has the target. Raises `DataError` when a column is missing or holds nonsense."""
        loss, dtype = self.spec.loss, self.model.dtype
        truth, scaled = self.encoder.encode_target(table, dtype, loss.target_range)
        y = loss.encode(scaled, self.model.output_shape[0]).astype(dtype)
        column = self.spec.dataset.weight_column()
        if column is not None and not table.has(column):
            warnings.warn(f"{table.name} has no column '{column}': all its rows count alike", NnfsWarning, stacklevel=2)
            column = None
        weight = self.encoder.weights(table, truth, column, dtype)
        return Samples(self.encoder.inputs(table, dtype), y, truth, weight)

    def judge(self, rows: Samples) -> tuple[float, Outcome]:
        """The loss over the rows, as trained on, and what the net says about them, in the target's own units."""
        loss, y_hat = self.model.evaluate(rows.X, rows.y, rows.weight)
        return loss, Outcome(
            rows.truth,
            self._answer(y_hat),
            rows.weight,
            self.threshold,
            tuple(map(word, self.encoder.classes or ())),
            self._quantiles(y_hat),
        )

    def figures(self, rows: Samples) -> dict[str, float]:
        """The loss, as trained on, and every metric, in the target's own units."""
        loss, outcome = self.judge(rows)
        return {"loss": loss, **self.score(outcome)}

    def score(self, outcome: Outcome) -> dict[str, float]:
        """Every metric."""
        figures: dict[str, float] = {}
        for metric in self.spec.metrics or ():
            figures |= {column: float(figure) for column, figure in metric.figures(outcome).items()}
        return figures

    def predict(self, table: Table) -> dict[str, Array]:
        """The answer to every row, as named columns.

        Classes: `prediction`, the label, and `probability_<label>` for each, or `score_<label>` where the loss gives
        none. Numbers: `prediction`, or `prediction_<target>` where there are several targets, and likewise
        `quantile_<level>` for each quantile.
        """
        y_hat = self.model.predict(self.encoder.inputs(table, self.model.dtype))
        answer, classes, targets = self._answer(y_hat), self.encoder.classes, self.encoder.targets
        if classes:
            kind = "probability" if self.spec.loss.probabilistic else "score"
            labels = np.array(classes, object if isinstance(classes[0], str) else None)
            return {"prediction": labels[decide(answer, self.threshold)]} | {
                f"{kind}_{word(label)}": answer[:, i] for i, label in enumerate(classes)
            }
        named = {"prediction": answer} | {f"quantile_{q}": values for q, values in self._quantiles(y_hat).items()}
        suffixes = [""] if len(targets) == 1 else [f"_{target}" for target in targets]
        return {name + suffix: values[:, i] for name, values in named.items() for i, suffix in enumerate(suffixes)}

    def _answer(self, y_hat: Array) -> Array:
        """What the net gives as a column a class, or a target in its own units."""
        return self.encoder.unscale(self.spec.loss.answer(y_hat))

    def _quantiles(self, y_hat: Array) -> dict[float, Array]:
        """The quantiles that the net gives, by level, in the target's own units."""
        return {level: self.encoder.unscale(values) for level, values in self.spec.loss.quantiles(y_hat).items()}
