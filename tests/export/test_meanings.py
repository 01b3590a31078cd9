"""Exported files say what the numbers of parsed columns mean."""

from __future__ import annotations

import pytest

import nnfs_cli as nnfs
from nnfs_cli.export.c.format import CFormat
from nnfs_cli.export.export import exported_model
from nnfs_cli.export.format import ExportedModel
from nnfs_cli.export.onnx.format import OnnxFormat
from nnfs_cli.export.page.html import page_of
from nnfs_cli.export.python.format import PythonFormat
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.predict import predictor_of

CONFIG = """
dataset: {csv: {path: flats.csv, target: rent}}
parse:
  area: {number: {unit: m²}}
  deposit: {number: {unit: EUR}}
  floor: {number: {}}
  lift: boolean
  ride: duration
  rooms: {range: {}}
  listed: {date: {format: ['%d.%m.%y']}}
preprocessing: {dates: calendar}
layers: [linear: 1]
loss: mse
epochs: 1
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    folder = tmp_path_factory.mktemp("flats")
    rows = [
        f"{40 + i} m²,{800 + i} €,{i % 5}.,{('no', 'yes')[i % 2]},0:{10 + i},{i % 3} to {4 + i},{1 + i % 28}.1.24,{i}"
        for i in range(40)
    ]
    lines = ["area,deposit,floor,lift,ride,rooms,listed,rent", *rows]
    (folder / "flats.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "flats.yaml").write_text(CONFIG, encoding="utf-8")
    run = RunDirectory.open(nnfs.train(folder / "flats.yaml").path)
    return exported_model(run, predictor_of(run), "best", None)


def test_the_numbers_of_parsed_columns_have_a_meaning(model: ExportedModel) -> None:
    plain = {"floor", "rooms low", "rooms high", "listed"}
    assert {*model.pipeline.columns} - {*model.meanings} == plain
    assert [*model.meanings.values()] == ["in m²", "in euros", "0 is false, 1 is true", "in seconds"]


def test_every_file_says_it(model: ExportedModel) -> None:
    python = PythonFormat().files(model, "model")["model.py"].decode()
    header = CFormat().files(model, "model")["model.h"].decode()
    onnx = OnnxFormat().files(model, "model")["model.onnx"].decode(errors="replace")
    for text in (python, header, onnx, page_of(model)):
        assert all(meaning in text for meaning in model.meanings.values())
