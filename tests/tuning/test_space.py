"""What varies is checked before anything is trained: paths, and the ends of each distribution, at their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.errors import ConfigError, UserError
from nnfs_cli.tuning.recipe import Recipe
from tests.tuning.searches import CONFIG, write_config

HEAD = CONFIG.partition("search:")[0]


def faults(text: str, head: str = HEAD) -> str:
    with pytest.raises(ConfigError) as caught:
        Config.read(Document.parse(f"{head}search:\n  {text}\n".encode(), "flowers.yaml", Path()))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch: {whole: [1, 2]}", "11:3: error: there is no key 'epoch'; did you mean 'epochs'?"),
        ("lr: {uniform: [0, 1]}", "11:3: error: with 0.0, must be greater than 0, found 0"),
        ("layers.0.linear: {whole: [0, 4]}", "11:3: error: with 0, must be greater than 0, found 0"),
        ("layers.0.linear: {uniform: [1, 4]}", "with 1.0, expected a whole number"),
        ("layers.9.linear: {whole: [1, 4]}", "layers is a list; its entries are 0 to 2, and there is no '9'"),
        ("layers.0.linear.units: {whole: [1, 4]}", "has no 'units'; did you mean layers.0.linear?"),
        ("layers.2.linear: {choice: [3, 4]}", "with 4, "),
        ("optimizer.sgd.momentum: {uniform: [0, 0.5]}", "optimizer is 'adamw' and has no 'sgd'"),
        ("optimizer: {choice: [adamw, {sgd: {momentum: {uniform: [0, 1.5]}}}]}", "must be less than 1"),
        ("optimizer: {choice: [adamw, adamm]}", "there is no optimizer 'adamm'; did you mean 'adam'?"),
        ("split.validation: {uniform: [0.1, 0.2]}", "a search cannot vary split: the trials of a search are scored"),
        ("seed: {whole: [0, 9]}", "a search cannot vary seed"),
        ("dataset: {choice: [iris, wine]}", "a search cannot vary dataset"),
        ("search.lr: {whole: [0, 9]}", "a search cannot vary search"),
        ("lr: 0.1", "expected the name of a distribution, found 0.1"),
        ("lr: {log: [1, 2]}\n  clip: {choice: [null]}\n  clip.norm: {uniform: [0.1, 0.2]}", "leave one out"),
        ('"": {log: [1, 2]}', "expected a text of at least one character"),
        ('"a\\0b": {log: [1, 2]}', "there is no key"),
        ("../x: {log: [1, 2]}", "there is no key"),
        ("__class__: {log: [1, 2]}", "there is no key '__class__'"),
    ],
)  # fmt: skip
def test_a_fault_is_found_at_its_place(text: str, message: str) -> None:
    assert message in faults(text)


def test_a_number_in_the_place_of_a_block_is_refused() -> None:
    head = HEAD.replace("linear: 6 # hidden", "linear: {units: 6, init: he_normal}")
    assert "such as layers.0.linear.units" in faults("layers.0.linear: {choice: [3, 4]}", head)


def test_all_faults_come_at_once() -> None:
    text = faults("lr: {uniform: [0, 1]}\n  epoch: {whole: [1, 2]}\n  layers.0.linear: {whole: [0, 4]}")
    assert text.endswith("3 errors")


@pytest.mark.parametrize("rows", ["iris", "diabetes", "breast_cancer"])
def test_the_space_of_the_preset_can_be_searched(tmp_path: Path, rows: str) -> None:
    recipe = Recipe.of(Document.load(write_config(tmp_path, f"dataset: {rows}  # built in\n")))
    assert {"lr", "optimizer.adamw.weight_decay"} < {*recipe.space}
    assert any(name.endswith("linear.units") for name in recipe.space)
    assert Config.faults_of_search(recipe.filled, recipe.space) == []
    again = Recipe.of(Document.parse(recipe.whole.encode(), "flowers.yaml", tmp_path))
    assert again.space == recipe.space
    assert "# built in" in recipe.whole


def test_keys_that_are_given_do_not_vary_by_themselves(tmp_path: Path) -> None:
    text = "dataset: iris\nlr: 0.01\noptimizer: adam\n"
    recipe = Recipe.of(Document.load(write_config(tmp_path, text)))
    assert not any(name.startswith(("lr", "optimizer")) for name in recipe.space)


@pytest.mark.parametrize("text", [HEAD, HEAD + "search: {}\n"])
def test_nothing_to_vary_is_an_error_with_an_example(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"search:\n    lr: \{log"):
        Recipe.of(Document.load(write_config(tmp_path, text)))
