"""The net itself: `Sequential` beside the command line, scikit-learn and PyTorch, and what it says about mistakes."""

from __future__ import annotations

import copy
import importlib.util
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score, log_loss, r2_score

from nnfs_cli.api.frame import Frame
from nnfs_cli.api.nets.sequential import Sequential
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError, DataError, DivergedError, UserError
from nnfs_cli.metrics.decisions import Accuracy
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.batch_norm import BatchNorm
from nnfs_cli.nn.layers.dropout import Dropout
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.residual import Residual
from nnfs_cli.nn.layers.sequential import Sequential as SequentialLayer
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.callbacks.stop_at import StopAt
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.progress import LogRow
from tests.conftest import Nnfs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
CLASSES = RNG.integers(3, size=60)
NUMBERS = np.stack([X @ [1.0, -2.0, 0.5, 0.0] + 3, np.sin(X[:, 0])], axis=1)
WEIGHT = RNG.uniform(0.5, 2, size=60)


def small() -> Sequential:
    return Sequential([Linear(8), Tanh(), Linear(3)])


def fitted(**settings: Any) -> tuple[Sequential, Frame]:
    net = small()
    return net, net.fit(X, CLASSES, **{"loss": "cross_entropy", "epochs": 3, **settings})


def probabilities(net: Sequential, rows: Any) -> Any:
    """Return predictions whose rows add up to 1 in float64, as scikit-learn expects."""
    p = net.predict(rows).astype(float)
    return p / p.sum(axis=1, keepdims=True)


# Beside the command line and scikit-learn


@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_the_command_line_trains_the_same_net_to_the_byte(task: str, nnfs: Nnfs, tmp_path: Path) -> None:
    y, loss = (CLASSES, "cross_entropy") if task == "classes" else (NUMBERS, "huber: 0.5")
    layers = ["linear: 8", "batch_norm", "dropout: 0.2", "relu", f"linear: {3 if task == 'classes' else 2}"]
    np.savez(tmp_path / "train.npz", X=X[:40].astype(np.float32), y=y[:40])
    np.savez(tmp_path / "validation.npz", X=X[40:].astype(np.float32), y=y[40:])
    targets = "" if task == "classes" else ", targets: 2"
    config = f"""
        dataset: {{npz: {{path: train.npz{targets}}}}}
        split: {{validation: validation.npz}}
        preprocessing: {{numbers: none, target: none}}
        layers: [{", ".join(f"{{{layer}}}" if ":" in layer else layer for layer in layers)}]
        loss: {{{loss if ":" in loss else f"{loss}: {{}}"}}}
        optimizer: adam
        schedule: cosine
        lr: 0.01
        epochs: 6
        batch_size: 16
        seed: 5
    """
    (tmp_path / "net.yaml").write_text(config, encoding="utf-8")
    done = nnfs("train", "net.yaml")
    assert done.returncode == 0, done.stderr
    net = Sequential(layers)
    history = net.fit(
        X[:40], y[:40], loss=loss, optimizer="adam", schedule="cosine", lr=0.01, epochs=6, batch_size=16, seed=5,
        validation_data=(X[40:], y[40:]),
    )  # fmt: skip
    run = RunDirectory.open(tmp_path / "runs" / "net-1")
    with np.load(run.path / "weights" / "last.npz") as saved:
        assert {name: array.tobytes() for name, array in net.weights.items()} == {
            name: saved[name].tobytes() for name in saved
        }
        loaded = Sequential(layers).load(saved)
    rows = run.epochs()
    assert list(history) == list(rows[0])
    for name in set(history) - {"seconds"}:
        assert history[name].tolist() == [row[name] for row in rows], name
    assert loaded.evaluate(X, y, loss=loss)["loss"] == net.evaluate(X, y)["loss"]


def test_figures_are_those_of_scikit_learn() -> None:
    net, history = fitted(validation_data=(X[:20], CLASSES[:20], WEIGHT[:20]), metrics=["accuracy", "log_loss"])
    p = probabilities(net, X[:20])
    accuracy = accuracy_score(CLASSES[:20], p.argmax(axis=1), sample_weight=WEIGHT[:20])
    assert history["val_accuracy"][-1] == pytest.approx(accuracy, rel=1e-6)
    weighted = log_loss(CLASSES[:20], p, sample_weight=WEIGHT[:20], labels=[0, 1, 2])
    assert history["val_log_loss"][-1] == pytest.approx(weighted, rel=1e-6)
    whole = log_loss(CLASSES, probabilities(net, X))
    assert net.evaluate(X, CLASSES)["log_loss"] == pytest.approx(whole, rel=1e-6)
    figures = net.evaluate(X[:20], CLASSES[:20], sample_weight=WEIGHT[:20])
    assert figures["accuracy"] == pytest.approx(history["val_accuracy"][-1], rel=1e-6)
    assert figures["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-6)
    numbers = Sequential(["linear: 2"])
    numbers.fit(X, NUMBERS, loss="mse", optimizer="lbfgs", epochs=200)
    assert numbers.predict(X).dtype == np.float64  # as with lbfgs on the command line
    assert numbers.evaluate(X, NUMBERS)["r2"] == pytest.approx(r2_score(NUMBERS, numbers.predict(X)))


@pytest.mark.parametrize("metrics", ["accuracy", Accuracy(), ["accuracy"], iter([Accuracy()])])
def test_a_single_metric_needs_no_list(metrics: Any) -> None:
    assert fitted(metrics=metrics)[1].columns[-2:] == ("train_loss", "train_accuracy")


# Training


def test_the_log_has_the_names_of_the_tool() -> None:
    _, history = fitted()
    assert list(history) == ["epoch", "step", "seconds", "lr", "train_loss", "train_accuracy"]
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["step"].tolist() == [2, 4, 6]
    assert history["lr"].tolist() == [Adam.default_lr] * 3


def test_a_second_fit_goes_on_and_a_reset_begins_again() -> None:
    net, _ = fitted(optimizer="sgd", shuffle=False)
    net.fit(X, CLASSES, loss="cross_entropy", optimizer="sgd", shuffle=False, epochs=2)
    once, _ = fitted(optimizer="sgd", shuffle=False, epochs=5)
    assert net.predict(X).tobytes() == once.predict(X).tobytes()  # SGD has no memory
    net.reset(0).fit(X, CLASSES, loss="cross_entropy", optimizer="sgd", shuffle=False, epochs=5)
    assert net.predict(X).tobytes() == once.predict(X).tobytes()
    assert net.reset(1).predict(X).tobytes() != once.reset(0).predict(X).tobytes()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    nets = [fitted(seed=seed)[0].predict(X).tobytes() for seed in (0, 0, 1)]
    assert nets[0] == nets[1] != nets[2]
    assert (
        small().initialize(4, seed=1).weights["0.weight"].tobytes()
        == fitted(seed=1, epochs=1, lr=1e-30)[0].weights["0.weight"].tobytes()
    )


@pytest.mark.parametrize(
    "stopper",
    [
        StopAt(0.6, monitor="train_accuracy"),
        "stop_at: {value: 0.6, monitor: train_accuracy}",
        EarlyStopping(1, min_delta=9.0),
    ],
)
def test_callbacks_of_the_tool_stop_training(stopper: Any) -> None:
    _, history = fitted(epochs=2_000, lr=0.05, callbacks=[stopper])
    assert 1 < len(history) < 2_000


def test_callbacks_of_ones_own_see_each_epoch_and_step() -> None:
    class Watch(Callback):
        def __init__(self) -> None:
            self.rows: list[LogRow] = []
            self.steps = 0

        def on_step(self, training: Training) -> None:
            self.steps += 1

        def on_log(self, training: Training, row: LogRow) -> None:
            self.rows.append(row)
            if len(self.rows) == 4:
                training.stop("four are enough")

    watch = Watch()
    _, history = fitted(epochs=100, callbacks=[watch])
    assert (watch.steps, len(watch.rows), len(history)) == (8, 4, 4)
    assert [row["train_loss"] for row in watch.rows] == history["train_loss"].tolist()


def test_a_built_in_callback_can_be_used_again() -> None:
    stopping = EarlyStopping(2)
    data = (X[:20], CLASSES[::-1][:20])
    lengths = [len(fitted(epochs=300, lr=0.1, callbacks=[stopping], validation_data=data)[1]) for _ in range(2)]
    assert lengths[0] == lengths[1] < 300
    assert stopping == EarlyStopping(2)


def test_a_checkpoint_puts_the_best_weights_into_the_net() -> None:
    data = (X[:20], CLASSES[::-1][:20])
    net, history = fitted(epochs=60, lr=0.1, callbacks=[Checkpoint()], validation_data=data)
    best = history["val_loss"].min()
    assert net.evaluate(*data)["loss"] == pytest.approx(best, rel=1e-6)
    assert best < 0.999 * history["val_loss"][-1]
    last, _ = fitted(epochs=60, lr=0.1, validation_data=data)
    assert last.evaluate(*data)["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-6)


@pytest.mark.parametrize(
    ("layers", "loss", "y"),
    [
        (["linear: 1"], "binary_cross_entropy", CLASSES % 2),
        (["linear: 1", "sigmoid"], "binary_cross_entropy", CLASSES > 1),
        (["linear: 3", "softmax"], "cross_entropy", CLASSES.tolist()),
        (["linear: 1"], "hinge", CLASSES % 2),
        (["linear: 3"], "hinge", CLASSES.astype(float)),
        (["linear: 1"], "huber", NUMBERS[:, 0]),
        (["linear: 2"], {"mse": 0.5}, NUMBERS),
        (["linear: 4"], "quantile: [0.1, 0.9]", NUMBERS),
        (["linear: 1"], "poisson", CLASSES),
    ],
)
def test_every_kind_of_loss_takes_its_kind_of_target(layers: list[str], loss: Any, y: Any) -> None:
    net = Sequential(layers)
    history = net.fit(X, y, loss=loss, lr=0.05, epochs=20)
    assert history["train_loss"][-1] < history["train_loss"][0]
    assert net.predict(X).shape == (60, net.weights["0.bias"].size)
    assert set(net.evaluate(X, y)) == {"loss"} | {name.removeprefix("train_") for name in list(history)[5:]}


def test_progress_is_shown_only_if_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    fitted()
    assert capfd.readouterr() == ("", "")
    fitted(verbose=True)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) >= 4


# The net


def test_layers_may_be_objects_texts_and_blocks() -> None:
    nets = [
        Sequential([Linear(16, bias=False), Tanh(), Residual([Linear(4)])]),
        Sequential(["linear: {units: 16, bias: false}", "tanh", {"residual": ["linear: 4"]}]),
        Sequential(layers=({"linear": {"units": 16, "bias": False}}, Tanh(), {"residual": [{"linear": 4}]})),
    ]
    assert nets[0] == nets[1] == nets[2]
    assert repr(nets[1]) == "Sequential((Linear(16, bias=False), Tanh(), Residual((Linear(4),))))"


def test_a_net_is_a_layer_of_other_nets_and_configs() -> None:
    inner = small()
    assert Layer.registered["sequential"] is SequentialLayer
    net = Sequential([Dropout(0.1), inner, Softmax()])
    net.fit(X, CLASSES, loss="cross_entropy", epochs=1)
    assert list(net.weights) == ["1.0.weight", "1.0.bias", "1.2.weight", "1.2.bias"]
    with pytest.raises(UserError, match="no weights yet"):
        inner.predict(X)  # the weights belong to the outer net
    config = Config(dataset="iris", layers=[inner], loss="cross_entropy", epochs=1)
    assert config.layers[0].plain() == SequentialLayer(layers=inner.layers).plain()


def test_writing_into_a_weight_changes_the_net_also_after_a_fit_with_another_loss() -> None:
    net, _ = fitted()
    bias = net.weights["2.bias"]
    net.fit(X, CLASSES, loss="cross_entropy: {label_smoothing: 0.1}", epochs=1)
    for array in net.weights.values():
        array[...] = 0
    bias[...] = [0, 5, 0]
    assert set(net.predict(X).argmax(axis=1)) == {1}
    with pytest.raises(TypeError):
        net.weights["2.bias"] = bias  # type: ignore[index]


def test_a_net_changes_its_dtype_when_told_and_else_keeps_it() -> None:
    net, _ = fitted()
    net.fit(X, CLASSES, loss="cross_entropy", optimizer="lbfgs", epochs=1)
    assert net.weights["0.weight"].dtype == np.float32
    before = net.predict(X)
    net.fit(X, CLASSES, loss="cross_entropy", lr=1e-30, epochs=1, dtype="float64")
    assert net.weights["0.weight"].dtype == np.float64
    np.testing.assert_allclose(net.predict(X), before, rtol=1e-5)


def test_gradients_leave_the_net_as_it_was() -> None:
    net = Sequential([Linear(8), BatchNorm(), Dropout(0.5), Linear(3)])
    net.fit(X, CLASSES, loss="cross_entropy", epochs=1)
    before = {name: array.copy() for name, array in net.weights.items()}
    first, again, other = (net.gradients(X, CLASSES, seed=seed)["0.weight"] for seed in (0, 0, 1))
    assert all(np.array_equal(array, before[name]) for name, array in net.weights.items())
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert "1.running_mean" not in net.gradients(X, CLASSES)


def test_copies_and_pickles_are_nets_of_their_own() -> None:
    net, _ = fitted()
    before = net.predict(X)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):  # noqa: S301
        assert twin.predict(X).tobytes() == before.tobytes()
        twin.weights["0.weight"][...] = 0
        assert net.predict(X).tobytes() == before.tobytes()


@given(
    st.lists(st.sampled_from(["linear: 5", "relu", "batch_norm", "layer_norm", "dropout: 0.3", "dense: 4"]), max_size=4)
)
@settings(max_examples=20)
def test_any_net_can_be_saved_loaded_and_summarized(hidden: list[str]) -> None:
    net = Sequential([*hidden, "linear: 3"])
    net.fit(X, CLASSES, loss="cross_entropy", epochs=1)
    twin = Sequential([*hidden, "linear: 3"]).load({name: array.copy() for name, array in net.weights.items()})
    assert twin.weights[f"{len(hidden)}.weight"].dtype == np.float32
    assert twin.evaluate(X, CLASSES, loss="cross_entropy") == net.evaluate(X, CLASSES)
    summary = net.summary()
    assert summary.parameters == sum(array.size for array in net.weights.values())
    assert len(str(summary).splitlines()) == len(net.layers) + 4


def test_a_summary_fits_a_terminal_and_a_notebook() -> None:
    net = Sequential([Residual(["tanh", {"linear": 1_234}] * 9), "linear: 3"])
    assert max(map(len, str(net.summary()).splitlines())) <= 80
    assert max(map(len, str(net.summary(1_234)).splitlines())) <= 80
    html = Sequential([Linear(3)]).summary(4)._repr_html_()
    assert "(rows, 3)" in html
    assert ">15<" in html
    with pytest.raises(ConfigError, match="reshape makes rows of 9 numbers"):
        Sequential(["reshape: [9]"]).summary(4)


# Mistakes


NEEDS_INDICES = "for a net with 3 outputs, cross_entropy needs the index of each row's class, from 0 to 2"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"loss": "crossentropy"}, "loss: there is no loss 'crossentropy'; did you mean 'cross_entropy'?"),
        (
            {"optimizer": "adm", "lr": -1},
            "optimizer: there is no optimizer 'adm'; did you mean 'adam'?\nlr: must be greater than 0, found -1",
        ),
        (
            {"loss": "binary_cross_entropy"},
            "layers.2: the net gives 3 outputs; binary_cross_entropy is for 2 classes; use cross_entropy after softmax",
        ),
        ({"batch_size": 0}, "batch_size: expected a number of rows, such as 32, or full, found 0"),
        ({"validation_data": X}, "validation_data should be (X, y) or (X, y, sample_weight)"),
        (
            {"metrics": ["rmse"]},
            "metrics.0: rmse is a metric for regression; cross_entropy is a loss for classification",
        ),
        ({"callbacks": [EarlyStopping]}, "callbacks.0: EarlyStopping is a class; write EarlyStopping(...)"),
        ({"callbacks": EarlyStopping()}, "callbacks: expected a list of callbacks, found an EarlyStopping"),
        ({"callbacks": ["stop_at: x"]}, "callbacks.0.stop_at: expected a number, found 'x'"),
        ({"callbacks": [3]}, "callbacks.0: expected the name of a callback, found 3"),
        (
            {"callbacks": [EarlyStopping(monitor="val_loss")]},
            "callbacks.0: there are no validation rows, so the log has no val_loss; monitor train_loss",
        ),
        (
            {"callbacks": [Callback(), EarlyStopping(monitor="val_los")], "validation_data": (X, CLASSES)},
            "callbacks.1: the log has no figure 'val_los'; did you mean 'val_loss'?",
        ),
    ],
)
def test_a_wrong_setting_is_a_sentence(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as raised:
        fitted(**wrong)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("inputs", "y", "options", "sentence"),
    [
        (X, CLASSES + 1, {}, f"y[{np.argmax(CLASSES == 2)}] is 3; {NEEDS_INDICES}"),
        (X, CLASSES + 0.5, {}, f"y[0] is {CLASSES[0] + 0.5}; {NEEDS_INDICES}"),
        (
            X,
            CLASSES.astype(str),
            {},
            f"y should be an array of numbers, found texts; {NEEDS_INDICES}. NetClassifier takes labels of any kind",
        ),
        (
            X,
            np.eye(3)[CLASSES],
            {},
            f"y should have the shape (rows,), found (60, 3); {NEEDS_INDICES}; y.argmax(axis=1) gives the index",
        ),
        (X, CLASSES, {"loss": "mse"}, "y should have the shape (rows, 3), found (60,); the net has 3 outputs"),
        (X, -np.ones((60, 3)), {"loss": "poisson"}, "y[0, 0] is -1; poisson needs numbers of 0 or more"),
        (
            X[:, 0],
            CLASSES,
            {},
            "X should have the shape (rows, n_features), found (60,); X.reshape(-1, 1) makes one column of it",
        ),
        (X[:5], CLASSES, {}, "X has 5 rows, and y has 60"),
        (X[:0], CLASSES[:0], {}, "X has no rows"),
        (
            [["a"]],
            [0],
            {},
            "X should be an array of numbers, found texts; NetClassifier and NetRegressor take texts, dates and gaps",
        ),
        (np.full((60, 4), np.inf), CLASSES, {}, "X[0, 0] is inf; expected finite numbers within the range of float32"),
        (np.full((60, 4), 1e99), CLASSES, {}, "X[0, 0] is 1e+99; expected finite numbers within the range of float32"),
        (X, CLASSES, {"sample_weight": -np.ones(60)}, "sample_weight[0] is -1; a weight is 0 or more"),
        (X, CLASSES, {"sample_weight": np.zeros(60)}, "sample_weight is 0 for every row, so no row is left"),
        (X, CLASSES, {"sample_weight": [1.0]}, "sample_weight should have the shape (60,), found (1,)"),
        (X, CLASSES, {"validation_data": (X[:, :2], CLASSES)}, "validation X has 2 features; the net takes 4"),
        (X, CLASSES, {"validation_data": (X, CLASSES[:9])}, "validation X has 60 rows, and validation y has 9"),
    ],
)
def test_arrays_that_cannot_be_used_are_a_sentence(inputs: Any, y: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError) as raised:
        small().fit(inputs, y, **{"loss": "cross_entropy", **options})
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("act", "error", "sentence"),
    [
        (
            lambda: small().predict(X),
            UserError,
            "this net has no weights yet; call fit(X, y, ...) or initialize(n_features) first",
        ),
        (
            lambda: Sequential(["linear: 1"]).fit(X, CLASSES, loss="cross_entropy"),
            ConfigError,
            "layers.0: the net gives 1 output; cross_entropy needs one for each class, at least 2",
        ),
        (
            lambda: Sequential(["linear: 3", "relu"]).fit(X, CLASSES, loss="cross_entropy"),
            ConfigError,
            "layers.1: cross_entropy needs probabilities; end with softmax instead of relu",
        ),
        (
            lambda: Sequential([BatchNorm(), Linear(3)]).fit(X[:1], [0], loss="cross_entropy"),
            DataError,
            "batch_norm needs batches of at least 2 rows, but there is only 1 row",
        ),
        (lambda: small().initialize(0), ConfigError, "initialize.n_features: must be greater than 0, found 0"),
        (lambda: small().initialize(4).reset(-1), ConfigError, "initialize.seed: must be at least 0, found -1"),
        (
            lambda: small().initialize(4).evaluate(X, CLASSES),
            ConfigError,
            "there was no fit yet; name the loss, as in loss='mse'",
        ),
        (lambda: small().initialize(3).predict(X), DataError, "X has 4 features; the net takes 3"),
        (lambda: small().fit([[1.0], [2.0, 3.0]], [0, 1], loss="mse"), DataError, "X cannot be an array: "),
        (lambda: Sequential("relu"), ConfigError, "sequential.layers: expected a list, found 'relu'"),
        (lambda: Sequential(["linear: [3"]), ConfigError, "layers: 'linear: [3' is not a setting: "),
        (
            lambda: Sequential(Linear(3), Tanh()),  # type: ignore[call-arg,arg-type]
            TypeError,
            "Sequential takes only 'layers' by position, found 2 values",
        ),
    ],
)
def test_a_mistake_is_a_sentence(act: Callable[[], object], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error) as raised:
        act()
    assert str(raised.value).startswith(sentence)


WILD = hnp.arrays(
    st.sampled_from(["f8", "f2", "i8", "u1", "?", "O", "U3", "M8[s]", "c16"]), hnp.array_shapes(min_dims=0, max_side=4)
)
WHOLE = hnp.arrays("i8", 4, elements=st.integers(0, 2))
REAL = hnp.arrays("f8", 4, elements=st.floats(0, 1e300))


@given(
    hnp.arrays("f8", (4, 2), elements=st.floats(-1e30, 1e30)) | WILD,
    WHOLE | REAL | WILD,
    st.none() | REAL | WILD,
    st.sampled_from(["mse", "poisson", "quantile", "cross_entropy", "binary_cross_entropy", "hinge"]),
)
def test_any_arrays_train_a_net_or_are_refused(inputs: Any, y: Any, weight: Any, loss: str) -> None:
    net = Sequential(["linear: 3"] if loss in ("quantile", "cross_entropy") else ["linear: 1"])
    try:
        history = net.fit(inputs, y, loss=loss, sample_weight=weight, epochs=1, validation_data=(inputs, y))
    except (UserError, DivergedError):
        return
    assert len(history) == 1
    assert len(net.predict(inputs)) == len(inputs)


def test_a_net_that_diverges_says_so() -> None:
    with pytest.raises(DivergedError, match="try a smaller lr"):
        Sequential(["linear: 2"]).fit(X, NUMBERS, loss="mse", optimizer="sgd", lr=1e20, epochs=9)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"0.weight": np.ones((4, 3))}, "these arrays are not the weights of this net: there is no array '0.bias'"),
        (
            {"0.weight": np.ones((4, 2)), "0.bias": np.ones(3)},
            "these arrays are not the weights of this net: 0.weight has ",
        ),
        ({"0.weight": np.full((4, 3), np.nan), "0.bias": np.ones(3)}, "0.weight should be an array of finite numbers"),
        ({"0.weight": np.array([["a"]])}, "0.weight should be an array of finite numbers"),
    ],
)
def test_arrays_that_do_not_fit_leave_the_net_as_it_was(arrays: dict[str, Any], sentence: str) -> None:
    new, built = Sequential(["linear: 3"]), Sequential(["linear: 3"]).initialize(4)
    before = built.predict(X)
    for net in (new, built):
        with pytest.raises(DataError) as raised:
            net.load(arrays)
        assert str(raised.value).startswith(sentence)
    assert built.predict(X).tobytes() == before.tobytes()
    with pytest.raises(UserError):
        new.predict(X)
    with pytest.raises(DataError, match="these arrays are not the weights of this net"):
        new.load({})


def test_a_wrong_setting_leaves_a_trained_net_as_it_was() -> None:
    net, _ = fitted()
    before, figures = net.predict(X), net.evaluate(X, CLASSES)
    wrong: list[dict[str, Any]] = [{"loss": "mse"}, {"lr": -1}, {"loss": "hinge", "callbacks": [3]}]
    wrong.append({"callbacks": [StopAt(1.0, monitor="val_loss")], "metrics": ["f1"], "dtype": "float64"})
    for options in wrong:
        with pytest.raises(UserError):
            net.fit(X, CLASSES, **{"loss": "cross_entropy", **options})
    assert net.predict(X).tobytes() == before.tobytes()
    assert net.evaluate(X, CLASSES) == figures


if importlib.util.find_spec("torch"):

    @pytest.mark.parametrize("optimizer", ["sgd: 0.9", "adam", "sgd: {momentum: 0.9, nesterov: true}", {"adamw": 0.1}])
    @pytest.mark.parametrize(("loss", "weighted"), [("cross_entropy", False), ("cross_entropy", True), ("mse", False)])
    def test_training_takes_the_steps_of_pytorch(loss: str, weighted: bool, optimizer: Any) -> None:
        import torch

        y, n_outputs = (CLASSES, 3) if loss == "cross_entropy" else (NUMBERS, 2)
        net = Sequential([Linear(8), Tanh(), Linear(n_outputs)]).initialize(4, seed=1, dtype="float64")
        parts = torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, n_outputs)
        twin = torch.nn.Sequential(*parts).double()
        with torch.no_grad():
            for n in (0, 2):
                twin[n].weight.copy_(torch.tensor(net.weights[f"{n}.weight"].T.copy()))
                twin[n].bias.copy_(torch.tensor(net.weights[f"{n}.bias"]))
        groups = [
            {"params": [p for p in twin.parameters() if p.ndim > 1]},
            {"params": [p for p in twin.parameters() if p.ndim == 1], "weight_decay": 0.0},  # biases do not decay
        ]
        make = {
            "sgd: 0.9": lambda: torch.optim.SGD(groups, lr=0.05, momentum=0.9),
            "sgd: {momentum: 0.9, nesterov: true}": lambda: torch.optim.SGD(
                groups, lr=0.05, momentum=0.9, nesterov=True
            ),
            "adam": lambda: torch.optim.Adam(groups, lr=0.05),
            "{'adamw': 0.1}": lambda: torch.optim.AdamW(groups, lr=0.05, weight_decay=0.1),
        }
        stepper = make[str(optimizer)]()
        weight = torch.tensor(WEIGHT if weighted else np.ones(60))
        rows, target, losses = torch.tensor(X), torch.tensor(y), []
        for _ in range(30):
            stepper.zero_grad()
            if loss == "cross_entropy":
                each = torch.nn.functional.cross_entropy(twin(rows), target, reduction="none")
            else:
                each = ((twin(rows) - target) ** 2).mean(axis=1)
            mean = (each * weight).sum() / weight.sum()
            mean.backward()
            losses.append(mean.item())
            stepper.step()
        history = net.fit(
            X, y, loss=loss, optimizer=optimizer, lr=0.05, epochs=30, batch_size="full", shuffle=False,
            sample_weight=WEIGHT if weighted else None,
        )  # fmt: skip
        np.testing.assert_allclose(history["train_loss"], losses, rtol=1e-9)
        for n in (0, 2):
            np.testing.assert_allclose(net.weights[f"{n}.weight"], twin[n].weight.detach().numpy().T, atol=1e-9)
            np.testing.assert_allclose(net.weights[f"{n}.bias"], twin[n].bias.detach().numpy(), atol=1e-9)
        outputs = twin(rows).detach()
        outputs = torch.softmax(outputs, 1) if loss == "cross_entropy" else outputs
        np.testing.assert_allclose(net.predict(X), outputs.numpy(), atol=1e-9)

    def test_gradients_are_those_of_pytorch() -> None:
        import torch

        net = small().initialize(4, dtype="float64")
        tensors = {name: torch.tensor(array, requires_grad=True) for name, array in net.weights.items()}
        hidden = torch.tanh(torch.tensor(X) @ tensors["0.weight"] + tensors["0.bias"])
        outputs = hidden @ tensors["2.weight"] + tensors["2.bias"]
        torch.nn.functional.cross_entropy(outputs, torch.tensor(CLASSES)).backward()
        gradients = net.gradients(X, CLASSES, loss=CrossEntropy())
        assert list(gradients) == list(net.weights)
        for name, gradient in gradients.items():
            np.testing.assert_allclose(gradient, tensors[name].grad.numpy(), atol=1e-12)
