"""What `nnfs audit` finds in tables with known faults."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import nnfs_cli
from nnfs_cli.api.config_from import config_from
from nnfs_cli.api.runs.audit import DataAudit
from nnfs_cli.audit.audit import audit_config
from nnfs_cli.audit.fold_config import in_folds
from nnfs_cli.data.table import text_of
from tests.conftest import Nnfs, one_message

CONFIG = """\
dataset: {csv: {path: houses.csv, target: price}}
preprocessing: {numbers: standardize, categories: one_hot}
layers: [{linear: 8}, relu, {linear: 1}]
loss: mse
optimizer: adam
lr: 0.02
epochs: 30
"""


def houses(n: int = 200) -> dict[str, list[object]]:
    """Return houses with one far cell, one wrong price, a copy, a near copy with another price and an equal one."""
    rng = np.random.default_rng(3)
    size, rooms, age = rng.normal(120, 30, n), rng.normal(4, 1, n), rng.normal(40, 10, n)
    price = 3 * size + 10 * rooms - age + rng.normal(0, 5, n)
    size, age = size.round(2), age.round(2)
    age[10] = 400
    price[20] += 200
    table = {"size": size, "rooms": rooms.round(3), "age": age, "city": rng.choice(["Bonn", "Kiel"], n)}
    table["price"] = price.round(1)
    for at, add in ((30, {}), (31, {"size": 0.01}), (32, {"price": 300})):
        for name, column in table.items():
            table[name] = np.append(column, column[at] + add[name] if name in add else column[at])
    return {name: column.tolist() for name, column in table.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, table = tmp_path_factory.mktemp("houses"), houses()
    lines = [[*table], *([text_of(cell) for cell in row] for row in zip(*table.values(), strict=True))]
    (path / "houses.csv").write_text("\n".join(map(",".join, lines)))
    (path / "houses.yaml").write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def found(folder: Path) -> DataAudit:
    return nnfs_cli.audit_data(folder / "houses.yaml")


def rows_of(found: DataAudit, finding: str) -> list[int]:
    rows = found.rows
    return [int(row) for row in rows["row"][rows["finding"] == finding]]


def test_each_fault_is_found_once(found: DataAudit) -> None:
    assert rows_of(found, "copies") == [201]
    assert rows_of(found, "near_duplicates") == [202]
    assert sorted(rows_of(found, "contradictions")) == [33, 203]
    assert rows_of(found, "far_cells") == [11]
    assert set(rows_of(found, "improbable_answers")) <= {11, 21, 203}
    assert {21, 203} <= set(rows_of(found, "improbable_answers"))
    assert not rows_of(found, "far_rows")


def test_reasons_name_the_other_row_and_what_is_usual(found: DataAudit) -> None:
    reasons = dict(zip(found.rows["finding"], found.rows["reason"], strict=True))
    assert reasons["copies"] == "a copy of row 31"
    assert reasons["near_duplicates"] == "nearly the same as row 32"
    assert reasons["far_cells"].startswith("'age' is 400, and 98 % of the rows have ")


def test_an_audit_is_shown_in_python(found: DataAudit) -> None:
    assert found.counts["copies"] == 1
    assert "- copies: 1 row of 203 is a copy of another row" in repr(found)
    assert "a copy of row 31" in found._repr_html_()
    assert set(found.columns["effect"]) <= {"hurts", "unclear"}


def test_the_command_writes_neither_over_the_data_nor_where_no_folder_is(folder: Path, inside: Nnfs) -> None:
    config, data = folder / "houses.yaml", folder / "houses.csv"
    before = data.read_bytes()
    sentence = one_message(inside("audit", str(config), "--output", str(data)), 2)
    assert sentence.endswith("houses.csv is the data; name another file for what is found\n")
    assert data.read_bytes() == before
    sentence = one_message(inside("audit", str(config), "--output", "no/faults.csv"), 2)
    assert sentence == "error: there is no folder 'no'; make it first\n"


def test_the_command_shows_rows_and_writes_them(folder: Path, inside: Nnfs, tmp_path: Path) -> None:
    done = inside("audit", str(folder / "houses.yaml"), "--output", "faults.csv", "--top", "1")
    assert done.returncode == 0
    assert "1 row of 203 is a copy of another row" in done.stdout
    assert "training    5 nets on 203 rows" in done.stderr
    with Path("faults.csv").open(encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    assert [*rows[0]] == ["row", "finding", "score", "given", "likely", "reason"]
    assert ("201", "copies") in {(row["row"], row["finding"]) for row in rows}
    assert not Path("runs").exists()


def test_a_run_judges_its_held_out_rows(folder: Path, inside: Nnfs) -> None:
    run = nnfs_cli.train(folder / "houses.yaml", epochs=3, split={"validation": 0.2}, folder=folder / "runs")
    done = inside("audit", run.path, "--json", "--top", "2")
    found = json.loads(done.stdout)
    assert (found["rows"], found["judged"]) == (203, 41)
    assert found["notes"][0].startswith("the answers of 162 rows are not judged")
    near = next(one for one in found["findings"] if one["code"] == "near_duplicates")
    assert near["found"] == len(near["rows"]) == 1
    assert run.audit().rows.columns == ("row", "split", "finding", "score", "given", "likely", "reason")
    assert "leave --set out" in one_message(inside("audit", run.path, "--set", "epochs=2"), 2)


def test_a_run_without_held_out_rows_judges_no_answer(folder: Path) -> None:
    run = nnfs_cli.train(folder / "houses.yaml", epochs=1, split={"validation": 0}, folder=folder / "runs")
    found = run.audit()
    assert "improbable_answers" not in found.counts
    assert found.counts["far_cells"] == 1
    assert not len(found.columns)


def test_each_of_several_labels_is_judged() -> None:
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 300))
    rain, hail = x > 0, z > 0
    rain[np.argmax(x)], hail[np.argmin(z)] = False, True
    table = {"x": x, "z": z, "rain": np.where(rain, "yes", "no"), "hail": np.where(hail, "yes", "no")}
    settings = {"dataset": {"table": ["rain", "hail"]}, "layers": ["linear: 2"], "loss": "binary_cross_entropy"}
    found = nnfs_cli.audit_data(settings, table, lr=0.5, epochs=20, preprocessing="standardize").rows
    wrong = {(row, reason[:5]) for row, reason in zip(found["row"].tolist(), found["reason"], strict=True)}
    assert {(int(np.argmax(x)) + 1, "'yes'"), (int(np.argmin(z)) + 1, "'no' ")} <= wrong


@pytest.mark.parametrize(("noise", "advice"), [(1.0, "most are right"), (0.1, "or leave them out")])
def test_where_labels_are_mostly_chance_most_suspected_ones_are_called_right(noise: float, advice: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    table = {"x": x, "y": np.where(np.where(rng.random(200) < noise, rng.random(200) > 0.5, x > 0), "yes", "no")}
    settings = {"dataset": {"table": "y"}, "layers": ["linear: 1", "sigmoid"], "loss": "binary_cross_entropy"}
    found = audit_config(config_from(settings, table, {"lr": 0.5, "epochs": 10, "preprocessing": "standardize"}))
    (labels,) = (one for one in found.findings if one.code == "label_errors")
    assert advice in labels.remedy


def test_rows_are_dealt_into_folds_at_random_and_the_column_that_divided_them_stays_no_input(folder: Path) -> None:
    table = houses() | {"year": [1900 + i for i in range(203)], "part": ["train", "test", "train"] * 67 + ["train"] * 2}
    for split in ({"time": "year"}, {"column": "part"}):
        config = config_from(folder / "houses.yaml", table, {"epochs": 2, "split": split})
        folded = in_folds(config)
        found = audit_config(config).rows
        assert folded.split.column_by_key == {}
        assert len(found.judged) == 203
        assert next(iter(split.values())) not in found.inputs


def test_a_net_that_mixes_rows_cannot_be_trained_in_folds(folder: Path) -> None:
    layers = ["linear: 8", "batch_norm", "relu", "linear: 1"]
    with pytest.raises(nnfs_cli.ConfigError, match="houses cannot be trained in folds; train it, and audit its run"):
        nnfs_cli.audit_data(folder / "houses.yaml", layers=layers)
