"""The tool says so when what it was asked for would mislead."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError, DataError, DivergedError, NnfsWarning
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import Nnfs, weights_of

LINE = "a,y\n" + "".join(f"{i},{2 * i + 1}\n" for i in range(40))
Write = Callable[[str, str], Path]


def csv_config(write: Write, table: str = LINE, **changes: object) -> Path:
    write("table.csv", table)
    settings = {"dataset": {"csv": {"path": "table.csv", "target": "y"}}, "layers": [{"linear": 1}], "loss": "mse"}
    return write("config.yaml", json.dumps({**settings, "epochs": 3, "lr": 0.01, **changes}))


def train(config: Path) -> RunDirectory:
    experiment = workflows.prepare(Config.load(config))
    run = workflows.begin(experiment, config.parent / "runs")
    workflows.train(experiment, run)
    return run


@pytest.mark.parametrize("final", ["sigmoid", "tanh", "relu", "softplus", {"dense": 1}])
def test_a_net_that_cannot_reach_its_standardized_target_is_refused(write: Write, final: object) -> None:
    config = csv_config(write, layers=[{"linear": 1}, final])
    with pytest.raises(ConfigError, match=r"gives numbers .* the target is scaled to numbers around 0; .*target: none"):
        Config.load(config)
    Config.load(config, ["preprocessing.target=none"])


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "cross_entropy"])
def test_numbers_are_not_taken_for_classes(write: Write, loss: str) -> None:
    with pytest.raises(
        DataError, match=r"'y' holds 40 different numbers in 40 rows; to predict numbers, use loss: mse"
    ):
        workflows.prepare(Config.load(csv_config(write, loss=loss)))


def test_rows_far_outside_of_what_was_trained_on_are_named(write: Write) -> None:
    run = train(csv_config(write))
    near, far = write("near.csv", "a\n0\n-20\n50\n"), write("far.csv", "a\n5\n888\n-999\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        workflows.predict(run, near)
    with pytest.warns(NnfsWarning, match=r"2 of 3 rows lie far outside .* \('a' is 888; training rows have 0 to 39\)"):
        workflows.predict(run, far)
    known = write("known.csv", "a,y\n5,11\n888,1777\n-999,-1997\n")
    with pytest.warns(NnfsWarning, match=r"2 of 3 rows lie far outside .* \('a' is 888; training rows have 0 to 39\)"):
        workflows.evaluate(run, rows=known)


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
@pytest.mark.parametrize("changes", [{"epochs": 1, "batch_size": "full", "lr": 1e30}, {"lr": 1e30}, {"epochs": 900}])
@pytest.mark.parametrize("validation", [0, 0.2])
def test_training_that_ends_in_the_infinite_has_diverged(
    write: Write, changes: dict[str, object], validation: float
) -> None:
    config = csv_config(write, **{"lr": 3.0, "split": validation, **changes})
    with pytest.raises(DivergedError, match="try a smaller lr"):
        train(config)
    run = RunDirectory(config.parent / "runs" / "config-1")
    assert run.status()["state"] == "diverged"
    for which in ("best", "last"):
        if run.arrays.has_weights(which):
            assert all(np.isfinite(array).all() for array in weights_of(run, which).values())


def test_a_run_that_did_not_finish_says_so_when_it_is_used(write: Write) -> None:
    run = train(csv_config(write))
    run.status_file.set("interrupted")
    with pytest.warns(NnfsWarning, match="has not finished; its state is 'interrupted'"):
        workflows.evaluate(run)


def test_logits_that_pass_an_identity_are_not_turned_into_probabilities_twice(write: Write) -> None:
    table = "a,b,y\n" + "".join(f"{i % 7},{i % 5},{'uvw'[i % 3]}\n" for i in range(60))
    answers = []
    for ending in (["softmax"], ["softmax", "identity"]):
        config = csv_config(write, table, loss="cross_entropy", layers=[{"linear": 3}, *ending])
        run = train(config)
        answers.append(workflows.predict(run, write("rows.csv", "a,b\n1,2\n"))["probability_u"])
    np.testing.assert_array_equal(*answers)


@pytest.mark.parametrize("column", ["a", "y"])
def test_numbers_beyond_floating_point_are_refused_before_anything_is_made(write: Write, column: str) -> None:
    table = LINE.replace("\n5,11\n", "\n1e200,11\n" if column == "a" else "\n5,1e200\n")
    with pytest.raises(DataError, match=f"column '{column}' holds numbers too large for standardize, up to 1e\\+200"):
        workflows.prepare(Config.load(csv_config(write, table, split=0)))
    with pytest.raises(DataError, match=rf"line 7: column '{column}' should hold numbers within the range of float32"):
        workflows.prepare(
            Config.load(csv_config(write, table, split=0, preprocessing={"numbers": "none", "target": "none"}))
        )


def test_advice_to_drop_columns_leaves_some(write: Write) -> None:
    table = "a,b,y\n" + "u,,1\n" * 9 + "u,5,1\n"
    with pytest.raises(DataError) as caught:
        workflows.prepare(Config.load(csv_config(write, table)))
    *_, advice, steps, preset = str(caught.value).splitlines()
    assert advice == "correct the file, or change the config in one of these ways:"
    assert "impute" in steps
    assert "preset" in preset
    assert "drop" not in str(caught.value)
    with pytest.raises(
        DataError, match=r"is empty, as in 8 more rows of 10\ncorrect the file, or .*(\n.*)+ drop: \[b\] "
    ):
        workflows.prepare(Config.load(csv_config(write, table.replace("u", "1"))))


def test_predictions_do_not_overwrite_their_input(write: Write, nnfs: Nnfs, tmp_path: Path) -> None:
    train(csv_config(write))
    rows = write("rows.csv", "a\n1\n")
    done = nnfs("predict", "--input", "rows.csv", "--output", "./rows.csv")
    assert (done.returncode, rows.read_text()) == (2, "a\n1\n")
    assert "is the input; name another file" in done.stderr
    done = nnfs("predict", "--input", "rows.csv", "--output", "answers.xls")
    assert (done.returncode, (tmp_path / "answers.xls").exists()) == (2, False)


@pytest.mark.parametrize(
    ("table", "advice"),
    [
        ("a;y\n1,5;2\n2;3\n", r"is the delimiter ';'\?"),
        ("a;y\n1;2\n2;3\n", r"is the delimiter ';'\?"),
        ('a,y\n"1,5",2\n2,3\n3,4\n5,6\n7,8\n', "numbers have a decimal point here"),
    ],
)
def test_a_file_in_another_dialect_gets_a_hint(write: Write, table: str, advice: str) -> None:
    with pytest.raises((DataError, ConfigError), match=advice):
        workflows.prepare(Config.load(csv_config(write, table)))


def test_a_stdout_that_cannot_show_every_letter_is_no_bug(nnfs: Nnfs) -> None:
    import os

    done = nnfs("components", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "\\u03a3" in done.stdout
