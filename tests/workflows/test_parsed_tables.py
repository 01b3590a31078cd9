"""A net that is trained on a messy table equals the net that is trained on the same table cleaned by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnfs_cli import DataError, NetRegressor, NnfsWarning, Run, train
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import read
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.csv import blocks as csv_blocks
from nnfs_cli.experiment import read_data

N = 120
RNG = np.random.default_rng(0)
CLEAN = pd.DataFrame(
    {
        "price": RNG.integers(1_000, 900_000, N) / 100,
        "size": RNG.integers(100, 99_999, N) / 100,
        "sold": np.datetime64("2019-12-20", "us") + np.arange(N) * np.timedelta64(1, "D"),
        "paid": RNG.integers(0, 2, N),
        "low": RNG.integers(0, 50, N),
        "seconds": RNG.integers(0, 9_000, N),
        "weight": RNG.integers(1, 4, N),
    }
)
CLEAN["high"] = CLEAN["low"] + 5


def german(value: float) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


MESSY = pd.DataFrame(
    {
        "price": [f"{german(price)} €" for price in CLEAN["price"]],
        "size": [f"{german(size)} m²" for size in CLEAN["size"]],
        "sold": CLEAN["sold"].dt.strftime("%d/%m/%Y"),
        "paid": np.where(CLEAN["paid"] == 1, "ja", "nein"),
        "ages": [f"{low}-{low + 5}" for low in CLEAN["low"]],
        "seconds": [f"{s // 3600}:{s // 60 % 60:02}:{s % 60:02}" for s in CLEAN["seconds"]],
        "weight": [f"{weight} x" for weight in CLEAN["weight"]],
    }
)
PARSE = {
    "price": "number", "size": "number", "sold": "date", "paid": "boolean", "ages": "range", "seconds": "duration",
    "weight": "number",
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "dataset": {"table": {"target": "price", "weight": "weight"}},
    "preprocessing": {"dates": "calendar"},
    "split": {"time": "sold", "validation": 0.2},
    "layers": ["linear: 2", "relu", "linear: 1"],
    "loss": "mse",
    "epochs": 2,
}
RENAMED = CLEAN.rename(columns={"low": "ages low", "high": "ages high"})[
    ["price", "size", "sold", "paid", "ages low", "ages high", "seconds", "weight"]
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train({**SETTINGS, "parse": PARSE}, MESSY, folder=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(SETTINGS, RENAMED, folder=tmp_path_factory.mktemp("runs"))


def test_the_weights_are_those_of_the_clean_table(run: Run, clean: Run) -> None:
    for name, weights in clean.weights.items():
        np.testing.assert_array_equal(run.weights[name], weights)


def test_the_run_keeps_what_the_cells_have_settled(run: Run) -> None:
    spec = read((run.path / "spec.yaml").read_bytes())[0]
    assert spec["parse"]["sold"]["date"]["format"] == "%d/%m/%Y"
    assert (spec["parse"]["price"]["number"]["unit"], spec["parse"]["price"]["number"]["decimal"]) == ("EUR", ",")
    assert all(
        parser.is_settled for parser in Config.load(run.path / "spec.yaml", files_must_exist=False).parse.values()
    )


def test_new_rows_are_parsed_wherever_they_come_from(run: Run, clean: Run, tmp_path: Path) -> None:
    rows = MESSY.iloc[:70].drop(columns=["price", "weight"])
    expected = clean.predict(RENAMED.iloc[:70])["prediction"]
    rows.to_csv(tmp_path / "new.csv", index=False)
    rows.to_parquet(tmp_path / "new.parquet")
    for new in (rows, tmp_path / "new.csv", tmp_path / "new.parquet"):
        np.testing.assert_array_equal(run.predict(new)["prediction"], expected)
    one_by_one = [run.predict(row)["prediction"].item() for row in rows.iloc[:3].to_dict("records")]
    assert one_by_one == expected[:3].tolist()


def test_a_date_of_another_format_is_refused_and_never_guessed(run: Run) -> None:
    rows = MESSY.iloc[:2].assign(sold=["01/02/2020", "12/31/2020"])
    with pytest.raises(
        DataError, match="row 2: column 'sold' should hold dates, such as 31/01/2026, found '12/31/2020'"
    ):
        run.predict(rows)
    with pytest.warns(NnfsWarning, match="1 of 2 rows cannot be used and is left out"):
        assert len(run.predict(rows, on_error="skip")["prediction"]) == 1


def test_rows_with_a_parsed_target_are_evaluated(run: Run, clean: Run) -> None:
    assert run.evaluate(MESSY[:99])["input"] == pytest.approx(clean.evaluate(RENAMED[:99])["input"])


def test_an_estimator_takes_parsers() -> None:
    def fitted(table: pd.DataFrame, **settings: Any) -> Any:
        return NetRegressor(["linear: 2"], epochs=2, **settings).fit(table[["size", "paid"]], CLEAN["price"])

    messy = fitted(MESSY, parse={"size": "number", "paid": "boolean"})
    np.testing.assert_array_equal(
        messy.predict(MESSY[["size", "paid"]]), fitted(CLEAN).predict(CLEAN[["size", "paid"]])
    )


def test_a_parser_of_an_unknown_column_is_a_fault_with_the_nearest_name() -> None:
    with pytest.raises(Exception, match=r"has no column 'sized'; did you mean 'size'\?"):
        train({**SETTINGS, "parse": {**PARSE, "sized": "number"}}, MESSY)


def test_a_table_larger_than_memory_is_parsed_as_one_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    MESSY.to_csv(tmp_path / "messy.csv", index=False)
    settings: dict[str, Any] = {
        **SETTINGS,
        "dataset": {"csv": {"path": str(tmp_path / "messy.csv"), "target": "price", "weight": "weight"}},
        "parse": PARSE,
        "split": {"validation": 0.2, "test": 0.1},
        "shuffle": False,
    }
    whole = train(settings, folder=tmp_path / "whole")
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 400)
    monkeypatch.setattr(ColumnSource, "table_size", lambda source: 10**12)
    streamed = train({**settings, "memory_limit": "20 MB"}, folder=tmp_path / "streamed")
    assert streamed.metrics == whole.metrics
    for name, weights in whole.weights.items():
        np.testing.assert_array_equal(streamed.weights[name], weights)
    kept = [read((run.path / "spec.yaml").read_bytes())[0]["parse"] for run in (whole, streamed)]
    assert kept[0] == kept[1]
    new = tmp_path / "messy.csv"
    np.testing.assert_array_equal(streamed.predict(new)["prediction"], whole.predict(new)["prediction"])
