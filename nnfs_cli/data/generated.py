"""Data sets that a formula and a seed generate: small problems whose right answer is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat, Seed
from nnfs_cli.data.source import NO_KINDS, DataSource, Facts, with_kinds
from nnfs_cli.data.table import Kind, Table, from_arrays
from nnfs_cli.system.random import random_stream

RowCount = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]  # all rows are in memory
Classes = Annotated[int, Field(strict=True, ge=2, le=1000)]
Noise = Annotated[NonNegativeFloat, Field(le=1e30)]


class _Plane(DataSource):
    """Points (x0, x1) of the plane in labelled groups."""

    rows: RowCount = Field(default=1000, kw_only=False)
    """Number of rows."""
    seed: Seed = 0
    """Seed of the random points. Another seed gives other points."""

    def labels(self) -> tuple[str, ...]:
        """Return the names of the groups."""
        raise NotImplementedError

    def draw(self) -> tuple[Array, Array]:
        """Return the points (rows, 2) and the index of the label of each point (rows,)."""
        raise NotImplementedError

    def facts(self) -> Facts:
        """Return the sizes: two inputs, and one class for each label."""
        return Facts(2, len(self.labels()))

    def target_columns(self) -> tuple[str, ...]:
        """Return the one target."""
        return ("group",)

    def read(self, kinds: Mapping[str, Kind] = NO_KINDS) -> Table:
        """Generate the points. The same seed gives the same points."""
        X, y = self.draw()
        labels = self.labels()
        return with_kinds(
            from_arrays(self.name, X, ["x0", "x1"], np.array(labels, object)[y], ["group"], labels), kinds
        )


class Moons(_Plane, name="moons", main="rows"):
    """Two interleaving half circles with noise, from scikit-learn's `make_moons`."""

    examples = ("moons", "moons: {rows: 500, noise: 0.2}")
    noise: Noise = 0.1
    """Standard deviation of the noise in both coordinates."""

    def labels(self) -> tuple[str, ...]:
        """Return the labels, the upper moon first."""
        return ("upper", "lower")

    def draw(self) -> tuple[Array, Array]:
        """Return points of which half lie on each moon."""
        from sklearn.datasets import make_moons

        return make_moons(self.rows, noise=self.noise, random_state=self.seed)  # type: ignore[no-any-return]


class Circles(_Plane, name="circles", main="rows"):
    """A circle inside another with noise, from scikit-learn's `make_circles`."""

    examples = ("circles", "circles: {rows: 500, noise: 0.1}")
    noise: Noise = 0.05
    """Standard deviation of the noise in both coordinates."""

    def labels(self) -> tuple[str, ...]:
        """Return the labels, the outer circle first."""
        return ("outer", "inner")

    def draw(self) -> tuple[Array, Array]:
        """Return points of which half lie on each circle. The inner circle has half the radius."""
        from sklearn.datasets import make_circles

        return make_circles(self.rows, noise=self.noise, factor=0.5, random_state=self.seed)  # type: ignore[no-any-return]


class Blobs(_Plane, name="blobs", main="rows"):
    """Round clouds of points around random centres, from scikit-learn's `make_blobs`."""

    examples = ("blobs", "blobs: {rows: 500, classes: 5, noise: 2}")
    classes: Classes = 3
    """Number of clouds."""
    noise: Noise = 1.0
    """Standard deviation of a cloud in both coordinates."""

    def labels(self) -> tuple[str, ...]:
        """Return letters as labels, or numbered groups if there are more than 26."""
        return _letters(self.classes)

    def draw(self) -> tuple[Array, Array]:
        """Return clouds of equal size, give or take one row."""
        from sklearn.datasets import make_blobs

        return make_blobs(  # type: ignore[no-any-return]
            self.rows, centers=self.classes, cluster_std=self.noise, random_state=self.seed
        )


class Spirals(_Plane, name="spirals", main="rows"):
    """Spiral arms around one centre. They are hard for a small net, as no straight line separates them."""

    examples = ("spirals", "spirals: {rows: 900, classes: 3, noise: 0.1}")
    classes: Classes = 2
    """Number of arms."""
    noise: Noise = 0.05
    """Standard deviation of the noise in both coordinates."""

    def labels(self) -> tuple[str, ...]:
        """Return letters as labels, or numbered groups if there are more than 26."""
        return _letters(self.classes)

    def draw(self) -> tuple[Array, Array]:
        """Return arms with the radius 0 to 1 over one and a half turns, plus normal noise in both coordinates."""
        rng = random_stream(self.seed, "spirals")
        y = np.arange(self.rows) % self.classes
        radius = np.sqrt(rng.uniform(0.01, 1, self.rows))
        angle = 3 * np.pi * radius + 2 * np.pi * y / self.classes
        X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return X + self.noise * rng.standard_normal(X.shape), y


class Xor(_Plane, name="xor", main="rows"):
    """Points of a square, labelled by whether both coordinates have the same sign. Minsky and Papert (1969)."""

    examples = ("xor", "xor: {rows: 400, noise: 0.1}")
    noise: Noise = 0.0
    """Standard deviation of the noise in both coordinates."""

    def labels(self) -> tuple[str, ...]:
        """Return the labels, the one for the same sign first."""
        return ("same", "different")

    def draw(self) -> tuple[Array, Array]:
        """Return points that are uniform between -1 and 1; noise is added after they are labelled."""
        rng = random_stream(self.seed, "xor")
        X = rng.uniform(-1, 1, (self.rows, 2))
        y = (X[:, 0] * X[:, 1] < 0).astype(int)
        return X + self.noise * rng.standard_normal(X.shape), y


class Arithmetic(DataSource, name="arithmetic", main="rows"):
    """Two numbers a and b between 0 and 100, and three results to predict: a+b, a-b and abs(a-b)."""

    examples = ("arithmetic", "arithmetic: {rows: 2000, seed: 1}")
    rows: RowCount = Field(default=10_000, kw_only=False)
    """Number of rows."""
    seed: Seed = 42
    """Seed of the random numbers. Another seed gives other numbers."""

    def facts(self) -> Facts:
        """Return the sizes: two inputs and three targets."""
        return Facts(2, None, 3)

    def target_columns(self) -> tuple[str, ...]:
        """Return the names of the three results."""
        return ("a+b", "a-b", "abs(a-b)")

    def read(self, kinds: Mapping[str, Kind] = NO_KINDS) -> Table:
        """Generate the numbers as `numpy.random.seed(seed); numpy.random.rand(2, rows) * 100` would."""
        a, b = np.random.RandomState(self.seed).rand(2, self.rows) * 100
        y = np.stack([a + b, a - b, np.abs(a - b)], axis=1)
        X = np.stack([a, b], axis=1)
        return with_kinds(from_arrays(self.name, X, ["a", "b"], y, list(self.target_columns())), kinds)


def _letters(n: int) -> tuple[str, ...]:
    return tuple(chr(ord("a") + i) if n <= 26 else f"group{i}" for i in range(n))
