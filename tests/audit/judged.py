"""Rows with predictions of known faults, and the divisions of their columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.audit.find_slices import JudgedRows
from nnfs_cli.data.division import Division, divisions_of
from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.metrics import PredictedRows

CITIES = np.array(["Bonn", "Kiel", "Jena", "Ulm"], object)


class Case:
    """A table of seven columns, and predictions that are right but for a group of rows, if there is one.

    `kind` is "numbers", "classes", "rare classes", "heavy tails", "unlike noise", "overconfident", "groups" (rows of
    one depend on each other), "weights" or "three classes".
    """

    def __init__(self, kind: str, seed: int, n: int = 1000, shift: float = 0.0) -> None:
        rng = np.random.default_rng([seed, len(kind)])
        self.n, self.rng, self.kind = n, rng, kind
        numbers = rng.normal(size=(n, 5))
        numbers[:, 4] = 0.8 * numbers[:, 0] + 0.6 * numbers[:, 4]
        self.group = rng.integers(0, n // 10, n) if kind == "groups" else None
        if self.group is not None:
            numbers[:, 2:4] = rng.normal(size=(n, 2))[self.group]
        city = rng.integers(0, len(CITIES), n).astype(np.int32)
        age = np.round(50 + 12 * numbers[:, 3])
        gaps = np.where(rng.random(n) < 0.1, np.nan, numbers[:, 2])
        columns: dict[str, Any] = {
            "a": numbers[:, 0], "b": numbers[:, 1], "gaps": gaps, "age": age, "like_a": numbers[:, 4],
            "city": Texts(city, CITIES), "old": age > 60,
        }  # fmt: skip
        self.table = Table("rows", columns)
        self.bad = (age > 45) & (city == 0) if shift else np.zeros(n, bool)
        self.height = numbers[:, 0] + 0.5 * numbers[:, 1] + 0.5 * (city == 1)
        self.shift = shift
        self.weight = rng.exponential(size=n) if kind == "weights" else None

    @property
    def divisions(self) -> list[Division]:
        names = {name: "category" if name == "city" else "number" for name in self.table.columns}
        return [one for name, kind in names.items() for one in divisions_of(self.table, name, kind)]  # type: ignore[arg-type]

    def rows(self) -> JudgedRows:
        if "classes" in self.kind or self.kind == "overconfident":
            return self._three_classes() if self.kind.startswith("three") else self._two_classes()
        noise = self.rng.standard_t(3, self.n) if self.kind == "heavy tails" else self.rng.normal(size=self.n)
        if self.kind == "unlike noise":
            noise = noise * np.exp(self.height / 2)
        if self.group is not None:
            noise = noise + self.rng.normal(size=self.n)[self.group]
        y = self.height + noise + self.shift * self.bad
        loss = np.square(y - self.height)
        predicted = PredictedRows(y[:, None], self.height[:, None], self.weight, group=self.group)
        return JudgedRows(predicted, loss, self.weight)

    def _two_classes(self) -> JudgedRows:
        logits = 2 * self.height - 4 * (self.kind == "rare classes")
        y = (self.rng.random(self.n) < sigmoid(logits)).astype(np.intp)
        y = np.where(self.bad & (self.rng.random(self.n) < self.shift), 1 - y, y)
        p = sigmoid(logits * (2 if self.kind == "overconfident" else 1))
        return self._classes(y, np.stack([1 - p, p], axis=1), ("no", "yes"))

    def _three_classes(self) -> JudgedRows:
        logits = np.stack([self.height, -self.height, 0 * self.height], axis=1)
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        y = (self.rng.random(self.n)[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
        y = np.where(self.bad & (self.rng.random(self.n) < self.shift), (y + 1) % 3, y)
        return self._classes(y, p, ("x", "y", "z"))

    def _classes(self, y: Array, p: Array, classes: tuple[str, ...]) -> JudgedRows:
        loss = -np.log(p[np.arange(self.n), y])
        return JudgedRows(PredictedRows(y, p, classes=classes), loss)


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))
