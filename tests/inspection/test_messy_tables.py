"""Messy tables give the same inputs and targets to a net as the same tables cleaned by hand, and nothing is dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.inspection.load_config import load
from nnfs_cli.inspection.propose import propose
from nnfs_cli.inspection.table_profile import profile_file
from nnfs_cli.inspection.write_config import write_config
from tests.inspection.messy_tables import LOCALES, N_TABLES, messy_table

INPUTS = {"price", "weight", "share", "change", "sold", "open", "size", "color", "age", "took"}
FEW = {0, 11, 22, 33, 48, 54}  # tables of all kinds, and of several locales


def encoded(folder: Path, name: str, content: bytes, target: str) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return the names of the inputs, the inputs and the targets of all rows, as `init` proposes them."""
    (folder / f"{name}.csv").write_bytes(content)
    proposal = propose(profile_file(folder / f"{name}.csv", target), target)
    (folder / f"{name}.yaml").write_text(write_config(proposal, folder), encoding="utf-8")
    config = load(folder / f"{name}.yaml")
    loaded = load_data(config)
    encoder = prepare(config, loaded).predictor.encoder
    table = loaded.readers["train"].survey
    return encoder.names, encoder.encode(table, np.float64), encoder.truth(table)


@pytest.mark.parametrize(
    "number", [pytest.param(i, marks=[] if i in FEW else pytest.mark.slow) for i in range(N_TABLES)]
)
@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_a_messy_table_is_the_same_to_a_net_as_a_clean_one(number: int, tmp_path: Path) -> None:
    made = messy_table(number)
    names, inputs, targets = encoded(tmp_path, "messy", made.text, made.target)
    clean_names, clean_inputs, clean_targets = encoded(tmp_path, "clean", made.clean, made.target)
    assert sorted(names) == sorted(clean_names), LOCALES[number % len(LOCALES)]
    order = [names.index(name) for name in clean_names]
    assert {name.partition(" ")[0].partition("=")[0] for name in names} == INPUTS
    np.testing.assert_allclose(inputs[:, order], clean_inputs, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(targets, clean_targets)
