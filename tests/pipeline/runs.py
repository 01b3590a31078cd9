"""Small trained nets of every kind, and what their pipelines compute beside what they predict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nnfs_cli.api.config_from import Settings, config_from
from nnfs_cli.arrays import Array
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.data.table import Column, Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.prediction.as_pipeline import as_pipeline
from nnfs_cli.prediction.cells import cells_of
from nnfs_cli.prediction.decision import Interval
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.workflows.fit import fit

N = 150
STEPS: dict[str, Any] = {"numbers": ["standardize"], "categories": "one_hot"}
SETTINGS: dict[str, Any] = {
    "preprocessing": STEPS,
    "split": {"validation": 0.3},
    "engine": "numpy",
    "optimizer": "adam",
    "lr": 0.02,
    "epochs": 3,
}
CLOSE = {"float32": 5e-6, "float64": 1e-12}


def frame(n: int = N, seed: int = 0) -> pd.DataFrame:
    """Return rows with two numbers, a category and targets of every kind."""
    rng = np.random.default_rng(seed)
    a, b, kind = rng.normal(size=n), rng.integers(0, 5, n).astype(float), rng.choice(["p", "q"], n)
    price = np.where(a > 0, b, -b) + 0.3 * rng.normal(size=n) + (kind == "q")
    columns = {
        "a": a,
        "b": b,
        "kind": kind,
        "price": price,
        "size": np.exp(price / 3),
        "two": np.where(price > 0.5, "yes", "no"),
        "three": np.digitize(price, [-1, 1]),
        "grade": np.array(["bad", "fair", "good"])[np.digitize(price, [-1, 1])],
        "wet": price + rng.normal(size=n) > 0,
        "cold": np.where(price + rng.normal(size=n) > 1, "cold", "warm"),
        "years": rng.uniform(0.2, 3, n),
    }
    return pd.DataFrame({**columns, "claims": rng.poisson(columns["years"] * np.exp(0.3 * a))})


INPUTS = ["a", "b", "kind"]


def settings(target: str | list[str], layers: list[Any], loss: Any, **changes: Any) -> dict[str, Any]:
    """Return the settings of a net for some targets, with the three inputs."""
    targets = [target] if isinstance(target, str) else target
    dropped = [name for name in frame(1).columns if name not in (*INPUTS, *targets, changes.get("exposure"))]
    dataset: dict[str, Any] = {"target": target, "drop": dropped}
    if exposure := changes.pop("exposure", None):
        dataset["exposure"] = exposure
    return {**SETTINGS, "dataset": {"table": dataset}, "layers": layers, "loss": loss, **changes}


def trained_and_calibrated(config: Settings, rows: Any = None, **changes: Any) -> tuple[Predictor, Any]:
    """Return a trained net with its calibration, or None."""
    experiment = prepare(config_from(config, rows, changes))
    outcome = fit(experiment)
    return experiment.predictor, outcome.calibration


def trained(config: Settings, rows: Any = None, interval: float | None = None, **changes: Any) -> Predictor:
    """Return a trained net, with intervals at a level if asked for."""
    predictor, calibration = trained_and_calibrated(config, rows, **changes)
    if interval is None:
        return predictor
    return predictor.with_interval(Interval.at(interval, calibration, predictor.labels))


def new_rows() -> pd.DataFrame:
    """Return rows as they come: also with gaps, unseen words, and numbers far outside."""
    rows = frame(80, 1).astype({"b": float})
    rows.loc[0, "a"], rows.loc[1, "b"], rows.loc[2, "kind"], rows.loc[3, "kind"] = np.nan, np.nan, None, "unseen"
    rows.loc[4:9, "a"] = [1e3, -1e6, 1e30, -1e38, 3e38, -1e300]
    rows.loc[[10, 11, 12], "years"] = [0.0, -1.0, np.nan]
    return rows


def assert_same(predictor: Predictor, rows: Any, close: float | None = None) -> None:
    """Assert that the pipeline of a predictor gives what it predicts for the rows of a table."""
    encoder, kinds = predictor.encoder, dict[str, Kind](predictor.encoder.kinds)
    if encoder.exposure is not None:
        kinds[encoder.exposure] = "number"
    source = predictor.config.dataset if rows is None else rows_for(rows, predictor.config.dataset)
    close = CLOSE[predictor.model.dtype.name] if close is None else close
    pipeline = as_pipeline(predictor)
    for table in source.chunks(kinds):
        marks = np.zeros(table.n_rows, bool)
        expected = predictor.predict(table, marks)
        outputs, usable = evaluate(pipeline, cells_of(encoder, table))
        np.testing.assert_array_equal(usable, ~marks)
        assert usable.any()
        assert [*outputs] == [*expected]
        for name, column in expected.items():
            assert_close(outputs[name][usable], plain(column)[usable], close, name)


def plain(column: Column) -> Array:
    return np.array(column.tolist(), object) if isinstance(column, Texts) else column


def assert_close(found: Array, expected: Array, close: float, name: str) -> None:
    """Assert that labels are equal, and numbers equal but for rounding."""
    assert found.dtype == expected.dtype, name
    if found.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected, err_msg=name)
    else:
        finite = np.abs(expected[np.isfinite(expected)])
        unit = float(np.median(finite)) if finite.size else 1.0
        np.testing.assert_allclose(found, expected, rtol=close, atol=close * unit, err_msg=name)


def table_of(rows: pd.DataFrame, predictor: Predictor) -> Table:
    """Return rows as a table of the columns that a net reads."""
    return next(rows_for(rows, predictor.config.dataset).chunks(predictor.encoder.kinds))
