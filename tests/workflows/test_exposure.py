"""Counts with an exposure: the net learns the rate, and a prediction is the rate times the exposure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import PoissonRegressor

from nnfs_cli import ConfigError, DataError, NnfsWarning, Run, train
from nnfs_cli.errors import RunError
from tests.conftest import Nnfs

SETTINGS: dict[str, Any] = {
    "dataset": {"table": {"target": "claims", "exposure": "years"}},
    "layers": [{"linear": 1}, "exp"],
    "loss": "poisson",
    "optimizer": {"lbfgs": {"tolerance": 1e-12}},
    "epochs": 200,
    "preprocessing": "none",
    "split": {"validation": 0.25},
}


def policies(n: int = 400) -> pd.DataFrame:
    """Two numbers, and counts in times of different length."""
    rng = np.random.default_rng(0)
    age, power = rng.normal(size=(2, n))
    years = rng.uniform(0.1, 3, n)
    return pd.DataFrame(
        {"age": age, "power": power, "years": years, "claims": rng.poisson(years * np.exp(0.5 * age - 0.3 * power - 1))}
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(SETTINGS, policies(), folder=tmp_path_factory.mktemp("policies"))


def test_a_linear_net_is_poisson_regression_of_rates_weighted_by_exposure(tmp_path: Path) -> None:
    rows = policies()
    run = train({**SETTINGS, "split": {"validation": 0}}, rows, folder=tmp_path)
    model = PoissonRegressor(alpha=0, solver="newton-cholesky", tol=1e-10)
    model.fit(rows[["age", "power"]], rows.claims / rows.years, sample_weight=rows.years)
    found = run.predict(rows)
    assert [*found] == ["prediction", "rate"]
    np.testing.assert_allclose(found["rate"], model.predict(rows[["age", "power"]]), rtol=1e-7)
    np.testing.assert_allclose(found["prediction"], found["rate"] * rows.years, rtol=1e-12)


def test_the_exposure_is_no_input_and_figures_are_of_the_rate(run: Run) -> None:
    assert [column["name"] for column in json.loads((run.path / "data.json").read_text())["inputs"]] == ["age", "power"]
    found = run.evaluate(data=policies(), splits="validation")
    rows = found.scored["validation"].predicted
    assert rows.weight is not None
    error = np.average((rows.y - rows.y_hat)[:, 0] ** 2, weights=rows.weight)
    assert found["validation"]["rmse"] == pytest.approx(np.sqrt(error), rel=1e-6)
    assert run.evaluate(policies(300).iloc[::2])["input"]["rows"] == 150


def test_without_the_column_a_prediction_is_the_rate_and_a_warning_says_so(run: Run) -> None:
    rows = policies(5)
    with pytest.warns(NnfsWarning, match="no column 'years', so each prediction is the rate: for an exposure of 1"):
        found = run.predict(rows.drop(columns="years"))
    np.testing.assert_array_equal(found["prediction"], run.predict(rows)["rate"])
    one = run.predict({"age": [0.5], "power": [0.2], "years": [2.0]})
    assert one["prediction"][0] == pytest.approx(2 * one["rate"][0], rel=1e-12)


@pytest.mark.parametrize("years", [0.0, -1.0, np.nan])
def test_an_exposure_that_is_not_above_0_is_refused_or_skipped(run: Run, years: float) -> None:
    rows = policies(5)
    rows.loc[3, "years"] = years
    with pytest.raises(DataError, match="row 4: column 'years'"):
        run.predict(rows)
    with pytest.warns(NnfsWarning, match="1 of 5 rows cannot be used"):
        assert len(run.predict(rows, on_error="skip")["prediction"]) == 4
    with pytest.raises(DataError, match="'years'"):
        train(SETTINGS, rows, folder="unused")


def test_an_exposure_is_for_counts_and_for_no_other_role(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="an exposure is for counts, which need the loss poisson; with mse"):
        train({**SETTINGS, "loss": "mse", "layers": [{"linear": 1}]}, policies(), folder=tmp_path)
    for role in ("target", "weight", "drop"):
        names = {"target": "claims", "exposure": "years", role: "years"}
        with pytest.raises(ConfigError, match="can't be both"):
            train({**SETTINGS, "dataset": {"table": names}}, policies(), folder=tmp_path)


def test_a_file_is_trained_and_predicted_with_its_exposure(nnfs: Nnfs, tmp_path: Path) -> None:
    policies().to_csv(tmp_path / "policies.csv", index=False)
    (tmp_path / "policies.yaml").write_text(
        "dataset: {csv: {path: policies.csv, target: claims, exposure: years}}\n"
        "layers: [linear: 1, exp]\nloss: poisson\nepochs: 2\n",
        encoding="utf-8",
    )
    done = nnfs("train", tmp_path / "policies.yaml", cwd=tmp_path)
    assert "counts per unit of 'years'" in done.stderr
    run = Run(tmp_path / "runs" / "policies-1")
    found, rows = run.predict(tmp_path / "policies.csv"), policies()
    np.testing.assert_allclose(found["prediction"], found["rate"] * rows.years, rtol=1e-6)
    with pytest.raises(RunError, match="it predicts counts with an exposure"):
        run.predict(tmp_path / "policies.csv", interval=0.9)
