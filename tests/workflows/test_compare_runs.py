"""The comparison of runs: settings that differ, the best figures, and differences on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli import Run, train
from nnfs_cli.errors import UserError
from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.bootstrap import paired_differences
from nnfs_cli.workflows.compare_runs import RunComparison, compare_runs

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
NET = {"layers": ["linear: 4", "relu", "linear: 1", "sigmoid"], "loss": "binary_cross_entropy", "epochs": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs: a-1 and a-2 (adam, more epochs), a-3 (another seed), a-4 (another net)."""
    folder = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        settings = {"dataset": "breast_cancer", "name": "a", **NET}
        train(settings)
        train({**settings, "optimizer": {"adam": {"beta1": 0.8}}, "epochs": 8, "lr": 0.02})
        train({**settings, "seed": 1})
        train({**settings, "layers": ["linear: 4", "tanh", "dropout: 0.1", "linear: 1"], "loss": "hinge"})
        train({**settings, "optimizer": {"adam": {"beta1": 0.7}}, "lr": 0.02})
    return folder


def opened(folder: Path, *numbers: int) -> Sequence[RunDirectory]:
    return [RunDirectory.open(folder / f"runs/a-{n}") for n in numbers]


@pytest.fixture(scope="module")
def compared(folder: Path) -> RunComparison:
    return compare_runs(opened(folder, 1, 2, 3, 4))


def test_settings_that_differ_are_listed_by_their_key_and_others_are_not(compared: RunComparison) -> None:
    assert [*compared.settings] == ["layers", "loss", "optimizer", "lr", "epochs", "seed"]
    assert compared.settings["optimizer"] == {
        "a-1": "sgd", "a-2": {"adam": {"beta1": 0.8}}, "a-3": "sgd", "a-4": "sgd",
    }  # fmt: skip
    assert compared.settings["epochs"] == {"a-1": 3, "a-2": 8, "a-3": 3, "a-4": 3}


def test_settings_of_the_same_optimizer_are_compared_one_by_one(folder: Path) -> None:
    settings = compare_runs(opened(folder, 2, 5), paired=False).settings
    assert settings == {"optimizer.adam.beta1": {"a-2": 0.8, "a-5": 0.7}, "epochs": {"a-2": 8, "a-5": 3}}


def test_the_best_figure_of_each_split_is_marked_and_losses_of_another_kind_are_not(compared: RunComparison) -> None:
    assert compared.figures["validation"]["rows"] == dict.fromkeys(compared.runs, 114)
    accuracies = compared.figures["train"]["accuracy"]
    assert compared.best("train", "accuracy") == [
        name for name in accuracies if accuracies[name] == max(accuracies.values())
    ]
    assert "loss" not in compared.modes
    assert compared.best("train", "loss") == []


def test_differences_are_those_of_the_predictions_on_the_held_out_rows(folder: Path) -> None:
    found = compare_runs(opened(folder, 1, 2))
    first, other = (Run.open(folder / f"runs/a-{n}") for n in (1, 2))
    figures = {run: run.evaluate(metrics=["log_loss", "accuracy"])["validation"] for run in (first, other)}
    rows, differences = found.differences["a-2"]["validation"]
    assert rows == 114
    assert [*differences] == ["log_loss", "accuracy"]
    for name, difference in differences.items():
        assert difference.mean == pytest.approx(figures[other][name] - figures[first][name], abs=1e-12)
        assert difference.low < difference.mean < difference.high
    assert found.better("log_loss", differences["log_loss"]) is True


def test_runs_that_hold_out_other_rows_say_so_instead(compared: RunComparison) -> None:
    assert [*compared.differences] == ["a-2", "a-4"]
    assert compared.unpaired == {"a-3": "they hold out other rows"}


def test_runs_without_the_data_are_compared_without_rows(folder: Path, tmp_path: Path) -> None:
    table = {"x": [*range(40)], "y": ["a", "b"] * 20}
    net = {"layers": ["linear: 1"], "loss": "binary_cross_entropy", "epochs": 1, "dataset": {"table": "y"}, "name": "t"}
    runs = [RunDirectory.open(train({**net, "lr": lr}, table, folder=tmp_path).path) for lr in (0.1, 0.2)]
    assert "does not keep its rows" in compare_runs(runs).unpaired["t-2"]
    assert compare_runs(runs, table).differences["t-2"]["validation"].rows == 8
    assert compare_runs(runs, paired=False).unpaired == {}


def test_no_figure_is_the_best_if_the_data_differs(folder: Path, tmp_path: Path) -> None:
    table = {"x": [*range(40)], "group": ["a", "b"] * 20}
    other = train({**NET, "dataset": {"table": "group"}, "name": "other"}, table, folder=tmp_path)
    found = compare_runs([*opened(folder, 1), RunDirectory.open(other.path)], paired=False)
    assert found.same_data is False
    assert found.figures["validation"]["accuracy"].keys() == {"a-1", "other-1"}
    assert found.best("validation", "accuracy") == []


def test_a_comparison_needs_two_runs(folder: Path) -> None:
    with pytest.raises(UserError, match="two runs or more"):
        compare_runs(opened(folder, 1))
    with pytest.raises(UserError, match="given twice"):
        compare_runs([*opened(folder, 1), *opened(folder / "runs/..", 1)])


def test_a_difference_between_shares_has_an_interval_although_no_row_tells_the_nets_apart() -> None:
    rows = PredictedRows(np.ones(100, int), np.tile([0.1, 0.9], (100, 1)))
    (found,) = paired_differences([Metric.resolve("accuracy")], rows, rows, 0).values()
    assert found.mean == 0
    assert -0.04 < found.low < -0.005
    assert 0.005 < found.high < 0.04


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [(0.01, 0.01), (0.1, 0.05), (0.3, 0.1)])
@pytest.mark.parametrize("n", [114, 500])
def test_95_of_100_intervals_of_a_difference_hold_the_truth(n: int, wrong: tuple[float, float]) -> None:
    rng, accuracy, held = np.random.default_rng(0), Metric.resolve("accuracy"), 0
    for seed in range(400):
        u, y = rng.random(n), np.ones(n, int)  # only one net is wrong for u < wrong[0], only the other for the next
        right = [u >= wrong[0], (u < wrong[0]) | (u >= sum(wrong))]
        one, other = (PredictedRows(y, np.stack([~each, each], axis=1).astype(float)) for each in right)
        found = paired_differences([accuracy], one, other, seed)["accuracy"]
        held += found.low <= wrong[0] - wrong[1] <= found.high
    assert held / 400 > 0.925
