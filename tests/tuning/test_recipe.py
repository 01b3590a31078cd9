"""The text of a config gets other values in their places, and keeps its comments, its paths and all else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.config import yaml
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.tuning.recipe import Recipe
from tests.tuning.searches import CONFIG, write_config

MORE = """\
  optimizer: {choice: [{sgd: {momentum: {uniform: [0, 0.9]}}}, adamw]}
  clip: {choice: [null, {norm: {log: [0.1, 2]}}]}
  batch_size: {choice: [16, full]}
"""
SPACE = CONFIG.replace("  optimizer.adamw.weight_decay: {log: [1e-4, 1]}\n", MORE)
RECIPE = Recipe.of(Document.parse(SPACE.encode(), "flowers.yaml", Path()))
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "lr": st.floats(1e-3, 1e-1),
        "layers.0.linear": st.sampled_from([4, 6, 8]),
        "optimizer": st.sampled_from(["adamw"]) | st.floats(0, 0.9).map(lambda m: {"sgd": {"momentum": m}}),
        "clip": st.none() | st.floats(0.1, 2).map(lambda norm: {"norm": norm}),
        "batch_size": st.sampled_from([16, "full"]),
    },
)


@given(VALUES)
def test_values_stand_in_their_places(values: dict[str, Any]) -> None:
    text = RECIPE.text(values)
    assert text.startswith("# how iris is told apart\n")
    assert "search" not in text
    data, _ = yaml.read(text.encode())
    config = Config.read(Document.parse(text.encode(), "flowers.yaml", Path()))
    assert config == RECIPE.config(values)
    assert config.name == "flowers"
    assert data.get("lr") == values.get("lr")
    assert data["layers"][0] == {"linear": values.get("layers.0.linear", 6)}
    assert data["optimizer"] == values.get("optimizer", "adamw")
    assert data.get("clip") == values.get("clip")
    assert ("# hidden" in text) is True
    assert RECIPE.text(values) == text


@given(VALUES)
def test_a_search_that_is_read_again_makes_the_same_texts(values: dict[str, Any]) -> None:
    again = Recipe.of(Document.parse(RECIPE.whole.encode(), "config.yaml", Path()))
    assert again.text(values) == RECIPE.text(values)
    assert again.whole == RECIPE.whole
    assert again.space == RECIPE.space


def test_null_is_written_where_a_preset_would_fill_in_something(tmp_path: Path) -> None:
    text = "dataset: iris  # flowers\nsearch:\n  averaging: {choice: [null, {ema: 0.9}]}\n"
    recipe = Recipe.of(Document.load(write_config(tmp_path, text)))
    assert recipe.config({"averaging": None}).averaging is None
    assert recipe.config({}).averaging is not None


def test_what_the_command_line_changes_is_in_the_text(tmp_path: Path) -> None:
    document = Document.load(
        write_config(tmp_path), ["epochs=7", "layers.0.linear=5", "optimizer=adam", "search={lr: {log: [1, 2]}}"]
    )
    recipe = Recipe.of(document)
    config = recipe.config({})
    assert (config.epochs, config.optimizer.name, config.layers[0].units) == (7, "adam", 5)  # type: ignore[attr-defined]
    assert "epochs: 7\n" in recipe.whole
    assert "# hidden" in recipe.whole
    assert [*recipe.space] == ["lr"]


@pytest.mark.parametrize("where", ["table.csv", "./table.csv", "data/table.csv", "../table.csv", "data/../table.csv"])
def test_the_best_config_leads_to_the_same_files(tmp_path: Path, where: str) -> None:
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (home / where).resolve().write_text("x,y\n" + "1,2\n3,4\n" * 20, encoding="utf-8")
    text = (
        f"dataset: {{csv: {{path: {where}, target: y}}}}  # mine\nsplit: {{test: {where}, validation: 0.2}}\n"
        + CONFIG.partition("iris\n")[2]
    )
    text = text.replace("linear: 3", "linear: 1").replace("cross_entropy", "mse")
    recipe = Recipe.of(Document.load(write_config(home, text)))
    target = tmp_path / "runs" / "flowers-tune-1"
    target.mkdir(parents=True)
    moved = target / "best.yaml"
    moved.write_text(recipe.moved_text({"lr": 0.05}, target), encoding="utf-8")
    assert "# mine" in moved.read_text(encoding="utf-8")
    assert str(tmp_path) not in moved.read_text(encoding="utf-8")
    assert Config.load(moved) == recipe.config({"lr": 0.05})
