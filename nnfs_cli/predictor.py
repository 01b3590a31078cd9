"""A net together with what turns tables into its arrays: all that is needed to serve it, trained or not yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.table import Table, word
from nnfs_cli.model import Model
from nnfs_cli.parameters import Array
from nnfs_cli.spec import Spec
from nnfs_cli.streams import stream


@dataclass(frozen=True)
class Samples:
    """Samples with a known target: X (rows, n_features) and y (rows, n_outputs) as the net sees them.

    `truth` is the target in its own words: class indices (rows,) or values (rows, n_targets).
    """

    X: Array
    y: Array
    truth: Array

    def __len__(self) -> int:
        return len(self.X)

    def take(self, rows: Array) -> Samples:
        """Some of the rows."""
        return Samples(self.X[rows], self.y[rows], self.truth[rows])


class Predictor:
    """A net for the columns of a table. Its parameters begin as the spec's seed draws them."""

    def __init__(self, spec: Spec, encoder: Encoder) -> None:
        self.spec, self.encoder = spec, encoder
        rng = stream(spec.seed, "weights")
        self.model = Model(spec.layers, spec.loss, (len(encoder.features),), spec.dtype, rng)

    def encode(self, table: Table) -> Samples:
        """The rows of a table that has the target. Raises `DataError` when a column is missing or holds nonsense."""
        truth, scaled = self.encoder.encode_target(table, self.spec.dtype)
        y = self.spec.loss.encode(scaled, self.model.output_shape[0])
        return Samples(self.encoder.inputs(table, self.spec.dtype), y.astype(self.spec.dtype), truth)

    def figures(self, rows: Samples) -> dict[str, float]:
        """The loss, as trained on, and every metric, in the target's own units."""
        loss, y_hat = self.model.evaluate(rows.X, rows.y)
        answer = self._answer(y_hat)
        metrics = {metric.name: metric.score(rows.truth, answer) for metric in self.spec.metrics or ()}
        return {"loss": loss, **metrics}

    def predict(self, table: Table) -> dict[str, Array]:
        """The answer to every row, as named columns.

        Classes: `prediction`, the label, and `probability_<label>` for each. Numbers: `prediction`, or
        `prediction_<target>` where there are several targets.
        """
        answer = self._answer(self.model.predict(self.encoder.inputs(table, self.spec.dtype)))
        classes = self.encoder.classes
        if classes:
            labels = np.array(classes, object if isinstance(classes[0], str) else None)
            probabilities = {f"probability_{word(label)}": answer[:, i] for i, label in enumerate(classes)}
            return {"prediction": labels[answer.argmax(axis=1)], **probabilities}
        if len(self.encoder.targets) == 1:
            return {"prediction": answer[:, 0]}
        return {f"prediction_{target}": answer[:, i] for i, target in enumerate(self.encoder.targets)}

    def _answer(self, y_hat: Array) -> Array:
        """What the net gives as a column a class, or a target in its own units."""
        return self.encoder.unscale(self.spec.loss.probabilities(y_hat))
