"""Numbers that leave the finite: noticed within a batch, with their place, and never written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.errors import DivergedError, NnfsWarning, RunError
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.training.callbacks import Callback, Training
from tests.conftest import Nnfs, weights_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning"),
    pytest.mark.usefixtures("each_engine"),
]


def config(folder: Path, values: Array, targets: Array, **changes: Any) -> Path:
    """A config for a column of inputs and one of targets, which are taken as they are."""
    rows = "".join(f"{float(a)!r},{float(y)!r}\n" for a, y in zip(values, targets, strict=True))
    (folder / "table.csv").write_text("a,y\n" + rows)
    settings: dict[str, Any] = {
        "dataset": {"csv": {"path": "table.csv", "target": "y"}},
        "preprocessing": {"numbers": "none", "target": "none"},
        "layers": [{"linear": {"units": 1, "bias": False, "init": {"constant": 1.0e-3}}}],
        "loss": "mse",
        "lr": 0.1,
        "batch_size": 4,
        "shuffle": False,
        "split": 0,
        "epochs": 3,
    }
    path = folder / "config.yaml"
    path.write_text(dump({**settings, **changes}))
    return path


class Weights(Callback):
    """The weights after each step."""

    def __init__(self) -> None:
        self.seen: list[Array] = []

    def on_step(self, training: Training) -> None:
        self.seen.append(training.model.parameters.vector.copy())


def diverged(path: Path, *callbacks: Callback) -> tuple[str, RunDirectory, Model]:
    experiment = workflows.prepare(Config.load(path))
    run = workflows.begin(experiment, path.parent / "runs")
    with pytest.raises(DivergedError) as caught:
        workflows.train(experiment, run, callbacks)
    assert run.status()["state"] == "diverged"
    figures = ("best.figure", "probes.updates")
    for file in {*run.path.rglob("*.npz")} - {run.path / "probes.npz"}:
        with np.load(file) as arrays:
            assert all(np.isfinite(arrays[name]).all() for name in arrays if name not in figures), file
    return str(caught.value).splitlines()[0], run, experiment.predictor.model


ONES = np.ones(12)


def test_gradient_is_looked_at_before_it_does_harm(tmp_path: Path) -> None:
    """The loss is 1e36 and finite; the gradient is beyond float32 in the third batch alone."""
    values = np.array([1e-3] * 8 + [1e21] * 4)
    weights = Weights()
    message, run, model = diverged(config(tmp_path, values, 0 * ONES), weights)
    assert message == (
        "training diverged: the gradient is not finite in epoch 1, batch 3, after 2 steps, at lr 0.1; the first number"
        " that is not finite is in the gradient of layers.0 (linear 1); try a smaller lr, such as 0.01, or"
        " clip: {norm: 1}"
    )
    assert len(weights.seen) == 2
    np.testing.assert_array_equal(model.parameters.vector, weights.seen[-1])  # no harm was done
    np.testing.assert_array_equal(weights_of(run, "last")["0.weight"].ravel(), weights.seen[-1])
    with pytest.raises(RunError, match="has diverged and would diverge again; train a new run"):
        workflows.reopen(RunDirectory.open(run.path))


def test_gradient_whose_square_alone_is_too_large_is_no_reason_to_stop(tmp_path: Path) -> None:
    """The gradient is 2e21, and 4e42 is beyond float32."""
    layers = [{"linear": {"units": 1, "bias": False, "init": {"constant": 1.0e-3}}}]
    experiment = workflows.prepare(Config.load(config(tmp_path, 1e12 * ONES, 0 * ONES, lr=1e-30, layers=layers)))
    run = workflows.begin(experiment, tmp_path / "runs")
    workflows.train(experiment, run)
    assert run.status()["state"] == "finished"


def linear(units: int, value: float) -> dict[str, Any]:
    return {"linear": {"units": units, "init": {"constant": value}}}


PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "output": (
        {"layers": [linear(2, 200.0), "tanh", linear(2, 99.0), "exp", {"linear": 1}]},
        "batch 1, after 0 steps; .* is in the output of layers.3 (exp); "
        "the initial weights or the inputs are too large",
    ),
    "loss": (
        {"layers": [linear(1, 1e30)], "lr": 1e-3},
        "is inf in epoch 1, batch 1, after 0 steps; .* is in the loss; "
        "the targets, the initial weights or the inputs are too large",
    ),
    "inner": (
        {"layers": [{"residual": [{"linear": 3}, "exp", {"linear": 1}]}, {"linear": 1}], "lr": 1e9},
        "in epoch 1, batch 2, after 1 step, at lr 1e+09; .* is in the output of layers.0.layers.1 (exp)",
    ),
    "weights": (
        {"lr": 3e38, "optimizer": {"sgd": {"momentum": 0.9}}, "clip": {"norm": 1e9}},
        "the loss is .* in epoch 1, batch 2, after 1 step, at lr 3e+38; .* is in 0.weight; try a smaller lr, such as",
    ),
}


@pytest.mark.parametrize(("changes", "what"), PLACES.values(), ids=list(PLACES))
def test_layer_is_named_in_which_it_begins(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    message, _, _ = diverged(config(tmp_path, 3 * ONES, ONES, **changes))
    pattern = ".*".join(map(re.escape, what.split(".*")))
    assert re.search(pattern, message), message


def test_best_of_a_training_that_diverges_later_serves_on(tmp_path: Path, inside: Nnfs) -> None:
    """The rate grows until it is too large."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal(40)
    changes = {"lr": 2.0, "schedule": {"exponential": {"factor": 0.5, "warmup": 29}}, "epochs": 30, "split": 0.25}
    path = config(tmp_path, values, 5 * values, layers=[{"linear": 8}, "relu", {"linear": 1}], **changes)
    _, run, _ = diverged(path)
    losses = [row["val_loss"] for row in run.epochs()]
    best = int(np.nanargmin(losses))
    assert best < len(losses) - 1
    with pytest.warns(NnfsWarning, match="its state is 'diverged'"):
        assert workflows.evaluate(run)["validation"]["loss"] == pytest.approx(losses[best], rel=1e-5)
    done = inside("predict", "--run", run.path, "--input", tmp_path / "table.csv")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 41
    done = inside("resume", run.path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "has diverged" in done.stderr


def test_exit_code_is_3_and_the_message_says_where_and_what_to_do(tmp_path: Path, inside: Nnfs) -> None:
    path = config(tmp_path, 3 * ONES, ONES, lr=1e30)
    done = inside("train", path)
    assert done.returncode == 3
    line = done.stderr.splitlines()[-2]
    assert re.match(
        r"error: training diverged: the loss is \w+ in epoch 1, batch \d, after \d steps?, at lr 1e\+30; the first"
        r" number that is not finite is in .*; try a smaller lr, such as 0.1, or clip: \{norm: 1\}$",
        line,
    )


@pytest.mark.parametrize("first", [np.nan, np.inf])
def test_first_look_that_gives_no_number_does_not_freeze_the_best(
    tmp_path: Path, first: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A figure that cannot be computed says nothing of the epoch."""
    figures = iter([first, 3.0, 2.0, 4.0])
    experiment = workflows.prepare(
        Config.load(config(tmp_path, ONES, ONES, lr=0.01, epochs=4, split={"validation": 0.25}))
    )
    monkeypatch.setattr(type(experiment.predictor), "figures", lambda self, rows: {"loss": next(figures)})
    run = workflows.begin(experiment, tmp_path / "runs")
    weights = Weights()
    workflows.train(experiment, run, [weights])
    assert run.metrics()["best_epoch"] == 3
    np.testing.assert_array_equal(weights_of(run, "best")["0.weight"].ravel(), weights.seen[3 * 3 - 1])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_place_is_the_first_there_is() -> None:
    model = Model([Linear(units=3)], MSE(), (2,), "float64", np.random.default_rng(0))
    x, y = np.ones((4, 2)), np.ones((4, 3))
    assert model.first_not_finite(x, y) == "in the loss"  # nowhere else, at least
    assert model.first_not_finite(x * np.inf, y) == "in the inputs"
    assert model.first_not_finite(x, y * np.nan) == "in the targets"
    model.parameters.vector[...] = 1.0
    assert model.first_not_finite(x * 1e308, y) == "in the output of layers.0 (linear 3)"
    before = model.differentiate(x, y)
    assert model.first_not_finite(x * 1e200, y * 1e200) == "in the gradient of layers.0 (linear 3)"
    assert model.differentiate(x, y) == before
    model.parameters.vector[1] = np.nan
    assert model.first_not_finite(x * np.nan, y) == "in 0.weight"
