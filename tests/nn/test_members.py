"""Members are trained as one model and equal nets that are trained one after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.batches import Batches
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Context, Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.model import Model
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.random import random_stream
from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.optimizers import Optimizer, Stepper
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.schedules import Schedule
from nnfs_cli.training.trainer import Trainer
from tests.conftest import Nnfs, one_message, weights_of

MEMBERS, ROWS, EPOCHS = 3, 70, 10  # of 10 steps, the last of them on 7 rows
NET = ("linear: 4", "tanh", "linear: 2")
LAYERS = [text for layer in Layer.registered.values() for text in layer.examples]
STEPPERS = [text for member in Optimizer.registered.values() if issubclass(member, Stepper) for text in member.examples]
LOSSES = [text for loss in Loss.registered.values() for text in loss.examples]


def parsed(texts: tuple[str, ...]) -> list[Layer]:
    return [Layer.resolve(yaml.safe_load(text)) for text in texts]


def data(inputs: tuple[int, ...], loss: Loss, n_outputs: int, dtype: Any) -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(ROWS, *inputs)).astype(dtype)
    if loss.task == "classification":
        labels = (n_outputs,) if loss.several_labels and n_outputs > 1 else ()
        classes = rng.integers(2 if labels else loss.n_classes(n_outputs), size=(ROWS, *labels))
        return X, loss.encode(classes, n_outputs).astype(dtype)
    low, high = loss.target_range or (-np.inf, np.inf)
    return X, loss.encode(np.clip(rng.normal(size=(ROWS, loss_targets(loss, n_outputs))), low, high), n_outputs).astype(
        dtype
    )


def loss_targets(loss: Loss, n_outputs: int) -> int:
    return n_outputs // max(loss.n_outputs(None, 1), 1)


def trained(
    texts: tuple[str, ...],
    member: int | None = None,
    loss: str = "mse",
    optimizer: str = "sgd: {momentum: 0.9}",
    inputs: tuple[int, ...] = (5,),
    embedding: Embedding | None = None,
    dtype: str = "float64",
    weighted: bool = False,
    lr: float | None = 0.01,
    **options: Any,
) -> Model:
    """All members as one, or one of them alone: that of its own seed."""
    resolved: Loss = Loss.resolve(yaml.safe_load(loss))
    rngs = [random_stream(j, "weights") for j in range(MEMBERS)]
    rng, members = (rngs, MEMBERS) if member is None else (rngs[member], 1)
    model = Model(parsed(texts), resolved, inputs, dtype, rng, embedding, members)
    X, y = data(inputs, resolved, model.output_shape[0], dtype)
    if embedding:
        X[:, 1] = np.arange(ROWS) % 5 - 1
    weight = (np.arange(ROWS) % 3).astype(dtype) if weighted else None
    rule = Optimizer.resolve(yaml.safe_load(optimizer))
    # in edition 1 member j has the streams of a net with seed j
    plan = Plan(rule, rule.default_lr if lr is None else lr, seed=member or 0, edition=1, **options)
    trainer = Trainer(model, Batches(ROWS, 7, seed=0), plan)
    trainer.fit(X, y, EPOCHS, weight)
    return model


def assert_alike(*texts: str, rtol: float = 1e-6, **how: Any) -> None:
    together = trained(texts, **how)
    alone = [trained(texts, member, **how) for member in range(MEMBERS)]
    for name, array in together.parameters.arrays.items():
        np.testing.assert_allclose(array, [one.parameters.arrays[name] for one in alone], rtol, 1e-9, err_msg=name)
    X, y = data(how.get("inputs", (5,)), together.loss, together.output_shape[0], together.dtype)
    if how.get("embedding"):
        X[:, 1] = np.arange(ROWS) % 5 - 1
    mean = np.mean([one.predict(X) for one in alone], axis=0)
    np.testing.assert_allclose(together.predict(X), mean, rtol, 1e-9)
    found, y_hat = together.evaluate(X, y)
    np.testing.assert_allclose(y_hat, mean, rtol, 1e-9)
    losses = together.loss.forward(mean, y, Context(together.dtype, members=MEMBERS))[0]
    assert found == pytest.approx(losses.mean())
    assert not np.allclose(together.parameters.vector[0], together.parameters.vector[1])


@pytest.mark.parametrize("text", LAYERS)
def test_with_every_layer(text: str) -> None:
    if text.startswith("reshape"):
        (layer,) = parsed((text,))
        size = int(np.prod([n for n in layer.shape if n > 0]))
        assert_alike(f"linear: {size * (3 if -1 in layer.shape else 1)}", text, "flatten", "linear: 2")
        assert_alike(text, "flatten", "linear: 2", inputs=(size * (2 if -1 in layer.shape else 1),))
        return
    assert_alike("linear: 4", text, "linear: 2")
    if text not in ("softmax",):
        assert_alike(text, "linear: 3", "tanh", "linear: 2")


@pytest.mark.parametrize(
    "text",
    ["flatten", "linear: 3", "layer_norm", "batch_norm", "residual: [linear: 4]", "residual: [linear: 5]", "prelu"],
)
def test_with_rows_of_any_shape(text: str) -> None:
    assert_alike(text, "flatten", "linear: 2", inputs=(3, 4))


@pytest.mark.parametrize("optimizer", STEPPERS)
def test_with_every_optimizer(optimizer: str) -> None:
    assert_alike(*NET, optimizer=optimizer, lr=None)
    assert_alike("linear: 4", "batch_norm", "linear: 2", optimizer=optimizer)  # whose running statistics lie between


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_with_every_loss(loss: str, weighted: bool) -> None:
    resolved: Loss = Loss.resolve(yaml.safe_load(loss))
    classes = 2 if loss.startswith("binary") else 3
    last = "ascending" if resolved.ordered else "exp" if loss.startswith(("poisson", "gamma")) else None
    for n in {resolved.n_outputs(classes, targets) for targets in ((1, 2) if resolved.several_labels else (2,))}:
        layers = ("linear: 4", "tanh", f"linear: {n}", *([last] if last else []))
        assert_alike(*layers, loss=loss, weighted=weighted)


@pytest.mark.parametrize(
    "options",
    [
        {"clip": Clip(norm=0.1, value=0.05)},
        {"penalty": Penalty(l1=0.01, l2=0.1)},
        {"accumulate": 2},
        {"averaging": Averaging.resolve({"ema": 0.9})},
        {"averaging": Averaging.resolve("swa")},
        {"schedule": Schedule.resolve("cosine")},
        {"optimizer": "adamw"},
        {"dtype": "float32", "rtol": 1e-4},
    ],
    ids=lambda options: next(iter(options)),
)
def test_with_every_training_option(options: dict[str, Any]) -> None:
    assert_alike("linear: 4", "batch_norm", "tanh", "dropout: 0.2", "linear: 2", **options)
    assert_alike(*NET, **options)


def test_with_an_embedding() -> None:
    embedding = Embedding(tables=(EmbeddingTable(1, 4, 3, "town"),))
    assert_alike(*NET, embedding=embedding)


def test_a_single_member_is_a_net_without_a_member_axis() -> None:
    model = trained(NET, 0)
    one = Model(
        parsed(NET), Loss.resolve(yaml.safe_load("mse")), (5,), "float64", [random_stream(0, "weights")], None, 1
    )
    X, y = data((5,), model.loss, 2, "float64")
    Trainer(one, Batches(ROWS, 7, seed=0), Plan(Optimizer.resolve({"sgd": {"momentum": 0.9}}), 0.01)).fit(X, y, EPOCHS)
    np.testing.assert_array_equal(one.parameters.vector, model.parameters.vector)


# Runs

CONFIG = """\
dataset: iris
split: {validation: 0.2, test: 0.2}
layers: [linear: 5, relu, dropout: 0.1, linear: 3, softmax]
loss: cross_entropy
optimizer: adam
lr: 0.01
epochs: 8
checkpoint: {every: 4}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def run_of(config: Path, *overrides: str) -> RunDirectory:
    experiment = workflows.prepare(Config.load(config, overrides))
    run = workflows.begin(experiment, config.parent / "runs")
    workflows.train(experiment, run)
    return run


def test_a_run_keeps_all_of_them_and_answers_with_their_mean(config: Path) -> None:
    together, alone = run_of(config, "members=3"), run_of(config)
    arrays = weights_of(together, "last")
    assert {name: array.shape for name, array in arrays.items()} == {
        "0.weight": (3, 4, 5), "0.bias": (3, 5), "3.weight": (3, 5, 3), "3.bias": (3, 3),
    }  # fmt: skip
    for name, array in weights_of(alone, "last").items():
        np.testing.assert_allclose(arrays[name][0], array, 1e-4, 1e-6)
    rows = config.parent / "rows.csv"
    names = [f"{part} {what} (cm)" for part in ("sepal", "petal") for what in ("length", "width")]
    rows.write_text(f"{','.join(names)}\n5.1,3.5,1.4,0.2\n6.0,3.0,4.8,1.8\n", encoding="utf-8")
    answers = workflows.predict(together, rows, "last")
    X = np.array([[5.1, 3.5, 1.4, 0.2], [6.0, 3.0, 4.8, 1.8]])
    fitted = together.records.data()["fitted"]["inputs"][0]["fits"][0]
    X = (X - fitted["mean"]) / fitted["scale"]
    hidden = np.maximum(X @ arrays["0.weight"] + arrays["0.bias"][:, None], 0)
    z = hidden @ arrays["3.weight"] + arrays["3.bias"][:, None]
    p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    found = np.stack([answers[f"probability_{name}"] for name in ("setosa", "versicolor", "virginica")], axis=1)
    np.testing.assert_allclose(found, p.mean(axis=0), 1e-4)


def test_the_log_and_the_figures_are_those_of_the_mean(config: Path, inside: Nnfs) -> None:
    run = run_of(config, "members=3")
    outcome = workflows.evaluate(run, ["validation"], weights="last")["validation"]
    assert run.epochs()[-1]["val_loss"] == pytest.approx(outcome["loss"], rel=1e-6)
    done = inside("verify", run.path, "-q")
    assert done.returncode == 0, done.stderr
    assert inside("resume", run.path, "--epochs", 10, "-q").returncode == 0
    assert inside("verify", run.path, "-q").returncode == 0
    assert inside("evaluate", run.path, "--weights", "epoch-4").returncode == 0


def test_output_counts_the_members(config: Path, inside: Nnfs) -> None:
    assert "model       3 nets, each 4 -> linear 5" in inside("train", config, "--set", "members=3").stderr
    shown = inside("check", config, "--set", "members=3").stdout
    assert any(line.split() == ["all", "3", "members", "129"] for line in shown.splitlines())
    assert "each net has" in inside("train", config, "--set", "members=3", "--set", "layers.0.linear=50").stderr


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["members=0"], "at least 1"),
        (["members=1001"], "must be at most 1,000"),
        (["members=2.5"], "whole number"),
        (["members=2", "optimizer=lbfgs", "lr=null", "layers=[linear: 3]"], "leave members out"),
    ],
)
def test_wrong_numbers_of_members_are_refused(config: Path, inside: Nnfs, overrides: list[str], said: str) -> None:
    message = one_message(inside("check", config, *(word for one in overrides for word in ("--set", one))), 2)
    assert said in message
