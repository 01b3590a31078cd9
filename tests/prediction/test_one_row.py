"""One row is predicted in a faster way, with the answers, warnings and errors of a table of any size."""

from __future__ import annotations

import copy
import datetime as dt
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnfs_cli import NetClassifier, NetRegressor, Run, train
from nnfs_cli.arrays import Array
from nnfs_cli.data.plain_row import plain_row
from nnfs_cli.data.steps.base import Statistics, ready
from nnfs_cli.data.steps.piecewise_linear import PiecewiseLinear
from nnfs_cli.errors import UserError
from nnfs_cli.prediction.one_row import OneRow
from tests.api.test_same_predictions import SETTINGS, training_rows

Cells = dict[str, Any]

FORMS: dict[str, Callable[[Cells], Any]] = {
    "dict": dict,
    "list of a dict": lambda row: [row],
    "dict of lists": lambda row: {name: [cell] for name, cell in row.items()},
    "pandas": lambda row: pd.DataFrame([row]),
    "polars": lambda row: pl.DataFrame([row], strict=False),
    "pyarrow": lambda row: pa.Table.from_pylist([row]),
}
USUAL: Cells = {
    "n": 0.25,
    "m": 7,
    "flag": True,
    "city": "Paris",
    "note": "note 3",
    "day": dt.date(2020, 2, 3),
    "moment": dt.datetime(2020, 2, 1, 10, 30),
    "zoned": "2020-02-01 10:30:00Z",
}
ODD: dict[str, st.SearchStrategy[Any]] = {
    "n": st.floats(-3, 3) | st.integers(-2, 2) | st.sampled_from([None, np.nan, np.inf, 1e300, "7", np.float32(0.1)]),
    "m": st.integers(-100, 100) | st.floats(-100, 100) | st.sampled_from([None, 2**53 + 1, 2**70, True, "x"]),
    "flag": st.sampled_from([True, False, None, 1, 0.5, np.True_, "true"]),
    "city": st.sampled_from(["Paris", "Rome", "007", "", None, "Atlantis", 7, True]),
    "note": st.sampled_from(["note 1", "other", None, "é", 1.5]),
    "day": st.dates(dt.date(2015, 1, 1), dt.date(2026, 1, 1)) | st.sampled_from([None, "2020-01-31", "no", 3]),
    "moment": st.datetimes(dt.datetime(2018, 1, 1), dt.datetime(2022, 1, 1)) | st.sampled_from([None, "2020-01-31 1"]),
    "zoned": st.sampled_from([None, "2020-01-31 10:00:00+02:00", dt.datetime(2020, 1, 31, tzinfo=dt.UTC), "31.1.2020"]),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.chdir(tmp_path_factory.mktemp("runs"))
        trained = train({**SETTINGS, "dataset": {"table": "y"}}, training_rows(), verbose=False)
        return Run.open(Path(trained.path).absolute())


def answers(predict: Callable[[], Any]) -> tuple[Any, ...]:
    """What is predicted, to the byte, or refused, and what is warned about."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = predict()
        except UserError as error:
            return str(error), [str(one.message) for one in caught]
    bytes_of = {name: (column.dtype, repr(column.tolist())) for name, column in dict(found).items()}
    return bytes_of, [str(one.message) for one in caught]


def both_ways(run: Run, table: Any, **options: Any) -> tuple[Any, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OneRow, "predict", lambda *_: None)
        usual = answers(lambda: run.predict(table, **options))
    return answers(lambda: run.predict(table, **options)), usual


@pytest.mark.parametrize("form", FORMS)
def test_a_usual_row_of_any_library_takes_the_faster_way_to_the_same_bytes(form: str, run: Run) -> None:
    table = FORMS[form](USUAL)
    assert run._restore().one_row.predict(table) is not None
    fast, usual = both_ways(run, table)
    assert fast == usual
    assert fast[1] == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_row_has_the_answers_warnings_and_errors_of_a_table(data: st.DataObject, run: Run) -> None:
    row = {**USUAL, **data.draw(st.fixed_dictionaries({}, optional=ODD))}
    for name in data.draw(st.lists(st.sampled_from(sorted(row)), max_size=1)):
        del row[name]
    row |= data.draw(st.fixed_dictionaries({}, optional={"y": st.just(1.0), "more": st.just("x"), "": st.just(2)}))
    try:
        table = FORMS[data.draw(st.sampled_from(sorted(FORMS)))](row)
    except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, OverflowError):
        table = row
    fast, usual = both_ways(run, table)
    assert fast == usual


@pytest.mark.parametrize("on_error", ["skip", "null"])
def test_a_row_that_cannot_be_used_is_treated_as_in_a_table(on_error: str, run: Run) -> None:
    fast, usual = both_ways(run, {**USUAL, "m": np.inf}, on_error=on_error)
    assert fast == usual


def test_a_wide_row_of_pandas_has_the_cells_of_its_dict() -> None:
    cells = {f"x{j}": j / 3 for j in range(20)} | USUAL
    assert plain_row(pd.DataFrame([cells])) == cells


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]),
        pa.table({"a": pa.array([b"\xff"])}),
        {"a": [1.0, 2.0]},
        {"a": 1.0, "b": [2.0]},
        {},
        [],
        [[]],
        np.zeros((1, 0)),
        np.zeros((2, 1)),
        np.zeros(3),
        np.array([["x", object()]], object),
        "file.csv",
        None,
        7,
    ],
)
def test_what_is_no_row_of_plain_cells_is_left_to_others(table: Any) -> None:
    assert not plain_row(table)


def test_a_subclass_with_a_transform_of_its_own_keeps_it() -> None:
    class Doubled(PiecewiseLinear):
        def transform(self, values: Array, statistics: Statistics) -> Array:
            return 2 * super().transform(values, statistics)

    statistics, values = {"edges": np.array([[0.0, 1.0, 3.0]])}, np.array([[0.5], [2.0]])
    np.testing.assert_array_equal(ready(Doubled(2), statistics)(values), [[1, 0], [2, 1]])
    np.testing.assert_array_equal(ready(PiecewiseLinear(2), statistics)(values), [[0.5, 0], [1, 0.5]])


@pytest.mark.parametrize("names", [None, ["a", "b"]])
@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor])
def test_an_estimator_gives_one_row_the_answer_that_it_gives_many(kind: Any, names: list[str] | None) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), np.arange(40) % 2
    rows = X if names is None else pd.DataFrame(X, columns=names)
    net = kind(layers=["linear: 3", "tanh"], epochs=2, dtype="float64", verbose=False).fit(rows, y)
    for fitted in (net, copy.deepcopy(net)):
        together = fitted.predict(rows)
        assert [fitted.predict(rows[i : i + 1])[0] for i in range(5)] == pytest.approx(together[:5], abs=1e-14)
    assert net.result_.one_row.outputs(rows[:1] if names else {"x0": 0.1, "x1": 2}) is not None


def test_columns_in_another_order_are_refused_as_ever() -> None:
    rows = pd.DataFrame({"a": [0.0, 1.0] * 9, "b": [1.0, 2.0] * 9})
    net = NetRegressor(layers=["linear: 3"], epochs=1, verbose=False).fit(rows, rows.a)
    with pytest.raises(ValueError, match="in the same order"):
        net.predict(rows[:1][["b", "a"]])
