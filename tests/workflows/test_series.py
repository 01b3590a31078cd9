"""Figures of series: what is said out of fold holds for later rows, or the tool says that it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.api.config_from import config_from
from nnfs_cli.prediction.decision import Interval
from nnfs_cli.workflows.fit import fit
from nnfs_cli.workflows.result import EpochRows
from nnfs_cli.workflows.verdicts import judge

Series = dict[str, Any]
pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")


def days(n: int) -> Any:
    return np.datetime64("2021-01-01", "us") + np.arange(n) * np.timedelta64(1, "D")


def random_walk(seed: int) -> Series:
    rng = np.random.default_rng(seed)
    return {"when": days(500), "x": rng.normal(size=500), "y": np.cumsum(rng.normal(size=500))}


def sales(seed: int) -> Series:
    rng, t = np.random.default_rng(seed), np.arange(1_000)
    price, week, year = rng.uniform(5, 10, 1_000), np.sin(2 * np.pi * t / 7), np.sin(2 * np.pi * t / 365.25)
    y = 100 + 0.03 * t + 15 * week + 25 * year - 6 * price + rng.normal(0, 6, 1_000)
    return {"when": days(1_000), "price": price, "y": y}


def shops(seed: int) -> Series:
    """20 shops on 100 days, of which all have good and bad ones."""
    rng, day, shop = np.random.default_rng(seed), np.repeat(np.arange(100), 20), np.tile(np.arange(20), 100)
    week, of_day = 8 * np.sin(2 * np.pi * day / 7), rng.normal(0, 3, 100)[day]
    y = 50 + rng.normal(0, 10, 20)[shop] + week + of_day + rng.normal(0, 4, 2_000)
    return {"when": days(100)[day], "shop": [f"s{i}" for i in shop], "y": y}


def growth(seed: int) -> Series:
    """Twenty-five years in months that grow by 7 % a year."""
    rng, t = np.random.default_rng(seed), np.arange(300)
    y = np.exp(0.006 * t) * (100 + 20 * np.sin(2 * np.pi * t / 12)) * np.exp(rng.normal(0, 0.05, 300))
    return {"when": (np.datetime64("1995-01") + t).astype("datetime64[us]"), "y": y}


def told(series: Series, seed: int, **settings: Any) -> dict[str, Any]:
    """Train the preset, and return the figures, the coverage of 90 % intervals on test rows, and the warnings."""
    split = {"test": 0.2, "time": "when"}
    config = config_from({"dataset": {"table": "y"}, "split": split, "seed": seed, **settings}, series)
    experiment, log = workflows.prepare(config), EpochRows()
    outcome = fit(experiment, [log])
    assert outcome.calibration is not None
    covering = experiment.predictor.with_interval(Interval(outcome.calibration, 0.9))
    return {
        **{split: outcome.metrics[split] for split in ("validation", "test")},
        "coverage": float(covering.covers(experiment.splits["test"]).mean()),
        "warnings": {verdict.code for verdict in judge(experiment, outcome.metrics, log.rows, outcome.calibration)}
        & {"worse_on_test", "narrow_intervals"},
    }


@pytest.mark.slow
def test_of_random_walks_figures_out_of_fold_promise_nothing_and_narrow_intervals_are_said() -> None:
    found = [told(random_walk(seed), seed) for seed in range(10)]
    assert max(one["validation"]["r2"] for one in found) < 0.5  # with folds at random it is 0.96
    silent = [one for one in found if not one["warnings"]]
    assert len(silent) <= 4
    assert all(one["test"]["rmse"] < 2 * one["validation"]["rmse"] for one in silent)  # walks may also stay


@pytest.mark.slow
@pytest.mark.parametrize("series", [sales, shops])
def test_of_seasonal_series_figures_out_of_fold_hold_for_later_rows(series: Any) -> None:
    found = [told(series(seed), seed) for seed in range(5)]
    ratios = np.array([one["test"]["rmse"] / one["validation"]["rmse"] for one in found])
    assert abs(ratios.mean() - 1) < 0.1
    assert np.mean([one["coverage"] for one in found]) > 0.85
    assert sum(bool(one["warnings"]) for one in found) <= 1


@pytest.mark.slow
def test_a_series_that_grows_beyond_what_was_seen_is_said() -> None:
    assert all(told(growth(seed), seed)["warnings"] for seed in range(3))


def test_a_walk_that_leaves_its_past_is_said() -> None:
    series = random_walk(0)
    warnings = told(
        series,
        0,
        layers=[{"linear": 8}, "relu", {"linear": 1}],
        loss="mse",
        epochs=60,
        optimizer="adam",
        lr=0.01,
        members=4,
        holdout="fold",
        preprocessing={"dates": "calendar"},
    )["warnings"]
    assert warnings == {"worse_on_test", "narrow_intervals"}
