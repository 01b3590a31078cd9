"""Presets: configs that leave most keys out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import r2_score

from nnfs_cli import fit, workflows
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.steps.views import Views
from nnfs_cli.errors import ConfigError, DataError
from nnfs_cli.inspection.tails import is_heavy_tailed
from nnfs_cli.nn.losses import Loss
from nnfs_cli.presets import TableFacts
from nnfs_cli.presets.tabular import (
    EFFORTS,
    EPOCH_RANGE,
    LEAST_STEPS,
    MAX_STEPS,
    MIN_HOLDOUT_ROWS,
    Tabular,
    affordable,
    seconds_of,
)
from tests.conftest import Nnfs

Load = Callable[..., Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a config with these settings and overrides."""

    def load(overrides: tuple[str, ...] = (), /, **settings: Any) -> Config:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(settings))
        return workflows.load(path, overrides)

    return load


def table(path: Path, n: int = 120) -> Path:
    """Write a table: numbers (one mostly 0, one with gaps), few and many categories, a date and two targets."""
    rng = np.random.default_rng(0)
    x, crowded = rng.normal(size=n), np.where(rng.random(n) < 0.7, 0, rng.integers(1, 9, n))
    lines = ["x,crowded,gaps,few,many,when,price,kind"]
    for i in range(n):
        gaps = "" if i % 9 == 0 else i % 7
        few, many, kind = "ab"[i % 2], f"w{rng.integers(80)}", ("yes", "no", "perhaps")[i % 3]
        when = f"2026-01-{i % 28 + 1:02d}"
        lines.append(f"{x[i]:.4f},{crowded[i]},{gaps},{few},{many},{when},{3 * x[i] + i % 2:.4f},{kind}")
    path.write_text("\n".join(lines) + "\n")
    return path


# --- effort ---


def test_more_effort_computes_more_and_takes_longer() -> None:
    facts = TableFacts(5_000, n_numbers=10)
    fast, default, best = (Tabular.resolve({"tabular": name}).fill({}, facts) for name in ("fast", "default", "best"))
    assert fast["members"] <= default["members"] < best["members"]
    assert fast["epochs"] < default["epochs"] < best["epochs"]
    assert default["blend"] == ["trees", {"forest": {"min_rows": 2}}, "linear", "constant"]
    seconds = [seconds_of(effort, facts) for effort in EFFORTS.values()]
    assert seconds == sorted(seconds)


@given(st.integers(100, 10**6), st.integers(1, 200), st.integers(0, 20), st.floats(0.1, 1e5))
def test_minutes_choose_the_largest_effort_that_they_allow(rows: int, n: int, n_classes: int, seconds: float) -> None:
    facts = TableFacts(rows, n_numbers=n, n_classes=n_classes if n_classes != 1 else 0)
    found = affordable(seconds, facts)
    assert found == "fast" or seconds_of(EFFORTS[found], facts) <= seconds
    assert found == "best" or seconds_of(EFFORTS["best"], facts) > seconds
    filled = Tabular(minutes=seconds / 60).fill({}, facts)
    assert filled["members"] == Tabular(effort=found).fill({}, facts)["members"]
    assert filled["max_minutes"] == seconds / 60


# --- filled-in keys ---


@given(
    st.integers(1, 10**7), st.integers(0, 50), st.integers(1, 3), st.sampled_from(["mae", "huber", "quantile", "hinge"])
)
def test_filled_in_values_are_sensible_for_any_data(n_rows: int, n_classes: int, n_targets: int, loss: str) -> None:
    filled = Tabular().fill({}, TableFacts(n_rows, n_targets, n_classes if n_classes != 1 else 0))
    batch, epochs = filled["batch_size"], filled["epochs"]
    steps = -(-n_rows // batch) * epochs
    assert 3 <= epochs <= (LEAST_STEPS if 16 <= n_rows <= 100 else EPOCH_RANGE[1])
    assert steps >= LEAST_STEPS or not 16 <= n_rows <= 100
    assert steps <= max(MAX_STEPS * EFFORTS["default"].steps, 3 * -(-n_rows // batch))
    assert filled["members"] in (4, 8)
    assert (filled["holdout"] == "fold") == (n_rows >= MIN_HOLDOUT_ROWS)
    assert 0 < filled["optimizer"]["adamw"]["weight_decay"] <= 1.5 / (0.002 * EPOCH_RANGE[0]) + 1
    assert filled["schedule"]["cosine"]["warmup"] < epochs
    assert 1 <= filled["log_every"] <= epochs
    resolved = Loss.resolve(filled["loss"])
    assert resolved.task == ("classification" if n_classes > 1 else "regression")
    if resolved.task == "regression":
        other = (
            Tabular().fill({"loss": Loss.resolve(loss)}, TableFacts(n_rows, n_targets, 0)) if loss != "hinge" else {}
        )
        assert "loss" not in other


@pytest.mark.parametrize(
    ("n_rows", "batch", "epochs", "units", "dropout", "bins"),
    [
        (249_999, 512, 9, 80, 2, 21),
        (250_000, 1_024, 18, 128, 0, 10),
        (1_000_000, 1_024, 4, 128, 0, 10),
        (10**7, 1_024, 3, 128, 0, 10),
    ],
)
def test_a_large_table_gets_a_wider_net_and_larger_batches_but_fewer_inputs_and_no_dropout(
    n_rows: int, batch: int, epochs: int, units: int, dropout: int, bins: int
) -> None:
    filled = Tabular().fill({}, TableFacts(n_rows, n_numbers=24))
    assert (filled["batch_size"], filled["epochs"]) == (batch, epochs)
    assert str(filled["layers"]).count(f"'units': {units}") == 2
    assert str(filled["layers"]).count("dropout") == dropout
    assert filled["preprocessing"]["numbers"][1]["views"][1] == {"piecewise_linear": bins}


@pytest.mark.parametrize(("n_numbers", "bins"), [(1, 232), (8, 64), (60, 8), (256, 2), (257, None), (5_000, None)])
def test_many_columns_get_few_bins(n_numbers: int, bins: int | None) -> None:
    filled = Tabular().fill({}, TableFacts(10**6 // 10, n_numbers=n_numbers))["preprocessing"]["numbers"][1]["views"]
    found = [view["piecewise_linear"] for view in filled if isinstance(view, dict)]
    assert found == ([min(bins, 108)] if bins else [])


@pytest.mark.parametrize(
    ("dataset", "loss", "outputs", "final"),
    [
        ("iris", "cross_entropy", 3, ["softmax"]),
        ("breast_cancer", "binary_cross_entropy", 1, ["sigmoid"]),
        ("diabetes", "mse", 1, []),
    ],
)
def test_a_config_needs_only_a_dataset(load: Load, dataset: str, loss: str, outputs: int, final: list[str]) -> None:
    spec = load(dataset=dataset)
    assert spec.preset == Tabular()
    assert spec.loss.name == loss
    assert [layer.name for layer in spec.layers] == ["residual", *final]
    assert [layer.units for layer in spec.layers[0].layers if layer.name == "linear"] == [32, 32, outputs]
    assert (spec.members, spec.holdout, spec.split.validation) == (8, "fold", 0)
    assert spec.early_stopping is not None
    assert workflows.prepare(spec).splits["validation"].member is not None


def test_every_kind_of_column_becomes_an_input(load: Load, tmp_path: Path) -> None:
    table(tmp_path / "t.csv")
    spec = load(dataset={"csv": {"path": "t.csv", "target": "price", "drop": ["kind"]}})
    steps = {name: [step.name for step in chain] for name, chain in spec.preprocessing.columns.items()}
    assert steps == {"crowded": ["impute", "views"], "many": ["embedding"]}
    assert "Log1p" in str(spec.preprocessing.columns["crowded"])
    experiment = workflows.prepare(spec)
    names = experiment.predictor.encoder.names
    assert {"x robust, smooth_clip", "crowded log1p, standardize, smooth_clip", "gaps is empty", "few=a"} <= set(names)
    assert [step.name for step in spec.preprocessing.target or ()] == ["clamp", "standardize"]


def test_weight_and_split_columns_are_not_inputs(load: Load, tmp_path: Path) -> None:
    table(tmp_path / "t.csv")
    source = {"path": "t.csv", "target": "price", "drop": ["kind"], "weight": "crowded"}
    spec = load(dataset={"csv": source}, split={"group": "many", "test": 0.2})
    assert not spec.preprocessing.columns
    names = " ".join(workflows.prepare(spec).predictor.encoder.names)
    assert "many" not in names
    assert "crowded" not in names


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"loss": "huber"}, {"loss": "huber"}),
        ({"members": 1}, {"members": 1, "holdout": None}),
        ({"split": {"validation": 0.25}}, {"holdout": None, "members": 16}),
        ({"split": {"validation": 0}}, {"holdout": "fold"}),
        ({"memory_limit": "1 GB"}, {"holdout": None}),
        ({"holdout": None, "split": {"validation": 0.2}}, {"holdout": None}),
        ({"optimizer": "sgd"}, {"optimizer": "sgd", "lr": 0.01}),
        ({"lr": 0.5}, {"lr": 0.5}),
        ({"epochs": 7}, {"epochs": 7, "log_every": 1}),
        ({"batch_size": 5}, {"batch_size": 5}),
        ({"optimizer": "lbfgs"}, {"members": 1, "holdout": None, "batch_size": "full"}),
        ({"layers": [{"linear": 1}], "preset": "tabular"}, {"layers": ["linear"]}),
        ({"averaging": None}, {"averaging": None}),
        ({"seed": 9, "metrics": ["mae"]}, {"seed": 9}),
    ],
)
def test_a_given_key_wins(load: Load, given: dict[str, Any], found: dict[str, Any]) -> None:
    spec = load(dataset="diabetes", **given)
    for key, expected in found.items():
        value = getattr(spec, key)
        if isinstance(value, tuple):
            value = [layer.name for layer in value]
        assert getattr(value, "name", value) == expected
    workflows.prepare(spec)


def test_given_parts_of_preprocessing_win(load: Load, tmp_path: Path) -> None:
    table(tmp_path / "t.csv")
    source = {"csv": {"path": "t.csv", "target": "price", "drop": ["kind"]}}
    spec = load(dataset=source, preprocessing={"columns": {"many": "hashing"}, "dates": {"calendar": ["trend"]}})
    assert {name: chain[0].name for name, chain in spec.preprocessing.columns.items()} == {
        "many": "hashing",
        "crowded": "impute",
    }
    assert spec.preprocessing.dates is not None
    assert spec.preprocessing.dates.label() == "calendar trend"
    bare = load(dataset={"csv": {**source["csv"], "drop": ["kind", "gaps"]}}, preprocessing="standardize")
    assert [step.name for step in bare.preprocessing.numbers] == ["standardize"]
    assert set(bare.preprocessing.columns) == {"many"}
    assert bare.preprocessing.categories is not None


def test_overrides_win_too(load: Load) -> None:
    spec = load(("epochs=4", "split.test=0.3"), dataset="iris")
    assert (spec.epochs, spec.split.test, spec.split.validation) == (4, 0.3, 0)


@pytest.mark.parametrize("n", [2, 3, 7, 15, 16])
def test_very_few_rows_all_train(n: int, load: Load, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i},{i * i}.5\n" for i in range(n)))
    spec = load(dataset={"csv": {"path": "t.csv", "target": "y"}})
    assert (spec.split.validation, spec.holdout) == (0, "fold" if n == 16 else None)
    assert len(workflows.prepare(spec).splits["train"]) == n


def test_a_whole_config_takes_no_preset(load: Load) -> None:
    whole = {"dataset": "iris", "layers": [{"linear": 3}, "softmax"], "loss": "cross_entropy", "epochs": 2}
    assert load(**whole).preset is None
    assert load(**whole) == load(**whole, preset=None)
    with pytest.raises(ConfigError, match="the key 'loss' is missing"):
        load(**{key: value for key, value in whole.items() if key != "loss"})


def test_the_spec_of_a_run_is_complete_and_gives_the_same_bytes(load: Load, tmp_path: Path) -> None:
    spec = load(dataset="diabetes", epochs=6, split={"test": 0.2}, preset={"tabular": "fast"})
    runs = []
    for one in (spec, None):
        experiment = workflows.prepare(one or workflows.load(runs[0].path / "spec.yaml"))
        runs.append(workflows.begin(experiment, tmp_path / "runs"))
        workflows.train(experiment, runs[-1])
    first, second = ((run.path / "weights" / "best.npz").read_bytes() for run in runs)
    assert first == second
    preset = yaml.safe_load((runs[0].path / "spec.yaml").read_text())["preset"]
    assert preset == {"tabular": {"effort": "fast", "minutes": None}}
    workflows.verify(runs[0])


# --- configs that cannot be filled in ---


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"dataset": "irsi"}, ConfigError, "did you mean 'iris'"),
        ({"dataset": "iris", "preset": "tabula"}, ConfigError, "did you mean 'tabular'"),
        ({"dataset": "iris", "epoch": 3}, ConfigError, "did you mean 'epochs'"),
        ({"dataset": "iris", "loss": "mse"}, (ConfigError, DataError), "iris"),
        ({"dataset": "diabetes", "loss": "cross_entropy"}, (ConfigError, DataError), "diabetes"),
        ({"dataset": {"csv": {"path": "t.csv", "target": "prise"}}}, (ConfigError, DataError), "did you mean 'price'"),
        ({"dataset": {"csv": {"path": "t.csv", "target": "when"}}}, (ConfigError, DataError), "dates"),
        ({"dataset": "iris", "lr": -1}, ConfigError, "must be greater than 0"),
    ],
)
def test_what_cannot_be_filled_in_is_reported(
    load: Load, tmp_path: Path, settings: dict[str, Any], error: Any, message: str
) -> None:
    table(tmp_path / "t.csv")
    with pytest.raises(error, match=message):
        workflows.prepare(load(**settings))


def test_train_names_the_preset(inside: Nnfs, write: Callable[[str, str], Path]) -> None:
    write("c.yaml", "dataset: iris\nepochs: 3\n")
    done = inside("train", "c.yaml")
    assert done.returncode == 0, done.stderr
    assert "preset      tabular fills in what the config leaves out; see spec.yaml in the run directory" in done.stderr
    assert "holdout     each of the 8 members trains without one fold of the rows and is scored on it" in done.stderr
    assert "\nvalidation  loss" in done.stderr
    assert "rows, out of fold)\n" in done.stderr
    baseline = ("baseline", "c.yaml", "--set", "members=4")  # each fold takes seconds
    for words in (("evaluate", "runs/c-1"), ("check", "c.yaml"), baseline, ("verify", "runs/c-1")):
        assert inside(*words).returncode == 0


# --- heavy tails ---


def sizes(n: int = 400) -> dict[str, Array]:
    """Amounts over six orders of magnitude, as in the reports of companies, and a plain number."""
    rng = np.random.default_rng(0)
    log = rng.normal(16, 2.5, n)
    columns = {name: np.exp(log + rng.normal(0, 1, n)).round() for name in ("sales", "assets", "debt")}
    return columns | {"margin": rng.normal(size=n).round(3)}


def test_amounts_over_orders_of_magnitude_enter_by_their_rank_and_as_they_are_if_the_target_follows_them(
    tmp_path: Path,
) -> None:
    X = sizes()
    targets = {
        "ratio": np.log(X["debt"] / X["assets"]) + X["margin"],
        "sum": X["sales"] - X["debt"] / 2,
        "kind": np.where(X["debt"] > X["assets"], "risky", "safe"),
    }
    views = {}
    for name, y in targets.items():
        text = ["sales,assets,debt,margin,y"] + [",".join(map(str, row)) for row in zip(*X.values(), y, strict=True)]
        (tmp_path / "t.csv").write_text("\n".join(text) + "\n")
        for more in ("", "split: {time: margin, test: 0.2}"):
            (tmp_path / "t.yaml").write_text(f"dataset: {{csv: {{path: t.csv, target: y}}}}\n{more}\n")
            steps = workflows.load(tmp_path / "t.yaml").preprocessing.columns
            assert steps.keys() >= {"sales", "assets", "debt"}
            assert "margin" not in steps
            first = [chain[0].name for chain in cast(Views, steps["sales"][1]).chains]
            views[name + more[:5]] = first
    assert views["ratio"] == views["kind"] == views["sumsplit"] == ["quantile", "piecewise_linear"]
    assert views["sum"] == ["quantile", "standardize", "piecewise_linear"]


def test_numbers_given_in_the_config_and_plain_numbers_keep_their_steps() -> None:
    given = {"preprocessing": Preprocessing.model_validate({"numbers": "standardize"})}
    facts = TableFacts(1_000, n_numbers=2, heavy_tailed={"a": True})
    assert "columns" not in Tabular().fill(given, facts)["preprocessing"]
    rng = np.random.default_rng(1)
    for values in (rng.normal(size=500), rng.exponential(size=500), rng.lognormal(0, 1, 500), np.arange(500.0)):
        assert not is_heavy_tailed(*np.unique(values, return_counts=True))
    for factor in (1e-9, 1, -1e9):
        values = factor * rng.lognormal(0, 3, 500)
        for some in (values, [*values, *np.zeros(20)]):
            assert is_heavy_tailed(*np.unique(some, return_counts=True))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_ratio_of_amounts_is_predicted_as_well_as_by_a_linear_model_of_their_logarithms(seed: int) -> None:
    from sklearn.linear_model import RidgeCV

    rng = np.random.default_rng(seed)
    size = rng.normal(18, 2.6, 1_500)
    X = np.exp(size[:, None] + rng.normal(0, 1, (1_500, 8)))
    y = np.log(X) @ np.array([1, -1, 0.3, -0.3, 0, 0, 0, 0]) + rng.normal(0, 0.4, 1_500)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(8)]).assign(y=y)
    net = fit(frame[:1_000], "y", split={"validation": 0})
    found = r2_score(y[1_000:], net.predict(frame[1_000:].drop(columns="y")))
    linear = RidgeCV().fit(np.log(X[:1_000]), y[:1_000]).score(np.log(X[1_000:]), y[1_000:])
    assert found > linear - 0.03
