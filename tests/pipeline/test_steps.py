"""What preprocessing steps say that they compute is what they compute, for the cells of any table."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.config import yaml
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.steps import CategoryStep, DateStep, NumberStep, PreprocessingStep
from nnfs_cli.data.steps.base import Fit, Statistics
from nnfs_cli.data.steps.standardize import Standardize
from nnfs_cli.data.table import Kind, Table, text_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, ExportError
from nnfs_cli.pipeline.cells import ColumnKind, column
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.shapes import concatenate, take
from nnfs_cli.pipeline.value import DType, Value, constant
from nnfs_cli.prediction.cells import cells_of
from tests.data.step_helpers import categories, instants
from tests.pipeline.cases import HOSTILE

NUMBER_STEPS = [
    "none", "standardize", "robust", "min_max", "log1p", "clip", "clip: {low: 0.2, high: 1.0}", "clamp", "quantile",
    "quantile: 7", "quantile: 2", "smooth_clip", "smooth_clip: 0.5", "piecewise_linear", "piecewise_linear: 4",
    "impute", "impute: mean", "impute: {by: constant, value: -2.5}", "impute: {indicator: false}",
    "[impute, quantile: 9]", "[impute, log1p, robust]", "[impute, piecewise_linear: 3]",
    "[impute, clip: {low: 0.1}, smooth_clip: 2.0]", "[impute: {by: mean, indicator: false}, min_max]",
    "[log1p, standardize]", "[robust, smooth_clip, quantile: 5]",
    "views: [standardize, quantile: 5, [robust, smooth_clip], piecewise_linear: 3, log1p]",
    "[impute, views: [none, [log1p, piecewise_linear: 4]]]",
]  # fmt: skip
TARGET_STEPS = [
    "none", "standardize", "robust", "min_max", "log1p", "quantile", "quantile: 7", "clamp", "[clamp, standardize]",
    "[clamp, log1p, quantile: 20]", "[log1p, standardize]",
]  # fmt: skip
CATEGORY_STEPS = [
    "one_hot", "one_hot: {unseen: other}", "one_hot: {min_frequency: 2}", "one_hot: {max_categories: 2, unseen: other}",
    "ordinal", "ordinal: {unseen: other}", "ordinal: {max_categories: 2}", "embedding", "embedding: {unseen: other}",
    "embedding: {min_frequency: 2}", "hashing", "hashing: 5", "target_mean", "target_mean: {smoothing: 0.0, folds: 2}",
    "multi_hot", "multi_hot: a", "multi_hot: {delimiter: ', ', unseen: other}", "multi_hot: {min_frequency: 2}",
]  # fmt: skip
DATE_STEPS = [
    "calendar", "calendar: {unseen: empty}", "calendar: [trend, weekend]",
    "calendar: [trend, year_cycle, month_cycle, week_cycle, day_cycle, weekend]", "calendar: [month_cycle, day_cycle]",
]  # fmt: skip

EXTREME = (0.0, -0.0, 5e-324, -2.2e-308, 1e-30, -1.0, 0.5, 3.0, 1e18, -1e154, 1e155, -1e308, 1.7e308, np.nan)
TOLERANCE: dict[DType, float] = {"float64": 1e-12, "float32": 1.2e-7}  # the latter is one step of float32
RANDOM = np.random.default_rng(0)
SAMPLES = {
    "few": np.array([1.0, 2.0, 2.0, 2.0, 5.0, -3.0]),
    "normal": RANDOM.normal(5, 2, 60),
    "skewed": RANDOM.lognormal(10, 3, 60),
    "whole": RANDOM.integers(-3, 4, 60).astype(float),
    "constant": np.full(6, 7.25),
    "tiny": RANDOM.exponential(1e-300, 40),
    "single": np.array([4.0]),
}
WORDS = [*HOSTILE, None, "b", "A", "b", "a", "a", "7", "-1.5"]
LISTS = [
    "a;b",
    "[a; 'b ']",
    ' "a" ;; b',
    "{}",
    None,
    "",
    "c",
    "(a)",
    "a;a;c",
    "[",
    "';'",
    "[[a]]",
    "a, b",
    "\u2003ä\u3000;a",
]
DAYS = ["1970-01-01", "2000-02-29T23:59:59.999999", "1900-03-01", "2024-12-31T12:00", "2026-08-02", "1969-12-31T06:30"]


def steps(text: str) -> tuple[Any, ...]:
    """Return a step, or a list of steps, as a config gives them."""
    return Preprocessing.model_validate({"columns": {"x": yaml.read(text.encode())[0]}}).columns["x"]


def table_of(columns: Mapping[str, Any]) -> Table:
    """Return a table; columns of texts are lists."""
    return Table("t", {name: Texts.of(cells) if isinstance(cells, list) else cells for name, cells in columns.items()})


def fitted(table: Table, preprocessing: Preprocessing, kinds: Mapping[str, Kind], targets: Sequence[str]) -> Encoder:
    return Encoder.fit(table, np.arange(table.n_rows), kinds, targets, None, preprocessing)


def fit(text: str, cells: Any, kind: Kind) -> Encoder:
    """Return an encoder that applies steps to a column "x" of training rows."""
    n = len(cells)
    y = np.arange(n, dtype=float) % 3
    table = table_of({"x": cells, "y": y})
    return fitted(table, Preprocessing(columns={"x": steps(text)}), {"x": kind}, ["y"])


def assert_same_inputs(encoder: Encoder, table: Table, dtype: DType = "float64") -> None:
    """Assert that the operations of an encoder compute what it computes, and refuse what it refuses."""
    refused = np.zeros(table.n_rows, bool)
    expected = encoder.encode(table, dtype, marks=refused)
    columns = {name: column(name, cast(ColumnKind, kind)) for name, kind in encoder.kinds.items()}
    X, usable = encoder.operations(columns, dtype)
    assert X.features == (len(encoder.names),)
    found = _outputs_of(columns, X, usable, cells_of(encoder, table))
    np.testing.assert_array_equal(found[1], ~refused)
    assert found[0].dtype == expected.dtype
    slack = TOLERANCE[dtype]
    np.testing.assert_allclose(found[0][~refused], expected[~refused], rtol=slack, atol=slack * 1e-3)


def _outputs_of(
    columns: Mapping[str, Value], X: Value, usable: Value, cells: Mapping[str, Array]
) -> tuple[Array, Array]:
    outputs = {str(i): take(X, [i]) for i in range(X.width)}
    arrays, rows = evaluate(Pipeline(columns, outputs, usable), cells)
    return np.stack([*arrays.values()], axis=1) if arrays else np.empty((len(rows), 0)), rows


def asked_of(sample: Array) -> Array:
    """Return numbers to ask about: extreme ones, the sample, and what lies beside and between its numbers."""
    between = (np.sort(sample)[1:] + np.sort(sample)[:-1]) / 2
    return np.concatenate(
        [EXTREME, sample, np.nextafter(sample, np.inf), np.nextafter(sample, -np.inf), between, sample * 3]
    )


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("text", NUMBER_STEPS)
def test_steps_for_numbers(text: str, name: str) -> None:
    sample = SAMPLES[name]
    trained = sample
    if "impute" in text and name != "single":
        trained = np.append(sample, np.nan)
    encoder = fit(f"views: [none, {text}]" if text.startswith("piecewise") else text, trained, "number")
    for dtype in ("float64", "float32"):
        assert_same_inputs(encoder, table_of({"x": asked_of(sample)}), cast(DType, dtype))
