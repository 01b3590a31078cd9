"""Weights of rows: by class, by a column of the table, or by both."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn
from sklearn.utils.class_weight import compute_class_weight

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError, DataError, NnfsWarning
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import Nnfs, one_message, weights_of

Write = Callable[[str, str], Path]
Row = tuple[object, ...]

POINTS = [(round(float(a), 3), round(float(b), 3)) for a, b in np.random.default_rng(5).normal(size=(40, 2))]
LABELS = [("low", "mid", "high")[(a + b > 0) + (a > 1)] for a, b in POINTS]
NUMBERS = [round(a - 2 * b + a * b, 3) for a, b in POINTS]
COUNTS = [i % 4 for i in range(40)]  # 0, 1, 2, 3, 0, ...


def csv(header: str, *columns: Any) -> str:
    lines = [header, *(",".join(map(str, row)) for row in zip(*zip(*POINTS, strict=True), *columns, strict=False))]
    return "\n".join(lines) + "\n"


@pytest.fixture
def config(write: Write) -> Callable[..., Path]:
    """Write points.csv and a config that learns from it."""

    def write_config(table: str, loss: str = "cross_entropy", weight: str | None = None, **changes: object) -> Path:
        write("points.csv", table)
        source = {"path": "points.csv", "target": "y"} | ({"weight": weight} if weight else {})
        settings = {"dataset": {"csv": source}, "layers": [{"linear": 3}], "loss": loss, "lr": 0.1, "epochs": 5}
        return write("config.yaml", json.dumps(settings | changes))

    return write_config


def prepared(path: Path) -> Experiment:
    return workflows.prepare(Config.load(path))


def trained(path: Path) -> RunDirectory:
    experiment = prepared(path)
    run = workflows.begin(experiment, path.parent / "runs")
    workflows.train(experiment, run)
    return run


def counting(experiment: Experiment) -> list[float]:
    """The weights of the training rows; those of weight 0 are left out."""
    rows = experiment.splits["train"]
    return [1.0] * len(rows) if rows.weight is None else rows.weight.tolist()


# By class


@pytest.mark.parametrize(
    ("labels", "weights"),
    [
        (LABELS, {"low": 2, "high": 0.5}),
        ([label == "mid" for label in LABELS], {"true": 3}),
        ([label == "mid" for label in LABELS], {"false": 0}),
        ([("low", "mid", "high").index(label) for label in LABELS], {"1": 4, "0": 2}),
        ([f"{label}: {{x}}" for label in LABELS], {"mid: {x}": 7}),
    ],
    ids=["text", "boolean", "boolean without rows that count", "integer", "text that YAML quotes"],
)
def test_class_weights_apply_to_their_classes(
    labels: list[object], weights: dict[str, float], config: Callable[..., Path]
) -> None:
    words = [str(label).lower() if isinstance(label, bool) else str(label) for label in labels]
    outputs = {"layers": [{"linear": len(set(words))}]}
    experiment = prepared(config(csv("a,b,y", labels), class_weights=weights, split=0, **outputs))
    assert counting(experiment) == [weight for word in words if (weight := weights.get(word, 1))]


def test_labels_in_yaml_may_be_written_without_quotes(write: Write) -> None:
    for labels, given in ([1, 2, 3], "{1: 4, 3: 2}"), ([True, False, True], "{true: 4}"):
        write("points.csv", csv("a,b,y", labels * 13).replace("True", "true").replace("False", "false"))
        config = f"""\
dataset: {{csv: {{path: points.csv, target: y}}}}
layers: [linear: {len(set(labels))}]
loss: cross_entropy
class_weights: {given}
epochs: 1
"""
        weights = prepared(write("config.yaml", config)).predictor.encoder.class_weights
        assert weights == ((4, 1, 2) if len(set(labels)) == 3 else (1, 4))


def test_balanced_agrees_with_scikit_learn_on_the_training_rows(config: Callable[..., Path]) -> None:
    experiment = prepared(config(csv("a,b,y", LABELS), class_weights="balanced", split={"test": 0.3}))
    truth = experiment.splits["train"].truth
    expected = compute_class_weight("balanced", classes=np.arange(3), y=truth)
    assert experiment.predictor.encoder.class_weights == pytest.approx(expected.tolist(), rel=1e-12)
    assert experiment.splits["train"].weight == pytest.approx(expected[truth])
    assert experiment.splits["test"].weight == pytest.approx(expected[experiment.splits["test"].truth])


def test_weights_of_classes_and_of_a_column_are_multiplied(config: Callable[..., Path]) -> None:
    path = config(csv("a,b,y,w", LABELS, COUNTS), weight="w", class_weights={"mid": 10}, split=0)
    expected = [count * (10 if label == "mid" else 1) for label, count in zip(LABELS, COUNTS, strict=True) if count]
    assert counting(prepared(path)) == expected


def test_weights_of_one_change_no_byte(config: Callable[..., Path]) -> None:
    halves = ["low", "high"] * 20
    plain, ones = csv("a,b,y", halves), csv("a,b,y,w", halves, [1] * 40)
    changes: dict[str, Any] = {"layers": [{"linear": 1}], "loss": "binary_cross_entropy"}
    runs = [
        trained(config(plain, **changes)),
        trained(config(plain, **changes, class_weights={"low": 1, "high": 1.0})),
        trained(config(plain, **changes, class_weights={"high": 1})),
        trained(config(plain, **changes, class_weights="balanced")),
        trained(config(ones, **changes, weight="w")),
        trained(config(ones, **changes, weight="w", class_weights="balanced")),
    ]
    for name in ("weights/best.npz", "weights/last.npz", "metrics.json"):
        assert len({(run.path / name).read_bytes() for run in runs}) == 1
    logs = [[row | {"seconds": 0} for row in run.epochs()] for run in runs]
    assert all(log == logs[0] for log in logs)


def test_an_unknown_label_is_reported_at_its_place(inside: Nnfs, write: Write) -> None:
    write("points.csv", csv("a,b,y", LABELS))
    write(
        "config.yaml",
        """\
dataset: {csv: {path: points.csv, target: y}}
layers: [linear: 3]
loss: cross_entropy
class_weights:
  low: 2
  hihg: 3
epochs: 1
""",
    )
    done = inside("train", "config.yaml", "-q")
    assert done.returncode == 2
    assert done.stderr.startswith("config.yaml:6:3: error: there is no class 'hihg'; did you mean 'high'?\n")
    assert not Path("runs").exists()


def test_an_unknown_label_is_reported_with_the_known_ones(config: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="there is no class 'wibble'; there are high, low and mid"):
        prepared(config(csv("a,b,y", LABELS), class_weights={"wibble": 3}))


# By a column


EXACT: dict[str, Any] = {
    "dtype": "float64", "batch_size": "full", "shuffle": False, "split": 0, "epochs": 12,
    "preprocessing": {"numbers": ["robust", "smooth_clip"]}, "layers": [{"linear": 4}, "tanh", {"linear": 1}],
}  # fmt: skip
CLASSES: dict[str, Any] = {"layers": [{"linear": 5}, "tanh", {"linear": 3}]}


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")  # of more parameters than rows
@pytest.mark.parametrize(
    ("target", "changes"),
    [
        (NUMBERS, {"loss": "mse"}),
        (NUMBERS, {"loss": {"mse": {"reduction": "sum"}}, "lr": 0.001}),
        (NUMBERS, {"loss": {"quantile": 0.3}}),
        (NUMBERS, {"loss": "mse", "preprocessing": {"numbers": {"quantile": 20}, "target": ["clamp", "standardize"]}}),
        (NUMBERS, {"loss": "huber", "optimizer": "adam", "penalty": 0.1, "clip": 0.5}),
        (NUMBERS, {"loss": "mae", "optimizer": "lbfgs", "lr": None, "batch_size": None}),
        (LABELS, CLASSES | {"loss": "cross_entropy"}),
        (LABELS, CLASSES | {"loss": "focal"}),
        (LABELS, CLASSES | {"loss": {"cross_entropy": {"label_smoothing": 0.1}}, "class_weights": {"low": 3}}),
        (LABELS, CLASSES | {"loss": {"hinge": {"squared": True}}, "optimizer": {"sgd": 0.9}}),
    ],
    ids=lambda value: json.dumps(value["loss"]) if isinstance(value, dict) else "",
)
def test_a_row_of_weight_two_equals_two_rows_and_one_of_weight_zero_none(
    target: list[object], changes: dict[str, Any], config: Callable[..., Path]
) -> None:
    header, *lines = csv("a,b,y", target).splitlines()
    repeated = "\n".join([header, *(line for line, n in zip(lines, COUNTS, strict=True) for _ in range(n))]) + "\n"
    weighted = trained(config(csv("a,b,y,w", target, COUNTS), weight="w", **EXACT | changes))
    several = trained(config(repeated, **EXACT | changes))
    for name, array in weights_of(several, "last").items():
        np.testing.assert_allclose(weights_of(weighted, "last")[name], array, rtol=0, atol=1e-9)
    ours, theirs = weighted.metrics()["train"], several.metrics()["train"]
    assert (ours.pop("rows"), theirs.pop("rows")) == (sum(map(bool, COUNTS)), sum(COUNTS))
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_a_row_of_weight_zero_leaves_no_trace(config: Callable[..., Path]) -> None:
    """The statistics of preprocessing ignore it, too."""
    wild = f"{1e9},0,{LABELS[0]},0\n"
    table = csv("a,b,y,w", LABELS, [1 + i % 3 for i in range(40)])
    runs = [trained(config(text, weight="w", split=0)) for text in (table, table + wild)]
    for name in ("weights/best.npz", "metrics.json"):
        assert len({(run.path / name).read_bytes() for run in runs}) == 1


def test_train_and_evaluate_report_weights(config: Callable[..., Path], inside: Nnfs) -> None:
    config(csv("a,b,y,w", LABELS, COUNTS), weight="w", class_weights={"mid": 2.5})
    ways = "class (high 1, low 1, mid 2.5) and the column 'w'"
    said = f"weights     rows are weighted by {ways}, in the loss and in the metrics"
    assert said in inside("train", "config.yaml").stderr.splitlines()
    assert said in inside("evaluate", "runs/config-1").stderr.splitlines()


def test_a_layer_that_counts_rows_of_a_batch_once_is_named_if_rows_have_weights(config: Callable[..., Path]) -> None:
    layers = [{"linear": 4}, {"residual": ["batch_norm"]}, {"linear": 3}]
    said = "batch_norm counts each row of a batch once, whatever its weight"
    for table, weight in ((csv("a,b,y,w", LABELS, [3] * 39 + [1]), "w"), (csv("a,b,y,w", LABELS, [1] * 40), "w")):
        warned = [one for one in prepared(config(table, weight=weight, layers=layers)).warnings if said in one]
        assert len(warned) == (",3\n" in table)
    of_classes = prepared(config(csv("a,b,y", LABELS), class_weights={"low": 3}, layers=layers))
    assert not any(said in one for one in of_classes.warnings)


def test_only_the_proportion_of_weights_matters(config: Callable[..., Path]) -> None:
    settings: dict[str, Any] = {"weight": "w", "dtype": "float64", "batch_size": 7, "accumulate": 2}
    runs = [
        trained(config(csv("a,b,y,w", LABELS, [factor * (n + 1) for n in COUNTS]), **settings)) for factor in (1, 1000)
    ]
    for name, array in weights_of(runs[0], "best").items():
        np.testing.assert_allclose(array, weights_of(runs[1], "best")[name], atol=1e-12)


def test_the_weight_column_is_not_an_input(config: Callable[..., Path], write: Write) -> None:
    run = trained(config(csv("a,b,y,w", LABELS, COUNTS), weight="w"))
    data = json.loads((run.path / "data.json").read_text())
    (numbers,) = data["fitted"]["inputs"]
    assert [column["name"] for column in data["inputs"]] == numbers["columns"] == ["a", "b"]
    assert weights_of(run, "best")["0.weight"].shape == (2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answers = [
            workflows.predict(run, write("rows.csv", text))
            for text in ("a,b\n1,2\n0,1\n", "w,b,a\n9,2,1\n0,1,0\n", "a,b,w\n1,2,no weight\n0,1,\n")
        ]
    for answer in answers[1:]:
        assert {name: values.tolist() for name, values in answer.items()} == {
            name: values.tolist() for name, values in answers[0].items()
        }


def test_weights_can_come_from_a_parquet_file(write: Write, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    a, b = zip(*POINTS, strict=True)
    parquet.write_table(pa.table({"a": a, "b": b, "y": LABELS, "w": COUNTS}), tmp_path / "points.parquet")
    source = {"parquet": {"path": "points.parquet", "target": "y", "weight": "w"}}
    settings = {"dataset": source, "layers": [{"linear": 3}], "loss": "cross_entropy", "epochs": 1, "split": 0}
    assert counting(prepared(write("c.yaml", json.dumps(settings)))) == list(filter(None, COUNTS))


PARTS = ["train" if i % 2 else "validation" for i in range(40)]
HELD_BACK = slice(0, 40, 2)
UNEVEN = [0.5 + i % 5 for i in range(40)]


@pytest.fixture
def held_out(config: Callable[..., Path], write: Write) -> Callable[..., tuple[RunDirectory, dict[str, Any]]]:
    """Train with weights and without preprocessing, and return the run with predictions for the validation rows."""

    def train_and_ask(target: list[object], loss: str, **changes: object) -> tuple[RunDirectory, dict[str, Any]]:
        table = csv("a,b,y,w,part", target, UNEVEN, PARTS)
        plain = {"numbers": "none", "target": "none"}
        always = {"split": {"column": "part"}, "dtype": "float64", "preprocessing": plain}
        run = trained(config(table, loss, "w", **always, **changes))
        header, *lines = table.splitlines()
        return run, workflows.predict(run, write("rows.csv", "\n".join([header, *lines[HELD_BACK]])))

    return train_and_ask


def reported(run: RunDirectory) -> dict[str, float]:
    """Return the validation figures, which the log has for the best epoch."""
    figures = run.metrics()["validation"]
    best = run.epochs()[run.metrics()["best_epoch"] - 1]
    assert figures.pop("rows") == 20
    assert {f"val_{name}": value for name, value in figures.items()}.items() <= best.items()
    return dict(figures)


def test_figures_of_classes_are_weighted(held_out: Callable[..., tuple[RunDirectory, dict[str, Any]]]) -> None:
    names = ["accuracy", "balanced_accuracy", "log_loss", "f1", "matthews_correlation"]
    run, answer = held_out(LABELS, "cross_entropy", metrics=names, class_weights={"mid": 3})
    y, said = LABELS[HELD_BACK], answer["prediction"].tolist()
    p = np.stack([answer[f"probability_{label}"] for label in ("high", "low", "mid")], axis=1)
    w = [weight * (3 if label == "mid" else 1) for weight, label in zip(UNEVEN[HELD_BACK], y, strict=True)]
    assert reported(run) == pytest.approx(
        {
            "loss": sklearn.log_loss(y, p, sample_weight=w),
            "accuracy": sklearn.accuracy_score(y, said, sample_weight=w),
            "balanced_accuracy": sklearn.balanced_accuracy_score(y, said, sample_weight=w),
            "log_loss": sklearn.log_loss(y, p, sample_weight=w),
            "f1_macro": sklearn.f1_score(y, said, sample_weight=w, average="macro"),
            "matthews_correlation": sklearn.matthews_corrcoef(y, said, sample_weight=w),
        },
        rel=1e-9,
    )


def test_figures_of_numbers_are_weighted(held_out: Callable[..., tuple[RunDirectory, dict[str, Any]]]) -> None:
    run, answer = held_out(NUMBERS, "mse", metrics=["mse", "rmse", "mae", "r2"], layers=[{"linear": 1}])
    y, said, w = NUMBERS[HELD_BACK], answer["prediction"], UNEVEN[HELD_BACK]
    mse = sklearn.mean_squared_error(y, said, sample_weight=w)
    mae, r2 = sklearn.mean_absolute_error(y, said, sample_weight=w), sklearn.r2_score(y, said, sample_weight=w)
    assert reported(run) == pytest.approx({"loss": mse, "mse": mse, "rmse": mse**0.5, "mae": mae, "r2": r2}, rel=1e-9)


@pytest.mark.parametrize("changes", [{"class_weights": "balanced"}, {"weight": "w"}, {"weight": "w", "split": 0}])
def test_evaluate_repeats_the_figures_of_training(changes: dict[str, Any], config: Callable[..., Path]) -> None:
    run = trained(config(csv("a,b,y,w", LABELS, COUNTS), **changes))
    figures = {part: of_part for part, of_part in run.metrics().items() if isinstance(of_part, dict)}
    assert workflows.evaluate(RunDirectory.open(run.path), list(figures)) == figures


def test_without_the_weight_column_rows_count_alike_with_a_warning(config: Callable[..., Path], write: Write) -> None:
    run = trained(config(csv("a,b,y,w", LABELS, COUNTS), weight="w"))
    bare, even = write("bare.csv", csv("a,b,y", LABELS)), write("even.csv", csv("a,b,y,w", LABELS, [3] * 40))
    with pytest.warns(NnfsWarning, match=r"bare.csv has no column 'w': all its rows count alike"):
        figures = workflows.evaluate(run, rows=bare)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert workflows.evaluate(run, rows=even)["input"] == pytest.approx(figures["input"])
        assert workflows.evaluate(run, rows=write("own.csv", csv("a,b,y,w", LABELS, COUNTS))) != figures


def test_evaluating_rows_that_all_have_weight_zero_is_refused(config: Callable[..., Path], write: Write) -> None:
    run = trained(config(csv("a,b,y,w", LABELS, COUNTS), weight="w"))
    with pytest.raises(DataError, match="has no rows with a weight above 0"):
        workflows.evaluate(run, rows=write("rows.csv", "a,b,y,w\n1,2,low,0\n2,1,mid,0\n"))


@pytest.mark.filterwarnings("ignore:no validation row is", "ignore:no training row is")
@pytest.mark.parametrize("by_class", [True, False])
def test_rows_of_weight_zero_enter_no_statistic(by_class: bool, config: Callable[..., Path], write: Write) -> None:
    """The weight may come from a class or a column; predict treats values of such rows as unknown."""
    columns, extra = ((LABELS,), "") if by_class else ((LABELS, [1] * 40), ",0")
    table = csv("a,b,y" if by_class else "a,b,y,w", *columns) + f"1000,1000,wild{extra}\n1000,-1000,wild{extra}\n"
    weights = {"class_weights": {"wild": 0}} if by_class else {"weight": "w"}
    run = trained(config(table, split=0, layers=[{"linear": 4}], **weights))
    (fitted,) = run.records.data()["fitted"]["inputs"]
    assert fitted["fits"][0]["mean"] == pytest.approx(np.mean(POINTS, axis=0))
    with pytest.warns(NnfsWarning, match="far outside the training rows"):
        workflows.predict(run, write("rows.csv", "a,b\n900,0\n"))


# What is no weight


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (-0.5, "should hold numbers of 0 or more, since they are weights, found '-0.5'"),
        ("", "is empty"),
        ("heavy", "should hold numbers, found 'heavy'"),
        ("nan", "should hold finite numbers, found 'nan'; if it means an empty cell, set  null: ['nan']"),
        ("inf", "should hold finite numbers, found 'inf'"),
        (
            '"1,5"',
            "should hold numbers, found '1,5'; numbers have a decimal point here; "
            "if the file has a decimal comma, set  decimal: ','",
        ),
        ("1e39", "should hold numbers within the range of float32, found '1e39'"),
    ],
)
def test_a_cell_that_is_not_a_weight_is_named_with_its_line(
    cell: object, problem: str, config: Callable[..., Path], inside: Nnfs
) -> None:
    weights = [*COUNTS[:5], cell, *COUNTS[6:]]
    config(csv("a,b,y,w", LABELS, weights), weight="w")
    message = one_message(inside("train", "config.yaml", "-q"), 2)
    assert message == f"error: points.csv, line 7: column 'w' {problem}\n"
    assert not Path("runs").exists()


def test_evaluate_refuses_a_cell_that_is_not_a_weight_and_predict_ignores_it(
    config: Callable[..., Path], write: Write, inside: Nnfs
) -> None:
    run = trained(config(csv("a,b,y,w", LABELS, COUNTS), weight="w")).path
    for cell in ("-1", "1e300", "x"):
        write("rows.csv", f"a,b,y,w\n1,0,low,1\n0,1,mid,{cell}\n")
        message = one_message(inside("evaluate", run, "--input", "rows.csv"), 2)
        assert message.startswith("error: rows.csv, line 3: column 'w' should hold numbers")
        assert inside("predict", "--run", run, "--input", "rows.csv").returncode == 0


@pytest.mark.parametrize(
    ("changes", "weights"),
    [
        ({"weight": "w"}, [0] * 40),
        ({"class_weights": {"low": 0, "mid": 0, "high": 0}}, COUNTS),
        ({"weight": "w", "class_weights": {"low": 0}}, [int(label == "low") for label in LABELS]),
    ],
)
def test_training_rows_that_all_have_weight_zero_are_refused(
    changes: dict[str, Any], weights: list[int], config: Callable[..., Path]
) -> None:
    with pytest.raises((DataError, ConfigError), match="all train rows have weight 0"):
        prepared(config(csv("a,b,y,w", LABELS, weights), **changes))


def test_validation_rows_that_all_have_weight_zero_are_refused(config: Callable[..., Path]) -> None:
    parts = ["train" if i else "validation" for i in COUNTS]
    path = config(csv("a,b,y,w,part", LABELS, COUNTS, parts), weight="w", split={"column": "part"})
    with pytest.raises(DataError, match="all validation rows have weight 0") as caught:
        prepared(path)
    assert "learn" not in str(caught.value)


def test_class_weights_beyond_the_range_of_the_dtype_are_refused_before_training(config: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="float32"):
        trained(config(csv("a,b,y", LABELS), class_weights={"low": 1e300}))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ("weigth", "points.csv has no column 'weigth'; did you mean 'weight'?"),
        ("wibble", "points.csv has no column 'wibble'; it has 'a', 'b', 'y' and 'weight'"),
        ("y", "'y' is the target and is the weight; it can't be both"),
    ],
)
def test_an_unusable_weight_column_is_named(weight: str, message: str, config: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError) as caught:
        prepared(config(csv("a,b,y,weight", LABELS, COUNTS), weight=weight))
    assert message in str(caught.value)


def test_the_weight_column_cannot_be_dropped(config: Callable[..., Path]) -> None:
    source = {"csv": {"path": "points.csv", "target": "y", "weight": "w", "drop": ["w"]}}
    with pytest.raises(ConfigError, match="'w' is in drop and is the weight"):
        prepared(config(csv("a,b,y,w", LABELS, COUNTS), dataset=source))
