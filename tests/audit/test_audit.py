"""What `nnfs audit` finds in tables with known faults."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import nnfs_cli
from nnfs_cli.api.runs.audit import DataAudit
from nnfs_cli.data.table import text_of
from tests.conftest import Nnfs

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
    return rows["row"][rows["finding"] == finding].tolist()


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
    assert "- copies: 1 row of 203 is a copy of an earlier row" in repr(found)
    assert "a copy of row 31" in found._repr_html_()
    assert set(found.columns["effect"]) <= {"hurts", "unclear"}


def test_the_command_shows_rows_and_writes_them(folder: Path, inside: Nnfs, tmp_path: Path) -> None:
    done = inside("audit", str(folder / "houses.yaml"), "--output", "faults.csv", "--top", "1")
    assert done.returncode == 0
    assert "1 row of 203 is a copy of an earlier row" in done.stdout
    assert "training    5 nets on 203 rows" in done.stderr
    with Path("faults.csv").open(encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    assert [*rows[0]] == ["row", "finding", "score", "given", "likely", "reason"]
    assert ("201", "copies") in {(row["row"], row["finding"]) for row in rows}
    assert not Path("runs").exists()
