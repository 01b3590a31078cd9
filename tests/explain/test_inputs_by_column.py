"""Which inputs come from which column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nnfs_cli.config.config import Config
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.explain.inputs_by_column import inputs_by_column

TABLE = "age,city,years,y\n" + "".join(f"{20 + i},{'ab'[i % 2]},{i}-{i + 5},{i % 3}.5\n" for i in range(40))
CONFIG = """
dataset: {csv: {path: t.csv, target: y}}
parse: {years: range}
preprocessing: {categories: one_hot}
split: {validation: 0.25}
layers: [linear: 1]
loss: mse
optimizer: sgd
lr: 0.1
epochs: 1
"""


def test_inputs_of_a_range_and_of_categories_belong_to_the_column_that_they_come_from(
    write: Callable[[str, str], Path],
) -> None:
    write("t.csv", TABLE)
    predictor = prepare(Config.load(write("c.yaml", CONFIG))).predictor
    found = inputs_by_column(predictor)
    names = {column: [predictor.encoder.names[i] for i in inputs] for column, inputs in found.items()}
    assert names == {"age": ["age"], "years": ["years low", "years high"], "city": ["city=a", "city=b"]}
