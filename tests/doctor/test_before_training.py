"""The doctor before training: the range test, what it leaves alone, and the command."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.config.yaml import dump
from nnfs_cli.doctor.after.verdicts import WHY
from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Examination
from nnfs_cli.doctor.examine_config import examine_config
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.guide import page
from tests.conftest import CONFIGS, Nnfs
from tests.doctor import tables
from tests.doctor.tables import write_csv

Write = Callable[[str, str], Path]
TUMOURS: Mapping[str, Any] = {
    "dataset": "breast_cancer",
    "layers": [{"linear": 16}, "relu", {"linear": 1}, "sigmoid"],
    "loss": "binary_cross_entropy",
    "lr": 0.1,
    "epochs": 10,
}


NUMBERS: Mapping[str, Any] = {"dataset": "diabetes", "layers": [{"linear": 8}, "relu", {"linear": 1}], "loss": "mse"}


@pytest.fixture
def subject(write: Write) -> Callable[..., Subject]:
    """What the checks look at, for the config above with other settings."""

    def make(**settings: Any) -> Subject:
        config = workflows.load(write("config.yaml", dump({**TUMOURS, **settings})))
        loaded = load_data(config)
        return Subject(config, loaded, prepare(config, loaded))

    return make


@pytest.fixture
def examine(write: Write) -> Callable[..., Examination]:
    """Examine the config above with other settings."""

    def run(**settings: Any) -> Examination:
        return examine_config(workflows.load(write("config.yaml", dump({**TUMOURS, **settings}))))

    return run


def codes(examination: Examination) -> list[str]:
    return [one.code for one in examination.diagnoses]


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_the_range_test_finds_the_limit_of_a_linear_model(
    subject: Callable[..., Subject], tmp_path: Path, scale: float
) -> None:
    """Full-batch descent on a quadratic loss converges for lr < 2 / λ, λ the largest eigenvalue of the Hessian."""
    rng = np.random.default_rng(0)
    X = scale * rng.standard_normal((200, 3)) * [1, 0.7, 0.5]
    write_csv(tmp_path / "t.csv", tables.columns(X, X @ [1, -2, 3] / scale + 0.1 * rng.standard_normal(200)))
    looked_at = subject(
        dataset={"csv": {"path": "t.csv", "target": "y"}},
        preprocessing={"numbers": "none"},
        layers=[{"linear": 1}],
        loss="mse",
        batch_size="full",
    )
    rows = looked_at.rows.X.astype(np.float64)
    ones = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
    limit = 2 / np.linalg.eigvalsh(2 * ones.T @ ones / len(ones)).max()
    test = looked_at.range_test
    assert test is not None
    assert test.suggested is not None
    assert limit / 30 < test.suggested < limit / 3
    assert test.start == pytest.approx(looked_at.start.loss, rel=0.1)
    assert (np.diff(test.lr) > 0).all()


@pytest.mark.parametrize(("share", "found"), [(0.9, []), (1.2, ["lr_too_high"]), (1.8, ["lr_too_high"])])
def test_an_lr_beyond_the_limit_of_a_linear_model_is_found_where_the_range_test_lags(
    examine: Callable[..., Examination], tmp_path: Path, share: float, found: list[str]
) -> None:
    """One direction of nine nearly equal columns limits lr to 2 / λ; the range test passes it before the loss rises."""
    rng = np.random.default_rng(0)
    U = np.linalg.svd(rng.normal(size=(400, 3)), full_matrices=False)[0] * 20
    X = np.concatenate([U[:, [0] * 9] + 1e-3 * rng.normal(size=(400, 9)), U[:, 1:]], axis=1)
    write_csv(tmp_path / "t.csv", tables.columns(X, U @ [1, 1, 1] + 0.3 * rng.normal(size=400)))
    limit = 2 / (2 * 9)  # λ of standardized columns
    examination = examine(
        dataset={"csv": {"path": "t.csv", "target": "y"}},
        preprocessing={"target": "standardize"},
        layers=[{"linear": 1}],
        loss="mse",
        batch_size="full",
        lr=share * limit,
        epochs=100,
    )
    assert codes(examination) == found
    assert examination.range_test is not None
    assert examination.range_test.suggested is not None
    assert share * limit < 10 * examination.range_test.suggested


def test_the_same_config_gets_the_same_diagnoses_and_its_net_stays_as_it_is(subject: Callable[..., Subject]) -> None:
    first, second = subject(lr=30.0), subject(lr=30.0)
    before = first.experiment.predictor.model.parameters.vector.copy()
    tests = [one.range_test for one in (first, second)]
    assert tests[0] is not None
    assert tests[1] is not None
    assert np.array_equal(tests[0].loss, tests[1].loss)
    trials = [(one.trials.run(0.1, 50), one.trials.overfit(one.sample, 0.01, 20)) for one in (first, second)]
    assert trials[0] == trials[1]
    assert np.array_equal(first.experiment.predictor.model.parameters.vector, before)


def test_a_net_that_knows_nothing_begins_with_ln_k(subject: Callable[..., Subject]) -> None:
    looked_at = subject(
        dataset="iris",
        layers=[{"linear": 8}, "tanh", {"linear": {"units": 3, "init": "zeros"}}, "softmax"],
        loss="cross_entropy",
    )
    assert looked_at.start.loss == pytest.approx(math.log(3), rel=1e-6)


@pytest.mark.parametrize(
    ("code", "settings"),
    [
        ("lr_too_high", {"lr": 1e4}),
        ("lr_too_high", {"lr": 10.0, "optimizer": "adam"}),
        ("lr_too_high", {"lr": 1.0, "optimizer": {"sgd": {"momentum": 0.99}}}),
        ("lr_too_low", {"lr": 1e-6}),
        ("lr_too_low", {"lr": 1e-6, "optimizer": "adam", "schedule": "one_cycle"}),
        ("decay_too_strong", {"penalty": {"l2": 10.0}}),
        ("initial_loss", {"layers": [{"linear": 16}, "relu", {"linear": {"units": 1, "init": {"normal": 50.0}}}]}),
        ("target_scale", {**NUMBERS, "preprocessing": {"target": "none"}}),
        ("last_layer", {"layers": [{"linear": 16}, "relu", {"linear": 1}, "sigmoid", "sigmoid"]}),
        ("vanishing_gradient", {"layers": [*[{"linear": 8}, "sigmoid"] * 12, {"linear": 1}, "sigmoid"]}),
        ("vanishing_gradient", {"layers": [*[{"linear": 8}, "sigmoid"] * 60, {"linear": 1}, "sigmoid"]}),
    ],
)
def test_a_fault_is_found_and_nothing_else(
    examine: Callable[..., Examination], code: str, settings: Mapping[str, Any]
) -> None:
    assert codes(examine(**settings)) == [code]


@pytest.mark.parametrize(
    "settings",
    [
        {"layers": [{"linear": 16}, "relu", {"linear": {"units": 1, "init": "zeros"}}, "sigmoid"]},  # a usual beginning
        {"layers": [{"linear": {"units": 16, "init": {"constant": 0.1}}}, "relu", {"linear": 1}, "sigmoid"]},
        {"layers": [{"linear": 16}, "batch_norm", "relu", {"dropout": 0.5}, {"linear": 1}]},
        {"optimizer": "adam", "lr": 0.003, "members": 3},
        {"batch_size": "full", "epochs": 200, "dtype": "float64"},
        {"schedule": "one_cycle", "lr": 1.0},
        {"loss": {"binary_cross_entropy": {"reduction": "sum"}}, "lr": 0.01},
    ],
)
def test_nothing_is_said_of_a_sound_training(examine: Callable[..., Examination], settings: Mapping[str, Any]) -> None:
    examination = examine(**settings)
    assert codes(examination) == []
    assert examination.range_test is not None


def test_a_minimizer_has_no_learning_rate_to_test(examine: Callable[..., Examination]) -> None:
    examination = examine(optimizer="lbfgs", lr=None)
    assert codes(examination) == []
    assert examination.range_test is None
    assert examination.unexamined == ("lbfgs chooses its own steps, so there is no learning rate to test",)


def test_a_net_too_large_to_try_is_not_trained(examine: Callable[..., Examination]) -> None:
    layers = [{"linear": 1500}, "relu", {"linear": 1500}, "relu", {"linear": 1}, "sigmoid"]
    examination = examine(layers=layers, batch_size=256)
    assert codes(examination) == []
    assert examination.unexamined == ("the net or its batches are so large that trying a training would take too long",)


# The command


def test_the_command_writes_nothing_and_tells_programs_the_same(inside: Nnfs, write: Write, tmp_path: Path) -> None:
    write("t.yaml", dump({**TUMOURS, "lr": 1e4}))
    shown, done = inside("doctor", "t.yaml"), inside("doctor", "t.yaml", "--json")
    assert (shown.returncode, done.returncode) == (0, 0)
    found = json.loads(done.stdout)
    assert [one["code"] for one in found["diagnoses"]] == ["lr_too_high"]
    assert set(found) == {"diagnoses", "unexamined", "range_test", "fixed"}
    assert found["range_test"]["suggested"] == found["diagnoses"][0]["edits"]["lr"]
    assert "lr_too_high\n  measured  in 150 steps the loss" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert [path.name for path in tmp_path.iterdir()] == ["t.yaml"]


def test_the_remedies_are_written_beside_the_config_and_help(inside: Nnfs, write: Write, tmp_path: Path) -> None:
    text = "# mine\n" + dump({**TUMOURS, "preprocessing": "none"}).replace("lr: 0.1", "lr: 0.1  # found by hand")
    path = write("t.yaml", text)
    done = inside("doctor", "t.yaml", "--fix")
    assert "-preprocessing: none\n            +preprocessing: standardize\n" in done.stdout
    fixed = tmp_path / "t.fixed.yaml"
    assert fixed.read_text() == text.replace("preprocessing: none", "preprocessing: standardize")
    assert path.read_text() == text
    losses = []
    for name in ("t.yaml", "t.fixed.yaml"):
        run = inside("train", name, "--quiet").stdout.strip()
        losses.append(json.loads((tmp_path / run / "metrics.json").read_text())["validation"]["loss"])
    assert losses[1] < losses[0] / 3
    before = fixed.read_bytes()
    inside("doctor", "t.yaml", "--fix")
    assert fixed.read_bytes() == before
    assert (tmp_path / "t.fixed-2.yaml").read_bytes() == before
    assert "fixed       nothing" in inside("doctor", "t.fixed.yaml", "--fix").stdout
    assert "t.fixed-3.yaml" in inside("doctor", write("t.fixed.yaml", text).name, "--fix").stdout


def test_the_config_of_a_run_is_written_whole_to_the_current_folder(inside: Nnfs, write: Write, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(200)
    write_csv(tmp_path / "t.csv", {"x": x, "y": np.where(rng.random(200) < 0.97, "a", "b")})
    config = {**TUMOURS, "dataset": {"csv": {"path": "t.csv", "target": "y"}}, "epochs": 400, "lr": 1e-6}
    write("t.yaml", dump({**config, "early_stopping": 400}))
    run = inside("train", "t.yaml", "--quiet").stdout.strip()
    done = inside("doctor", run, "--fix", "--json")
    fixed = json.loads(done.stdout)["fixed"]
    if fixed is None:
        pytest.skip("no check after training has a remedy for this run")
    assert fixed["path"] == "t-1.fixed.yaml"
    assert workflows.load(tmp_path / "t-1.fixed.yaml").dataset == workflows.load(tmp_path / "t.yaml").dataset


def test_settings_of_the_command_line_are_not_for_files_and_runs(inside: Nnfs, write: Write) -> None:
    write("t.yaml", dump(TUMOURS))
    done = inside("doctor", "t.yaml", "--fix", "--set", "lr=1")
    assert done.returncode == 2
    assert "leave --set out" in done.stderr


def test_each_diagnosis_has_a_section_in_the_guide() -> None:
    source = "".join(path.read_text() for path in (CONFIGS.parent / "nnfs_cli" / "doctor").rglob("*.py"))
    after = source.split("Diagnosis(\n")[1:]
    named = {text.strip().split('"')[1] for text in after if text.strip().startswith('"')} | {*WHY}
    assert len(named) > 15
    assert {name for name in named if f"\n## {name}\n" not in page("doctor")} == set()
