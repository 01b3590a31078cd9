"""Numbers at which a model begins to decide otherwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nnfs_cli.arrays import Array
from nnfs_cli.export.turning_points import turning_points
from nnfs_cli.pipeline import elementwise, shapes
from nnfs_cli.pipeline.cells import column
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.trees import tree_sums
from nnfs_cli.pipeline.value import Value, constant

ROW = {"a": np.array([0.5]), "b": np.array([np.nan])}
RANGES = {"a": (-10.0, 10.0), "b": (-10.0, 10.0)}


def found(of: Callable[[Value, Value], Value]) -> dict[str, Array]:
    a, b = column("a", "number"), column("b", "number")
    pipeline = Pipeline({"a": a, "b": b}, {"x": of(a, b)}, constant([True]))
    return turning_points(pipeline, ROW, RANGES, np.random.default_rng(0))


def test_points_lie_on_both_sides_of_a_bound() -> None:
    points = found(lambda a, b: elementwise.minimum(elementwise.multiply(a, 2.0), 3.0))
    assert points["a"].tolist() == [1.5, np.nextafter(1.5, 2)]
    assert [*points] == ["a"]


def test_points_of_a_falling_value_and_of_bins() -> None:
    knots = np.array([-1.0, 2.5, 1e9])
    points = found(lambda a, b: shapes.count_below(elementwise.negative(a), knots))
    assert points["a"].tolist() == [np.nextafter(-2.5, -3), -2.5, np.nextafter(1.0, 0), 1.0]


def test_points_of_trees_are_where_float32_inputs_cross_their_thresholds() -> None:
    threshold = np.float32(1.1)

    def trees(a: Value, b: Value) -> Value:
        x = elementwise.cast(shapes.concatenate([elementwise.divide(elementwise.subtract(a, 5.0), 2.0), b]), "float32")
        return tree_sums(
            x,
            feature=np.array([0, 0, 0]),
            threshold=np.array([threshold, 0, 0], np.float32),
            left=np.array([1, 1, 2]),
            value=np.array([[0.0], [1.0], [2.0]]),
            roots=np.zeros((1, 1, 1), int),
            depth=np.ones((1, 1, 1), int),
        )

    low, high = found(trees)["a"]
    assert np.nextafter(low, 10) == high
    at = ((np.array([low, high]) - 5) / 2).astype(np.float32)
    assert at.tolist() == [threshold, np.nextafter(threshold, np.float32(2))]


@pytest.mark.parametrize("operation", [elementwise.log1p, elementwise.exp, elementwise.sin])
def test_what_programs_round_differently_has_no_points(operation: Callable[[Value], Value]) -> None:
    assert not found(lambda a, b: elementwise.minimum(operation(a), 0.5))
