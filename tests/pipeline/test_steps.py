"""What preprocessing steps say that they compute is what they compute, for the cells of any table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.config import yaml
from nnfs_cli.data.dates import local, zoned
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.steps import NumberStep, PreprocessingStep
from nnfs_cli.data.steps.base import Fit, Statistics
from nnfs_cli.data.steps.calendar import Calendar
from nnfs_cli.data.steps.one_hot import OneHot
from nnfs_cli.data.steps.standardize import Standardize
from nnfs_cli.data.steps.views import Views
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, ExportError
from nnfs_cli.pipeline.cells import ColumnKind, column
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.shapes import concatenate, take
from nnfs_cli.pipeline.value import DType, Value, constant
from nnfs_cli.prediction.cells import cells_of
from tests.data.step_helpers import categories, dates, instants
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


def chain(text: str) -> tuple[PreprocessingStep, ...]:
    """Return a step, or a list of steps, as a config gives them."""
    return Preprocessing.model_validate({"columns": {"x": yaml.read(text.encode())[0]}}).columns["x"]


def table_of(**columns: Any) -> Table:
    """Return a table; columns of texts are lists."""
    return Table("t", {name: Texts.of(cells) if isinstance(cells, list) else cells for name, cells in columns.items()})


def inputs_of(cells: Any) -> Table:
    """Return a table with the cells in "x", backwards in "w", and numbers in "z"."""
    return table_of(x=cells, w=cells[::-1], z=np.arange(len(cells)) * 1.0)


def fit(steps: Sequence[PreprocessingStep], trained: Any, target: tuple[PreprocessingStep, ...] = ()) -> Encoder:
    """Return an encoder with the inputs "x" and "w", which take these steps, and "z", which takes none."""
    rows = np.arange(len(trained))
    table = inputs_of(trained)
    table = replace(table, columns={**table.columns, "y": rows % 3 * 1.5})
    kinds: dict[str, Kind] = {"x": steps[0].kind, "w": steps[0].kind, "z": "number"}
    preprocessing = Preprocessing(columns={"x": steps, "w": steps, "z": chain("none")}, target=target or None)
    return Encoder.fit(table, rows, kinds, ["y"], None, preprocessing)


def assert_same_inputs(encoder: Encoder, asked: Any, dtype: DType = "float64") -> None:
    """Assert that the operations of an encoder compute what it computes, and refuse what it refuses."""
    table = inputs_of(asked)
    refused = np.zeros(len(asked), bool)
    expected = encoder.encode(table, dtype, marks=refused)
    columns = {name: column(name, cast(ColumnKind, kind)) for name, kind in encoder.kinds.items()}
    X, usable = encoder.operations(columns, dtype)
    assert X.features == (len(encoder.names),)
    found = computed(columns, X, cells_of(encoder, table), usable)
    np.testing.assert_array_equal(found[:, -1], ~refused)
    assert_close(found[~refused, :-1], expected[~refused], dtype)


def computed(columns: Mapping[str, Value], X: Value, cells: Mapping[str, Array], usable: Value) -> Array:
    """Return X (rows, n), with a last column that says which rows are usable."""
    assert X.dtype in TOLERANCE
    outputs, rows = evaluate(Pipeline(columns, {str(i): take(X, [i]) for i in range(X.width)}, usable), cells)
    assert {array.dtype for array in outputs.values()} == {np.dtype(X.dtype)}
    return np.stack([*outputs.values(), rows], axis=1)


def assert_close(found: Array, expected: Array, dtype: DType = "float64") -> None:
    slack = TOLERANCE[dtype]
    np.testing.assert_allclose(found, expected, rtol=slack, atol=slack * 1e-3)


def numbers_near(sample: Array) -> Array:
    """Return extreme numbers, those of a sample, and what lies beside and between them."""
    known = sample[~np.isnan(sample)]
    between = (np.sort(known)[1:] + np.sort(known)[:-1]) / 2
    return np.concatenate(
        [EXTREME, sample, *(np.nextafter(known, end) for end in (np.inf, -np.inf)), between, known * 3]
    )


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("text", NUMBER_STEPS)
def test_steps_for_numbers(text: str, name: str) -> None:
    trained = SAMPLES[name]
    if "impute" in text and len(trained) > 1:
        trained = np.append(trained, np.nan)
    encoder = fit(chain(text), trained)
    for dtype in TOLERANCE:
        assert_same_inputs(encoder, numbers_near(trained), dtype)


@pytest.mark.parametrize("text", ["clip", "[impute, quantile: 5]", "smooth_clip"])
def test_an_infinite_cell_is_refused_also_where_a_step_would_limit_it(text: str) -> None:
    cells = np.array([np.inf, 1.0, -np.inf, 2.0, 3.0])
    encoder = fit(chain(text), SAMPLES["normal"])
    with pytest.raises(DataError, match="finite numbers"):
        encoder.encode(inputs_of(cells), "float64")
    columns = {name: column(name, "number") for name in encoder.kinds}
    X, usable = encoder.operations(columns, "float64")
    found = computed(columns, X, {"x": cells, "w": np.zeros(5), "z": np.zeros(5)}, usable)
    assert found[:, -1].tolist() == [False, True, False, True, True]


@pytest.mark.parametrize("text", CATEGORY_STEPS)
def test_steps_for_categories(text: str) -> None:
    for trained in (WORDS, LISTS, [*WORDS, *LISTS], ["a"], ["b", "a", "b"], ["2", "10", "-3.5", "2"]):
        encoder = fit(chain(text), trained)
        for dtype in TOLERANCE:
            assert_same_inputs(encoder, [*trained, *WORDS, *LISTS, "unseen"], dtype)


@pytest.mark.parametrize("text", ["one_hot", "ordinal", "embedding", "multi_hot"])
def test_a_category_is_looked_up_once(text: str) -> None:
    encoder = fit(chain(text), ["b", "a", "b"])
    columns = {name: column(name, cast(ColumnKind, kind)) for name, kind in encoder.kinds.items()}
    X, usable = encoder.operations(columns, "float64")
    used = [value.operation for value in Pipeline(columns, {"X": X}, usable).operations]
    assert used.count("look_up") + used.count("has_entries") == 2  # for two columns


def test_an_order_is_kept() -> None:
    for trained in (["low", "high", None, "low"], ["low", "mid"]):
        encoder = fit(chain("ordinal: {order: [low, mid, high], unseen: other}"), trained)
        assert_same_inputs(encoder, ["high", "mid", "low", None, "none of these", ""])


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (np.array([True, False, True]), ["true", "false", "true"]),
        (np.array([1, 0, 12]), ["1", "0", "12"]),
        (np.array([1.0, np.nan, -0.0, 2.5, 1e17]), ["1", None, "0", "2.5", "100000000000000000"]),
        (dates("2026-01-31", "2026-01-31 12:30", None), ["2026-01-31", "2026-01-31 12:30:00", None]),
    ],
)
def test_other_columns_are_categories_as_a_file_would_hold_them(cells: Array, words: list[str | None]) -> None:
    encoder = fit(chain("one_hot"), cells)
    assert_same_inputs(encoder, cells)
    assert cells_of(encoder, inputs_of(cells))["x"].tolist() == words


@pytest.mark.parametrize("text", DATE_STEPS)
def test_steps_for_dates(text: str) -> None:
    for trained in (DAYS, [*DAYS, None], ["2020-02-02", "2020-02-02"], ["2020-01-01", "2021-01-01 06:00"]):
        encoder = fit(chain(text), dates(*trained))
        for dtype in TOLERANCE:
            assert_same_inputs(encoder, dates(*trained, *DAYS, None, "0001-01-03", "9999-12-29"), dtype)


def test_dates_with_an_offset_are_their_local_times() -> None:
    trained = dates(*DAYS)
    given = zoned(trained, trained + np.timedelta64(5, "h"))
    encoder = fit(chain("calendar: [trend, month_cycle, day_cycle]"), trained)
    columns = {name: column(name, cast(ColumnKind, kind)) for name, kind in encoder.kinds.items()}
    X, usable = encoder.operations(columns, "float64")
    found = computed(columns, X, cells_of(encoder, inputs_of(given)), usable)[:, :-1]
    assert_close(found, encoder.encode(inputs_of(local(given)), "float64"))
    no_trend = [not name.endswith("trend") for name in encoder.names]
    assert_close(found[:, no_trend], encoder.encode(inputs_of(given), "float64")[:, no_trend])


def assert_same_inverse(steps: tuple[PreprocessingStep, ...], trained: Array, asked: Array) -> None:
    """Assert that the operations of an inverse compute what it computes, for two targets."""
    table = table_of(x=np.arange(len(trained)) * 1.0, y=trained, w=trained / 2 + 1)
    preprocessing = Preprocessing(target=steps)
    encoder = Encoder.fit(table, np.arange(len(trained)), {"x": "number"}, ["y", "w"], None, preprocessing)
    columns = {name: column(name, "number") for name in ("y", "w")}
    answers = {"y": asked, "w": asked[::-1]}
    for limited in (True, False):
        numbers = encoder.target.inverse_operations(concatenate([*columns.values()]), limited)
        found = computed(columns, numbers, answers, constant([True]))[:, :-1]
        with np.errstate(all="ignore"):
            expected = (encoder.unscale_target if limited else encoder.unscale_bounds)(np.stack([*answers.values()], 1))
        assert_close(found, expected)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("text", TARGET_STEPS)
def test_inverses(text: str, name: str) -> None:
    asked = np.concatenate([EXTREME, [np.inf, -np.inf, 710.0, -710.0], np.linspace(-6, 6, 61)])
    assert_same_inverse(chain(text), SAMPLES[name], asked)


SCALING = ("none", "standardize", "robust", "min_max", "log1p", "clip", "clamp", "quantile: 5")
ending = st.sampled_from((*SCALING, "smooth_clip", "piecewise_linear: 3", "views: [[log1p, quantile: 4], none, clip]"))
chains = st.tuples(st.lists(st.just("impute"), max_size=1), st.lists(st.sampled_from(SCALING), max_size=2), ending)
inverses = st.lists(st.sampled_from([step for step in SCALING if step != "clip"]), min_size=1, max_size=3)
extremes = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(EXTREME[:-1])
columns_of_numbers = st.lists(extremes | st.floats(-9, 9) | st.integers(-2, 2).map(float), min_size=1, max_size=20)


def step_chain(texts: Sequence[str]) -> tuple[PreprocessingStep, ...]:
    return tuple(step for text in texts for step in chain(text))


@given(chains, columns_of_numbers, columns_of_numbers, st.booleans())
def test_any_chain_for_numbers(
    texts: tuple[list[str], list[str], str], trained: list[float], asked: list[float], gap: bool
) -> None:
    steps = step_chain([*texts[0], *texts[1], texts[2]])
    try:
        encoder = fit(steps, np.array([*trained, *[np.nan] * (gap and bool(texts[0]))]))
    except DataError:
        return  # numbers too large for a step
    assert_same_inputs(encoder, np.array([*asked, *trained, np.nan]))


@given(inverses, columns_of_numbers, columns_of_numbers)
def test_any_inverse(texts: list[str], trained: list[float], asked: list[float]) -> None:
    try:
        assert_same_inverse(step_chain(texts), np.array(trained), np.array(asked))
    except DataError:
        return  # numbers too large for a step


@given(st.sampled_from(CATEGORY_STEPS), categories, categories)
def test_any_categories(text: str, trained: list[str | None], asked: list[str | None]) -> None:
    assert_same_inputs(fit(chain(text), trained), [*asked, *trained])


@given(st.sampled_from(DATE_STEPS), instants, instants)
def test_any_dates(text: str, trained: list[Any], asked: list[Any]) -> None:
    assert_same_inputs(fit(chain(text), dates(*trained)), dates(*asked, *trained))


def test_every_step_is_compared() -> None:
    texts = [*NUMBER_STEPS, *TARGET_STEPS, *CATEGORY_STEPS, *DATE_STEPS]
    assert {step.name for text in texts for step in chain(text)} == set(PreprocessingStep.registered)
    for name, kind in PreprocessingStep.registered.items():
        chain(f"{name}: [standardize]" if name == "views" else name)[0].require_operations()
        assert kind.invertible == ("inverse_operations" in vars(kind)) if issubclass(kind, NumberStep) else True


class Halved(Standardize):
    """A user's own step, which does not say as operations what it computes."""

    def transform(self, values: Array, statistics: Statistics) -> Array:
        return super().transform(values, statistics) / 2


class Unscaled(Standardize):
    def inverse(self, values: Array, statistics: Statistics) -> Array:
        return super().inverse(values, statistics) * 2


class Picky(OneHot):
    def unknown(self, texts: Texts, fit: Fit) -> Array:
        return texts.gaps


class Hour(Calendar):
    def transform(self, dates: Array, fit: Fit) -> Array:
        return super().transform(dates, fit) + 1


@pytest.mark.parametrize(
    ("step", "cells", "message"),
    [
        (Halved(), SAMPLES["few"], "the preprocessing step standardize has no method `operations`"),
        (Views(chains=((Halved(),),)), SAMPLES["few"], "the preprocessing step standardize has no method `operations`"),
        (Picky(), WORDS, "the preprocessing step one_hot has no method `refused`"),
        (Hour(), dates(*DAYS), "the preprocessing step calendar has no method `operations`"),
    ],
)
def test_a_step_without_operations_is_refused(step: PreprocessingStep, cells: Any, message: str) -> None:
    encoder = fit([step], cells)
    columns = {name: column(name, cast(ColumnKind, kind)) for name, kind in encoder.kinds.items()}
    with pytest.raises(ExportError, match=message):
        encoder.operations(columns, "float64")


def test_an_inverse_that_is_not_said_is_refused() -> None:
    encoder = fit(chain("none"), SAMPLES["few"], target=(Unscaled(),))
    with pytest.raises(ExportError, match="standardize has no method `inverse_operations`"):
        encoder.target.inverse_operations(column("y", "number"))


def test_a_column_without_outputs_leaves_the_others() -> None:
    assert_same_inputs(fit(chain("piecewise_linear"), np.full(5, 2.0)), np.array([1.0, np.nan, 2.0]))
