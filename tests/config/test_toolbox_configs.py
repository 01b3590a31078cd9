"""Losses, minimizers, schedules, monitors and checkpoints, from a config to its predictions."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.errors import ConfigError, DataError, NnfsWarning, RunError
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import Nnfs, weights_of

Train = Callable[..., RunDirectory]

RNG = np.random.default_rng(6)
A, B = (np.round(column, 3) for column in RNG.normal(size=(2, 60)))
COLUMNS = {
    "a": A,
    "b": B,
    "number": np.round(A - 2 * B + RNG.normal(size=60) / 3, 3),
    "other": np.round(A * B, 3),
    "count": RNG.poisson(np.exp(A / 2 + 1)),
    "two": np.where(A > B, "yes", "no"),
    "three": np.array(["low", "mid", "high"])[(A + B > 0).astype(int) + (A > 1)],
}
INPUTS = "a,b\n" + "".join(f"{a},{b}\n" for a, b in zip(A, B, strict=True))


def data(target: str | list[str], table: str = "points.csv") -> dict[str, Any]:
    kept = {"a", "b", *([target] if isinstance(target, str) else target)}
    return {"csv": {"path": table, "target": target, "drop": [name for name in COLUMNS if name not in kept]}}


NUMBERS: dict[str, Any] = {"dataset": data("number"), "layers": [{"linear": 1}], "loss": "mse"}
COUNTS = NUMBERS | {"dataset": data("count"), "loss": "poisson"}
TWO: dict[str, Any] = {"dataset": data("two"), "layers": [{"linear": 1}], "loss": "binary_cross_entropy"}
THREE: dict[str, Any] = {"dataset": data("three"), "layers": [{"linear": 3}], "loss": "cross_entropy"}
LBFGS = NUMBERS | {"optimizer": "lbfgs", "epochs": 100, "lr": None}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder but for points.csv and, with its inputs alone, rows.csv."""
    with (tmp_path / "points.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *zip(*COLUMNS.values(), strict=True)])
    (tmp_path / "rows.csv").write_text(INPUTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*settings: dict[str, Any], **changes: object) -> Path:
    """Write config.yaml: settings, later ones in place of earlier ones, and one a line."""
    merged: dict[str, Any] = {"lr": 0.1, "epochs": 5}
    for more in (*settings, changes):
        merged |= more
    path = Path("config.yaml")
    path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in merged.items() if value is not None))
    return path


def train(*settings: dict[str, Any], **changes: object) -> RunDirectory:
    experiment = workflows.prepare(Config.load(write(*settings, **changes)))
    run = workflows.begin(experiment, "runs")
    workflows.train(experiment, run)
    return RunDirectory.open(run.path)


def predictions(run: RunDirectory, **kwargs: Any) -> dict[str, Any]:
    return workflows.predict(run, "rows.csv", **kwargs)


def column(run: RunDirectory, name: str) -> list[float]:
    return [row[name] for row in run.epochs()]


# Losses


@pytest.mark.parametrize("epochs", [1, 30])
def test_quantiles_are_columns_that_never_cross(epochs: int) -> None:
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    run = train(NUMBERS, loss={"quantile": levels}, layers=[{"linear": 4}, "tanh", {"linear": 5}], epochs=epochs)
    answer = predictions(run)
    assert list(answer) == ["prediction", *(f"quantile_{level}" for level in levels)]
    together = np.stack([answer[f"quantile_{level}"] for level in levels])
    assert (np.diff(together, axis=0) >= 0).all()
    assert answer["prediction"].tolist() == answer["quantile_0.5"].tolist()


def test_each_target_has_its_quantiles() -> None:
    run = train(NUMBERS, dataset=data(["number", "other"]), loss={"quantile": [0.2, 0.9]}, layers=[{"linear": 4}])
    assert list(predictions(run)) == [
        "prediction_number", "prediction_other",
        "quantile_0.2_number", "quantile_0.2_other", "quantile_0.9_number", "quantile_0.9_other",
    ]  # fmt: skip
    low, middle, high = (predictions(run)[f"{name}_other"] for name in ("quantile_0.2", "prediction", "quantile_0.9"))
    np.testing.assert_allclose(middle, low + (high - low) * 3 / 7, atol=1e-6)


def test_the_pinball_metric_scores_each_quantile_in_the_targets_units() -> None:
    names = [{"pinball": 0.1}, {"pinball": 0.9}, "mae"]
    run = train(NUMBERS, loss="quantile", layers=[{"linear": 3}], split=0, metrics=names)
    answer, y, found = predictions(run), COLUMNS["number"], run.metrics()["train"]
    for level, said in ((0.1, "quantile_0.1"), (0.9, "quantile_0.9")):
        expected = sklearn.mean_pinball_loss(y, answer[said], alpha=level)
        assert found[f"pinball_{level}"] == pytest.approx(expected, rel=1e-5)
    assert found["mae"] == pytest.approx(sklearn.mean_absolute_error(y, answer["prediction"]), rel=1e-5)


def test_a_pinball_of_a_quantile_that_is_not_predicted_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"quantile predicts the levels 0.1, 0.5 and 0.9, not 0.3"):
        train(NUMBERS, loss="quantile", layers=[{"linear": 3}], metrics=[{"pinball": 0.3}])
    found = train(NUMBERS, loss="mae", layers=[{"linear": 1}], split=0, metrics=[{"pinball": 0.3}]).metrics()["train"]
    assert found["pinball_0.3"] > 0


@pytest.mark.parametrize("ending", ["flatten", "dropout", {"reshape": [2]}])
def test_layers_that_pass_probabilities_on_are_refused_after_softmax(ending: object) -> None:
    layers = [{"linear": 2}, "softmax", ending]
    with pytest.raises(ConfigError, match=r"cross_entropy needs softmax as the last layer; leave "):
        train(loss="cross_entropy", layers=layers)
    train(NUMBERS, loss="mae", layers=[{"linear": 1}, "identity"])


def test_quantiles_need_their_outputs() -> None:
    with pytest.raises(ConfigError, match=r"gives 1 output; points.csv has 1 target, for which quantile needs 3"):
        train(NUMBERS, loss="quantile")


def test_counts_are_predicted_above_zero() -> None:
    run = train(COUNTS, epochs=30)
    assert (predictions(run)["prediction"] > 0).all()
    assert run.metrics()["train"]["r2"] > 0.1
    assert Config.load(run.spec_file).preprocessing.target == (Unchanged(),)
    assert predictions(train(COUNTS, layers=[{"linear": 1}, "exp"], epochs=30))["prediction"].tolist() == (
        predictions(run)["prediction"].tolist()
    )


def test_a_negative_count_is_named_with_its_line(folder: Path) -> None:
    (folder / "few.csv").write_text("a,b,count\n1,2,3\n2,1,0\n3,3,-2\n")
    with pytest.raises(DataError, match=r"few.csv, line 4: the target 'count' should hold numbers of 0 or more, found"):
        train(COUNTS, dataset={"csv": {"path": "few.csv", "target": "count"}}, split=0)
    with pytest.raises(DataError, match=r"few.csv, line 4: the target 'count'"):
        workflows.evaluate(train(COUNTS), rows="few.csv")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"preprocessing": {"target": "standardize"}}, "poisson takes its target as it is; leave standardize out"),
        (
            {"layers": [{"linear": 1}, "tanh"]},
            "poisson needs numbers above 0, of any size; end with exp instead of tanh",
        ),
    ],
)
def test_counts_stay_counts(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        train(COUNTS, settings)


@pytest.mark.parametrize(("settings", "labels"), [(TWO, ["no", "yes"]), (THREE, ["high", "low", "mid"])])
def test_hinge_gives_scores(settings: dict[str, Any], labels: list[str]) -> None:
    run = train(settings, loss="hinge", metrics=["accuracy", "roc_auc", {"f1": "macro"}], epochs=20)
    answer = predictions(run)
    scores = np.stack([answer[f"score_{label}"] for label in labels], axis=1)
    assert list(answer) == ["prediction", *(f"score_{label}" for label in labels)]
    assert answer["prediction"].tolist() == [labels[i] for i in scores.argmax(axis=1)]
    assert scores.min() < 0 < scores.max()
    assert run.metrics()["validation"]["accuracy"] > 0.6


@pytest.mark.parametrize("metric", ["log_loss", "brier", "calibration_error"])
def test_a_metric_of_probabilities_is_refused_where_there_are_only_scores(metric: str, inside: Nnfs) -> None:
    write(TWO, loss="hinge", metrics=["accuracy", metric])
    done = inside("train", "config.yaml")
    assert done.returncode == 2
    words = f"{metric} needs probabilities, and hinge predicts scores instead"
    assert re.match(rf"config.yaml:\d:\d+: error: {words}\n", done.stderr)


@pytest.mark.parametrize(
    ("settings", "plain", "focal"),
    [(TWO, "binary_cross_entropy", "binary_focal"), (THREE, "cross_entropy", "focal")],
)
def test_focal_without_focus_is_cross_entropy(settings: dict[str, Any], plain: str, focal: str) -> None:
    entropy, flat, focused = (
        train(settings, loss=loss, dtype="float64") for loss in (plain, {focal: 0}, {focal: {"gamma": 2}})
    )
    assert flat.metrics()["train"] == pytest.approx(entropy.metrics()["train"], rel=1e-12)
    assert focused.metrics()["train"]["loss"] < entropy.metrics()["train"]["loss"] / 2
    assert sum(predictions(focused)[name] for name in list(predictions(focused))[1:]) == pytest.approx(1)


def test_binary_focal_is_for_two_classes() -> None:
    with pytest.raises(ConfigError, match="binary_focal is for 2 classes; use focal after softmax"):
        train(THREE, loss="binary_focal")


def test_label_smoothing_makes_the_net_less_confident(folder: Path) -> None:
    (folder / "points.csv").write_text("a,two\n" + "0,no\n1,yes\n" * 20)
    (folder / "rows.csv").write_text("a\n0\n1\n")
    source = {"csv": {"path": "points.csv", "target": "two"}}
    settings = LBFGS | {"dataset": source, "split": 0}
    for loss, outputs in ("binary_cross_entropy", 1), ("cross_entropy", 2):
        run = train(settings, loss={loss: {"label_smoothing": 0.2}}, layers=[{"linear": outputs}])
        answer = predictions(run)
        assert answer["prediction"].tolist() == ["no", "yes"]
        assert answer["probability_yes"] == pytest.approx([0.1, 0.9], abs=1e-3)
        assert run.metrics()["train"]["loss"] == pytest.approx(-0.9 * np.log(0.9) - 0.1 * np.log(0.1), abs=1e-4)


# L-BFGS


def test_lbfgs_finds_the_least_squares_and_reports_convergence(inside: Nnfs) -> None:
    path = write(LBFGS, split=0, preprocessing={"numbers": "none", "target": "none"})
    done = inside("train", path)
    run = RunDirectory.open("runs/config-1")
    weights = weights_of(run, "last")
    X = np.stack([A, B, np.ones(60)], axis=1)
    expected = np.linalg.lstsq(X, COLUMNS["number"], rcond=None)[0]
    assert [*weights["0.weight"].ravel(), *weights["0.bias"]] == pytest.approx(expected, abs=1e-3)
    assert run.metrics()["stopped"] == "lbfgs has converged"
    assert run.status()["state"] == "finished"
    assert "\nstopped     lbfgs has converged\n" in done.stderr
    assert "lbfgs, all rows" in done.stderr
    assert len(run.epochs()) < 20


def test_the_log_of_lbfgs_has_no_learning_rate_and_its_spec_trains_the_same_net() -> None:
    run = train(LBFGS, averaging=None, log_every=3)
    assert list(run.epochs()[0]) == ["epoch", "step", "seconds", "train_loss", "val_loss", "val_rmse", "val_r2"]
    experiment = workflows.prepare(Config.load(run.spec_file))
    again = workflows.begin(experiment, "runs")
    workflows.train(experiment, again)
    assert (run.path / "weights/last.npz").read_bytes() == (again.path / "weights/last.npz").read_bytes()
    assert workflows.evaluate(run)["validation"] == run.metrics()["validation"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("lr", 0.1), ("schedule", "cosine"), ("schedule", {"constant": {"warmup": 1}}), ("clip", 1.0),
     ("batch_size", 16), ("accumulate", 2)],
)  # fmt: skip
def test_settings_that_lbfgs_does_not_use_are_refused_at_their_keys(key: str, value: object, inside: Nnfs) -> None:
    lines = write(LBFGS, {key: value}).read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if text.startswith(f"{key}:"))
    done = inside("train", "config.yaml")
    assert done.returncode == 2
    message = f"lbfgs uses all rows at once and chooses its own steps; leave {key} out"
    assert done.stderr.splitlines()[0] == f"config.yaml:{line}:1: error: {message}"
    assert done.stderr.count(" error: ") == 1


def test_lbfgs_refuses_dropout_wherever_it_is_and_takes_all_rows() -> None:
    for layers in ([{"linear": 3}, "dropout", {"linear": 1}], [{"residual": [{"dropout": 0.1}]}, {"linear": 1}]):
        with pytest.raises(
            ConfigError, match="lbfgs needs a loss that is the same in every step, but dropout changes it"
        ):
            train(LBFGS, layers=layers)
    assert train(LBFGS, batch_size="full", schedule="constant").metrics()["stopped"]


# Watching


@pytest.mark.parametrize(
    ("monitor", "words"),
    [
        ("val_acuracy", "the log has no figure 'val_acuracy'; did you mean 'val_accuracy'?"),
        ("accuracy", "did you mean 'val_accuracy'?"),
        ("lr", "the log has no figure 'lr'; it has train_loss, val_loss"),
        ("val_rmse", "the log has no figure 'val_rmse'"),
        ("train_accuracy", "there are validation rows, so the log has no train_accuracy; monitor val_accuracy"),
        ("val_accuracy_yes", "the log has no figure 'val_accuracy_yes'"),
        ("val_f1", "the log has no figure 'val_f1'"),
        ("val_f1_yse", "the log has no figure 'val_f1_yse'; did you mean 'val_f1_yes'?"),
    ],
)
@pytest.mark.parametrize("watcher", ["early_stopping", "checkpoint", "reduce_on_plateau"])
def test_a_monitor_that_the_log_lacks_is_refused_once_at_its_position(
    watcher: str, monitor: str, words: str, inside: Nnfs
) -> None:
    settings: dict[str, Any] = {watcher: {"monitor": monitor}}
    if watcher == "reduce_on_plateau":
        settings = {"schedule": settings}
    lines = write(TWO, metrics=["accuracy", {"f1": "per_class"}], **settings).read_text().splitlines()
    done = inside("train", "config.yaml")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"config.yaml:{len(lines)}:")
    assert words in done.stderr
    assert done.stderr.count(" error: ") == 1
    assert not Path("runs").exists()


@pytest.mark.parametrize("settings", [{"early_stopping": 3}, {"schedule": "reduce_on_plateau"}])
def test_without_validation_rows_val_loss_cannot_be_monitored(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="no validation rows, so the log has no val_loss; monitor train_loss"):
        train(TWO, settings, split=0)
    with pytest.raises(ConfigError, match="no validation rows, so the log has no val_accuracy; monitor train_accuracy"):
        train(TWO, settings, split=0, checkpoint={"monitor": "val_accuracy"})


@pytest.mark.parametrize("monitor", ["train_loss", "train_accuracy", "train_f1_yes"])
def test_training_figures_can_be_monitored_without_validation_rows(monitor: str) -> None:
    metrics = ["accuracy", {"f1": "per_class"}]
    run = train(TWO, split=0, metrics=metrics, early_stopping={"monitor": monitor, "patience": 2}, epochs=30)
    figures = column(run, monitor)
    best = min(figures) if monitor == "train_loss" else max(figures)
    assert run.metrics()["best_epoch"] == 1 + figures.index(best)
    spec = Config.load(run.spec_file)
    assert spec.checkpoint.monitor == monitor
    assert spec.checkpoint.mode == spec.early_stopping.mode == ("min" if monitor == "train_loss" else "max")


def test_a_figure_of_one_class_can_be_monitored() -> None:
    run = train(THREE, metrics=[{"recall": "per_class"}], checkpoint={"monitor": "val_recall_mid"}, epochs=20)
    figures = column(run, "val_recall_mid")
    assert run.metrics()["best_epoch"] == 1 + figures.index(max(figures))
    assert run.metrics()["validation"]["recall_mid"] == max(figures)


@pytest.mark.filterwarnings("ignore:r2 is not defined on the 1 validation row")
def test_a_figure_that_is_always_nan_makes_the_last_epoch_the_best(folder: Path) -> None:
    table = (folder / "points.csv").read_text().splitlines()
    (folder / "one.csv").write_text("\n".join(table[:2]) + "\n")  # one row, of which there is no r2
    run = train(NUMBERS, split="one.csv", checkpoint={"monitor": "val_r2"})
    assert np.isnan(column(run, "val_r2")).all()
    assert run.metrics()["best_epoch"] == 5


@pytest.mark.parametrize(
    ("settings", "epochs", "found"),
    [
        ({"early_stopping": {"patience": 3, "min_delta": 1000}}, [1, 2, 3, 4], "3 logged epochs"),
        ({"early_stopping": {"patience": 3, "min_delta": 1000}, "log_every": 5}, [5, 10, 15, 20], "3 logged epochs"),
        ({"early_stopping": {"patience": 1, "min_delta": 1000}}, [1, 2], "1 logged epoch"),
    ],
)
def test_training_that_stops_early_reports_it_and_is_finished(
    settings: dict[str, Any], epochs: list[int], found: str, inside: Nnfs
) -> None:
    done = inside("train", write(NUMBERS, settings, epochs=200))
    run = RunDirectory.open("runs/config-1")
    assert run.metrics()["stopped"] == f"val_loss was no better in {found}"
    assert f"\nstopped     val_loss was no better in {found}\n" in done.stderr
    assert column(run, "epoch") == epochs
    assert run.metrics()["best_epoch"] == epochs[np.argmin(column(run, "val_loss"))]
    assert run.status()["state"] == "finished"
    assert workflows.evaluate(run)["validation"] == run.metrics()["validation"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"averaging": "ema"}, "ema averages over 1,000 steps, but training makes only 10 steps"),
        ({"averaging": {"swa": 0.9}, "max_minutes": 1e-9, "epochs": 50}, "ended before there was an average"),
    ],
)
def test_an_average_over_too_few_steps_is_warned_about(settings: dict[str, Any], words: str) -> None:
    with pytest.warns(NnfsWarning, match=words):
        train(NUMBERS, **settings)


def test_epochs_before_the_average_do_not_compete_with_those_after() -> None:
    run = train(NUMBERS, averaging={"swa": 0.5}, epochs=10, lr=0.5, early_stopping=1)
    assert run.metrics()["best_epoch"] > 5
    assert column(run, "epoch")[-1] > 6  # nor does patience begin before


def test_patience_that_is_never_exhausted_changes_no_byte() -> None:
    plain, patient = train(NUMBERS), train(NUMBERS, early_stopping=5, max_minutes=60, checkpoint=2)
    assert "stopped" not in patient.metrics()
    for name in ("weights/best.npz", "weights/last.npz", "metrics.json"):
        assert (plain.path / name).read_bytes() == (patient.path / name).read_bytes()


@pytest.mark.parametrize("settings", [NUMBERS, LBFGS, NUMBERS | {"averaging": {"ema": 0.5}, "log_every": 7}])
def test_max_minutes_ends_training_within_an_epoch(settings: dict[str, Any]) -> None:
    run = train(settings, max_minutes=1e-9, epochs=100)
    assert run.metrics()["stopped"] == "the time limit of 1e-09 min is over"
    assert [(row["epoch"], row["step"]) for row in run.epochs()] == [(1, 1)]
    assert run.status()["state"] == "finished"
    assert workflows.evaluate(run, ["train"])["train"] == run.metrics()["train"]


# What is kept


@pytest.mark.parametrize("averaging", [None, {"ema": 0.8}, {"swa": 0.2}])
def test_the_weights_of_every_nth_epoch_are_kept_and_can_be_used(averaging: object) -> None:
    run = train(NUMBERS, checkpoint=2, averaging=averaging, epochs=5)
    assert {path.name for path in (run.path / "weights").iterdir()} == {
        "best.npz", "last.npz", "epoch-2.npz", "epoch-4.npz",
    }  # fmt: skip
    for epoch in (2, 4):
        figures = workflows.evaluate(run, weights=f"epoch-{epoch}")["validation"]
        row = run.epochs()[epoch - 1]
        assert {f"val_{name}": value for name, value in figures.items() if name != "rows"} == pytest.approx(
            {name: value for name, value in row.items() if name.startswith("val_")}
        )
    assert (predictions(run, weights="epoch-2")["prediction"] != predictions(run)["prediction"]).any()


def test_weights_of_an_unsaved_epoch_are_refused_with_a_list_of_the_saved_ones(inside: Nnfs) -> None:
    run = train(NUMBERS, checkpoint={"every": 5}, epochs=12)
    done = inside("evaluate", run.path, "--weights", "epoch-2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {run.path} has no epoch-2 weights; it has best, last, epoch-5 and epoch-10\n"


@pytest.mark.parametrize(
    "which",
    ["../x", "../../rows", "/etc/passwd", "epoch-0", "epoch-02", "epoch--1", "epoch-1/../best", "Best", "", "*"],
)
def test_weights_have_few_names(which: str, inside: Nnfs) -> None:
    run = train(NUMBERS, checkpoint=1, epochs=2)
    for words in (["evaluate", run.path], ["predict", "--run", run.path, "--input", "rows.csv"]):
        done = inside(*words, f"--weights={which}")
        assert (done.returncode, done.stdout) == (2, "")
        assert f"weights are called best, last or epoch-<n>, such as epoch-10; found '{which}'" in done.stderr
    with pytest.raises(RunError, match="weights are called"):
        workflows.evaluate(run, weights=which)


# Steps


def rates(schedule: object, **changes: object) -> list[float]:
    return column(train(NUMBERS, {"schedule": schedule, "lr": 0.4, "batch_size": "full"}, changes), "lr")


def test_a_schedule_and_its_warmup_stand_in_the_log() -> None:
    assert rates({"step": 2}, epochs=5) == pytest.approx([0.4, 0.4, 0.04, 0.04, 0.004])
    assert rates({"exponential": 0.5}, epochs=3) == pytest.approx([0.4, 0.2, 0.1])
    assert rates({"constant": {"warmup": 4}}, epochs=6) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert rates({"linear": {"end": 0, "warmup": 2}}, epochs=6) == pytest.approx([0.2, 0.4, 0.4, 0.3, 0.2, 0.1])
    assert rates({"cosine": {"warmup": 1}}, epochs=3, log_every=2) == pytest.approx([0.4, 0.2])


def test_the_learning_rate_falls_when_the_monitor_stops_improving() -> None:
    never_better = {"patience": 1, "factor": 0.5, "min_delta": 1000, "min_factor": 0.2}
    assert rates({"reduce_on_plateau": never_better}, epochs=8) == pytest.approx(
        [0.4, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1, 0.08]
    )
    assert len(set(rates({"reduce_on_plateau": {"patience": 1}}, epochs=4, lr=0.01))) == 1


def test_accumulated_batches_act_as_one() -> None:
    exact = {"dtype": "float64", "shuffle": False, "optimizer": "adam", "penalty": 0.01, "clip": 0.5}
    whole, parts = train(NUMBERS, exact, batch_size=16), train(NUMBERS, exact, batch_size=4, accumulate=4)
    for name, array in weights_of(whole, "last").items():
        np.testing.assert_allclose(weights_of(parts, "last")[name], array, atol=1e-12)
    assert column(parts, "step") == column(whole, "step")


@pytest.mark.parametrize(
    "settings",
    [{"schedule": "constant"}, {"clip": 1e9}, {"clip": {"value": 1e9}}, {"penalty": 0}, {"accumulate": 1},
     {"optimizer": {"sgd": {"weight_decay": 0}}}, {"schedule": {"step": 99}}, {"schedule": {"exponential": 1.0}}],
    ids=json.dumps,
)  # fmt: skip
def test_settings_without_effect_change_no_byte(settings: dict[str, Any]) -> None:
    plain, same = train(NUMBERS), train(NUMBERS, settings)
    assert (plain.path / "weights/last.npz").read_bytes() == (same.path / "weights/last.npz").read_bytes()


@pytest.mark.parametrize("layers", [["batch_norm"], [{"residual": ["batch_norm"]}], [{"sequential": ["batch_norm"]}]])
def test_batch_norm_needs_two_rows_a_batch(layers: list[object], inside: Nnfs, folder: Path) -> None:
    net = {"layers": [{"linear": 4}, *layers, {"linear": 1}]}
    write(NUMBERS, net, batch_size=1)
    done = inside("train", "config.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("config.yaml:6:13: error: batch_norm needs batches of at least 2 rows\n")
    (folder / "one.csv").write_text("a,number\n1,2\n")
    with pytest.raises(
        ConfigError, match="batch_norm needs batches of at least 2 rows, but there is only 1 training row"
    ):
        train(NUMBERS, net, dataset={"csv": {"path": "one.csv", "target": "number"}}, split=0)
    run = train(NUMBERS, net, batch_size=47)  # of 48: the last row joins the batch before it
    assert column(run, "step") == [1, 2, 3, 4, 5]
    assert workflows.evaluate(run)["validation"] == run.metrics()["validation"]


# Figures with a column for each class


@pytest.mark.parametrize(
    "labels", [("low", "high"), ("a,b", 'c"d'), ("one\ntwo", "x\u2028y"), ("é", "macro")], ids=repr
)
def test_figures_of_each_class_are_columns_whatever_the_labels(
    labels: tuple[str, str], inside: Nnfs, folder: Path
) -> None:
    truth = [labels[int(a > b)] for a, b in zip(A, B, strict=True)]
    with (folder / "points.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("a", "b", "two"), *zip(A, B, truth, strict=True)])
    source = {"csv": {"path": "points.csv", "target": "two"}}
    path = write(TWO, dataset=source, metrics=[{"f1": "per_class"}, {"precision": "per_class"}, "accuracy"])
    done = inside("train", path, "--json")
    assert done.returncode == 0, done.stderr
    run, figures = RunDirectory.open("runs/config-1"), json.loads(done.stdout)["metrics"]["validation"]
    names = [*(f"{name}_{label}" for name in ("f1", "precision") for label in sorted(labels)), "accuracy"]
    assert list(figures) == ["rows", "loss", *names]
    assert json.loads(inside("evaluate", run.path, "--json").stdout)["metrics"]["validation"] == figures
    with (run.path / "epochs.csv").open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    assert header[5:] == ["val_loss", *(f"val_{name}" for name in names)]
    assert [list(row) for row in run.epochs()] == [header] * 5
    total = workflows.evaluate(run, rows="points.csv")["input"]
    expected = sklearn.f1_score(truth, predictions(run)["prediction"].tolist(), average=None)
    assert [total[f"f1_{label}"] for label in sorted(labels)] == pytest.approx(expected)


def test_columns_of_classes_stand_in_the_lines_that_are_shown(inside: Nnfs) -> None:
    write(THREE, metrics=[{"recall": "per_class"}])
    shown = inside("train", "config.yaml").stderr
    assert "val_loss  val_recall_high  val_recall_low  val_recall_mid" in shown
    assert re.search(r"validation  loss [\d.]+, recall_high [\d.]+, recall_low [\d.]+, recall_mid [\d.]+ ", shown)
    _, *rows = inside("evaluate", "runs/config-1").stdout.splitlines()[:5]
    assert [row.split()[0] for row in rows] == ["loss", "recall_high", "recall_low", "recall_mid"]


@pytest.mark.parametrize(
    "layers",
    [
        [{"linear": 1}, {"sequential": ["sigmoid", "flatten"]}],
        [{"linear": 1}, "sigmoid", {"sequential": ["identity"]}],
        [{"linear": 1}, "sigmoid", {"sequential": [{"dropout": 0.1}]}],
        [{"dense": {"units": 1, "activation": {"sequential": ["sigmoid", "flatten"]}}}],
    ],
)
def test_blocks_that_pass_probabilities_on_are_refused_after_sigmoid(layers: list[object]) -> None:
    with pytest.raises(ConfigError, match="binary_cross_entropy needs sigmoid as the last layer"):
        train(TWO, layers=layers)


@pytest.mark.parametrize(("settings", "ending"), [(TWO | {"loss": "hinge"}, "relu"), (NUMBERS, "sigmoid")])
def test_the_bounding_activation_is_found_behind_layers_that_pass_it_on(settings: dict[str, Any], ending: str) -> None:
    for passing in ("flatten", {"sequential": ["identity"]}):
        with pytest.raises(ConfigError, match=ending):
            train(settings, layers=[{"linear": 1}, ending, passing])
    train(settings, layers=[{"dense": {"units": 4, "activation": ending}}, {"linear": 1}, "flatten"])


def test_lbfgs_refuses_layers_that_learn_otherwise() -> None:
    with pytest.raises(
        ConfigError, match="lbfgs needs a loss that is the same in every step, but batch_norm changes it"
    ):
        train(LBFGS, layers=[{"linear": 4}, "batch_norm", {"linear": 1}])


def test_an_average_and_its_classes_may_stand_side_by_side() -> None:
    found = train(TWO, metrics=["roc_auc", {"roc_auc": "per_class"}], split=0).metrics()["train"]
    assert found["roc_auc"] == found["roc_auc_yes"]


@pytest.mark.parametrize("threshold", [-1, 5, True, float("nan"), "best_auc", "0.3"])
def test_a_threshold_is_checked_before_it_is_kept(threshold: Any) -> None:
    run = train(TWO, split=0.3)
    with pytest.raises(RunError, match="a threshold is best_f1, best_accuracy, a number from 0 to 1 or none, found"):
        workflows.decide(run, threshold)
    assert run.records.decision() is None
    workflows.decide(run, np.float32(0.25))
    assert run.records.decision()["threshold"] == 0.25
