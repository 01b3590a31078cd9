"""What users of other tools try with a `Sequential`: it works, or a sentence says what to do."""

from __future__ import annotations

import pydoc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnfs_cli
from nnfs_cli.api.nets.sequential import Sequential
from nnfs_cli.components.section import Section
from nnfs_cli.errors import ConfigError, DataError, DivergedError, NnfsWarning, UserError
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.layers.batch_norm import BatchNorm
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.dropout import Dropout
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.reshape import Reshape
from nnfs_cli.nn.layers.residual import Residual
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.nn.parameters import Views
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.optimizers.sgd import SGD
from nnfs_cli.training.progress import LogRow
from tests.conftest import Nnfs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
CLASSES = RNG.integers(3, size=40)
NUMBERS = X @ [1.0, -2.0, 0.5, 3.0]
TABLE = pd.DataFrame(X, columns=list("abcd")).assign(e=X[:, 0] > 0, f=pd.array(X[:, 1], "Float64"))


HIDDEN = (Linear(8), Tanh(), Linear(3))


def trained(layers: Any = HIDDEN, y: Any = CLASSES, inputs: Any = X, **options: Any) -> Any:
    net = Sequential(layers)
    net.fit(inputs, y, **{"loss": "cross_entropy", "epochs": 2, **options})
    return net


# Weights


@pytest.mark.parametrize("kept", ["file", "path", "mapping"])
def test_saved_weights_and_the_loss_make_the_same_net(kept: str, tmp_path: Path) -> None:
    net, path = trained(), tmp_path / "net.npz"
    np.savez(path, **net.weights)
    arrays = {"file": np.load(path), "path": path, "mapping": net.weights}[kept]
    for other in (Sequential(net.layers), Sequential(net.layers).initialize(4, seed=1)):
        other.load(arrays, loss="cross_entropy")
        np.testing.assert_array_equal(other.predict(X), net.predict(X))
        assert other.evaluate(X, CLASSES) == net.evaluate(X, CLASSES)
    logits = Sequential(net.layers).load(arrays).predict(X).astype(float)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, net.predict(X), atol=1e-6)


@given(st.permutations(["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"]))
def test_the_order_of_arrays_does_not_matter(names: list[str]) -> None:
    net = Sequential([Linear(2), BatchNorm()]).initialize(3)
    other = Sequential(net.layers).load({name: net.weights[name] for name in names})
    assert other.weights["0.weight"].shape == (3, 2)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("none.npz", "there is no file 'none.npz'"),
        (
            [np.ones((4, 3)), np.ones(3)],
            'weights should be arrays by name, such as {"0.weight": ..., "0.bias": ...}, or',
        ),
        ({"0.weight": np.ones((4, 3))}, "these arrays are not the weights of this net: there is no array '0.bias'"),
        (
            {"0.weight": np.ones((4, 3)), "0.bias": np.ones(3), "more": np.ones(1)},
            "these arrays are not the weights of this net: the net has no array 'more'; its arrays are 0",
        ),
    ],
)
def test_weights_that_cannot_be_loaded_are_a_sentence(given: Any, sentence: str) -> None:
    with pytest.raises(DataError) as raised:
        Sequential([Linear(3)]).load(given)
    assert str(raised.value).startswith(sentence)


def test_a_file_that_holds_no_arrays_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.npz").write_text("no arrays")
    with pytest.raises(DataError, match="is damaged or is not an npz file"):
        Sequential([Linear(3)]).load(tmp_path / "net.npz")
    with pytest.raises(ConfigError, match="there is no loss 'mce'"):
        Sequential([Linear(3)]).load({}, loss="mce")


# Layers


def test_a_single_layer_needs_no_list_and_a_net_is_a_sequence_of_layers() -> None:
    assert Sequential(Linear(3)) == Sequential([Linear(3)])
    assert Residual(Linear(3)) == Residual([Linear(3)])
    layers = [Linear(8), Tanh(), Linear(3)]
    net = Sequential(layers)
    assert (list(net), len(net), net[0], net[-1]) == (layers, 3, layers[0], layers[2])
    with pytest.raises(TypeError, match="not iterable"):
        iter(Linear(3))


def test_a_setting_of_a_layer_cannot_change() -> None:
    layer = Linear(3)
    with pytest.raises(ConfigError, match=r"^linear.units cannot change; make a new Linear instead$"):
        layer.units = 5
    with pytest.raises(ConfigError, match=r"^linear.units cannot be removed"):
        del layer.units
    assert layer.units == 3


UNSUITABLE = [
    ([Linear(3), Sigmoid()], "the outputs of sigmoid do not add up to 1"),
    ([Dense(3)], "the outputs of sigmoid do not add up to 1"),
    ([Linear(3), Softmax(), Softmax()], "softmax takes the probabilities of softmax as logits"),
    ([Linear(3), Sigmoid(), Softmax()], "softmax takes the probabilities of sigmoid as logits; leave"),
]


@pytest.mark.parametrize(("layers", "sentence"), UNSUITABLE)
def test_last_layers_that_make_poor_probabilities_get_a_warning(layers: list[Layer], sentence: str) -> None:
    with pytest.warns(NnfsWarning, match=sentence.partition(";")[0]):
        trained(layers, epochs=1)


@pytest.mark.parametrize("layers", [[Linear(3)], [Linear(3), Softmax()], [Linear(5), Sigmoid(), Linear(3), Softmax()]])
def test_good_last_layers_get_no_warning(layers: list[Layer]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(layers, epochs=1)
        trained([Linear(1), Sigmoid()], CLASSES > 1, loss="binary_cross_entropy", epochs=1)


def test_the_command_line_warns_of_poor_probabilities_too(nnfs: Nnfs, tmp_path: Path) -> None:
    (tmp_path / "iris.yaml").write_text(
        "dataset: iris\nlayers: [{linear: 3}, sigmoid]\nloss: cross_entropy\nepochs: 1\n"
    )
    assert "the outputs of sigmoid do not add up to 1" in nnfs("train", "iris.yaml", cwd=tmp_path).stderr


# Messages


@pytest.mark.parametrize(
    ("act", "error", "sentence"),
    [
        (
            lambda: trained([Linear(1)]),
            ConfigError,
            "layers.0: the net gives 1 output; cross_entropy needs one for each class, at least 2",
        ),
        (
            lambda: trained([Reshape([2, 2]), Linear(1)], NUMBERS, loss="mse"),
            ConfigError,
            "layers.1: the net gives 2 x 1 outputs a row; flatten makes a plain list of them",
        ),
        (
            lambda: trained([Linear(2)], NUMBERS, loss="quantile"),
            ConfigError,
            "layers.0: the net gives 2 outputs; quantile needs 3 for each target",
        ),
        (
            lambda: trained().predict(X[0]),
            DataError,
            "X should have the shape (rows, n_features), found (4,); X.reshape(1, -1) makes one row of it",
        ),
        (lambda: trained(y=CLASSES[:, None]), DataError, "y should have the shape (rows,), found (40, 1); for a net"),
        (
            lambda: trained([Linear(1)], np.where(np.arange(40) == 5, np.nan, NUMBERS), loss="mse"),
            DataError,
            "y[5] is nan; mse needs finite numbers",
        ),
        (
            lambda: trained([Linear(1)], np.ones((40, 2)), loss="mse"),
            DataError,
            "y should have the shape (rows,) or (rows, 1), found (40, 2); the net has 1 output",
        ),
        (lambda: trained(loss=CrossEntropy), ConfigError, "loss: CrossEntropy is a class; write CrossEntropy(...)"),
        (lambda: trained(optimizer=Adam), ConfigError, "optimizer: Adam is a class; write Adam(...)"),
        (lambda: trained(optimizer=3), ConfigError, "optimizer: expected the name of an optimizer, found 3"),
        (lambda: Sequential([ReLU]), ConfigError, "sequential.layers.0: ReLU is a class; write ReLU(...)"),
        (lambda: trained(metrics="acc"), ConfigError, "metrics.0: there is no metric 'acc'; did you mean 'accuracy'?"),
        (lambda: trained(seed=None), ConfigError, "seed: expected a whole number, found nothing"),
        (lambda: trained(verbose="no"), ConfigError, "verbose should be True, False or None, found 'no'"),
        (lambda: trained(dtype=int), ConfigError, "dtype: expected float32 or float64, found 'int64'"),
        (lambda: trained(engine="c"), ConfigError, "engine: expected auto, numpy or compiled, found 'c'"),
        (
            lambda: trained(engine="compiled"),
            ConfigError,
            "engine: the compiled engine cannot train this net",
        ),
        (lambda: trained(threads=0), ConfigError, "threads: "),
        (lambda: trained().summary(7), ConfigError, "the net has weights for 4 features, not for 7"),
        (lambda: Sequential([Linear(3)]).history, UserError, "there was no fit yet, so there is no history"),
        (
            lambda: trained(validation_split=0.2),
            TypeError,
            "fit has no argument 'validation_split'; give validation_da",
        ),
        (lambda: trained(learning_rate=0.2), TypeError, "fit has no argument 'learning_rate'; give lr"),
        (
            lambda: Adam(0.01),
            TypeError,
            "Adam takes nothing by position, found 1 value; give weight_decay, beta1, beta2 and eps by name",
        ),
        (lambda: Adam(lr=0.01), ConfigError, "adam has no setting 'lr'; lr is a key of the config, and an argument"),
        (lambda: SGD(learning_rate=0.01), ConfigError, "sgd has no setting 'learning_rate'; lr is a key of the config"),
        (lambda: Linear(3, activation="relu"), ConfigError, "linear has no setting 'activation'; dense has one"),
        (lambda: Dropout(x=0.1), ConfigError, "dropout has no setting 'x'; its setting is rate"),
        (
            lambda: trained([Linear(1)], NUMBERS * 1e25, loss="mse"),
            DivergedError,
            "training diverged: the loss is inf in epoch 1, batch 1, after 0 steps; the first number that is not "
            "finite is in the loss; the targets, the initial weights or the inputs are too large; scale the data or",
        ),
    ],
)
def test_a_mistake_is_a_sentence_with_true_facts(
    act: Callable[[], object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as raised:
        act()
    assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize(
    ("loss", "meant"),
    [
        ("categorical_crossentropy", "cross_entropy"),
        ("sparse_categorical_crossentropy", "cross_entropy"),
        ("NLL", "cross_entropy"),
        ("binary_crossentropy", "binary_cross_entropy"),
        ("bce", "binary_cross_entropy"),
        ("mean_squared_error", "mse"),
        ("mean-absolute-error", "mae"),
        ("crossentropy", "cross_entropy"),
    ],
)
def test_a_loss_by_the_name_of_another_tool_is_understood(loss: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"did you mean '{meant}'"):
        trained(loss=loss)


def test_a_hook_that_would_never_be_called_is_refused() -> None:
    with pytest.raises(
        TypeError, match=r"Mine.on_epoch_end would never be called; the hook is on_log\(training, row\)"
    ):

        class Mine(Callback):
            def on_epoch_end(self, epoch: int, logs: object = None) -> None: ...


# Tables


@pytest.mark.parametrize("convert", [lambda table: table, pl.from_pandas, lambda table: dict(table.items())])
def test_columns_of_a_table_are_found_by_name(convert: Callable[[pd.DataFrame], Any]) -> None:
    net = trained(inputs=convert(TABLE), validation_data=(convert(TABLE[list("fedcba")]), CLASSES))
    twin = trained(inputs=TABLE.to_numpy(float), validation_data=(TABLE.to_numpy(float), CLASSES))
    assert net.history["val_loss"].tolist() == twin.history["val_loss"].tolist()
    np.testing.assert_array_equal(net.predict(convert(TABLE[list("fdbeca")])), twin.predict(TABLE.to_numpy(float)))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (
            TABLE[["a", "b", "c", "d", "e"]],
            "X lacks 1 column: 'f'; the net was trained on 'a', 'b', 'c', 'd', 'e' and o",
        ),
        (TABLE.assign(z=1), "X also has 1 column: 'z'; the net was trained on"),
        (TABLE.assign(b="x"), "X, column 'b' should hold numbers, found "),
        (
            TABLE.assign(b=pd.array([1, None] * 20, "Int64")),
            "X, column 'b', row 2: expected a number, found an empty ce",
        ),
        (np.ma.masked_less(X, 0), "X has masked entries, which are gaps; fill them, as X.filled(0) does"),
    ],
)
def test_a_table_that_does_not_fit_is_a_sentence(table: Any, sentence: str) -> None:
    net = trained(inputs=TABLE)
    with pytest.raises(DataError) as raised:
        net.predict(table)
    assert str(raised.value).startswith(sentence)


# Training


def test_numpy_types_are_dtypes() -> None:
    assert trained(dtype=np.float64).weights["0.bias"].dtype == np.float64
    assert Sequential([Linear(1)]).initialize(2, dtype=np.dtype("f8")).weights["0.bias"].dtype == np.float64


def test_a_clipped_gradient_has_the_given_norm() -> None:
    net = Sequential([Linear(1)]).initialize(4, dtype="float64")
    before = {name: array.copy() for name, array in net.weights.items()}
    net.fit(X, NUMBERS, loss="mse", optimizer="sgd", lr=1.0, batch_size="full", epochs=1, clip=0.5)
    moved = [net.weights[name] - array for name, array in before.items()]
    assert np.sqrt(sum(np.square(change).sum() for change in moved)) == pytest.approx(0.5)


def test_an_interrupted_fit_keeps_its_history_and_the_best_weights() -> None:
    class CtrlC(Callback):
        def on_log(self, training: Training, row: LogRow) -> None:
            if training.progress.epoch == 3:
                raise KeyboardInterrupt

    net = Sequential([Linear(3)])
    worse = 2 - CLASSES  # the better the net gets on the training rows, the worse on these
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, CLASSES, loss="cross_entropy", lr=0.1, validation_data=(X, worse), callbacks=[CtrlC(), Checkpoint()])
    losses = net.history["val_loss"]
    assert len(losses) == 2
    assert net.evaluate(X, worse)["loss"] == pytest.approx(losses.min())


def test_a_fit_that_diverges_keeps_its_history_and_with_a_checkpoint_the_best_weights() -> None:
    net = Sequential([Linear(1)])
    options: dict[str, Any] = {"loss": "mse", "optimizer": "sgd", "lr": 3.0, "epochs": 500}
    with pytest.raises(DivergedError):
        net.fit(X, NUMBERS, callbacks=[Checkpoint()], **options)
    losses = net.history["train_rmse"]
    assert losses[0] < losses[-1]
    assert net.evaluate(X, NUMBERS)["rmse"] <= losses[0]


def test_the_history_has_learning_curves_in_a_notebook() -> None:
    net = trained(validation_data=(X, CLASSES))
    assert "<title>Loss by epoch</title>" in net.history._repr_html_()
    assert "<table" in net.history._repr_html_()


# Gradients


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_the_gradients_of_a_net_agree_with_central_differences(loss: str) -> None:
    net = Sequential([Linear(5), BatchNorm(), Dropout(0.3), Tanh(), Linear(3)]).initialize(4)
    before = {name: array.copy() for name, array in net.weights.items()}
    y = CLASSES if loss == "cross_entropy" else np.stack([NUMBERS] * 3, axis=1)
    errors = net.check_gradient(X[:8], y[:8], loss=loss, sample_weight=np.arange(8))
    assert set(errors) == set(net.gradients(X[:8], y[:8], loss=loss))
    assert max(errors.values()) < 1e-7
    for name, array in before.items():
        np.testing.assert_array_equal(net.weights[name], array)


def test_a_wrong_gradient_is_found_in_the_arrays_below_it() -> None:
    class Wrong(Layer):
        name = "wrong"

        def forward(self, p: Views, x: Any, context: Context) -> tuple[Any, Backward]:
            return 2 * x, lambda dy, g, need_dx: 3 * dy

    net = Sequential([Linear(2), Wrong(), Linear(1)]).initialize(4)
    errors = net.check_gradient(X[:5], NUMBERS[:5], loss="mse")
    assert max(errors["0.weight"], errors["0.bias"]) > 0.01
    assert max(errors["2.weight"], errors["2.bias"]) < 1e-7


def test_the_public_names_are_all_that_the_package_lists() -> None:
    listed = {name for name in dir(nnfs_cli) if not name.startswith("__")}
    assert listed == set(nnfs_cli.__all__)


def test_a_summary_uses_the_room_and_tells_what_is_not_learned() -> None:
    block = Residual([Linear(32), BatchNorm(), Linear(32)])
    text = str(Sequential([Linear(32), block, Linear(3)]).summary(20))
    assert "1 residual [linear 32 -> batch_norm -> linear 32]" in text
    assert max(map(len, text.splitlines())) <= 80
    assert text.endswith("parameters  3,011; 64 of them are running statistics, which are not learned")


# Help


@pytest.mark.parametrize("name", sorted(set(nnfs_cli.__all__) - {"Frame"}))
def test_help_explains_every_setting_and_leaves_out_pydantic(name: str) -> None:
    thing = getattr(nnfs_cli, name)
    if not issubclass(type(thing), type) or not issubclass(thing, Section):
        return
    text = pydoc.render_doc(thing, renderer=pydoc.plaintext)
    described = thing.descriptions()
    for key, about in ((key, described[key]) for key in thing.model_fields):
        assert f"{key}: {' '.join(about.split())[:40]}" in " ".join(text.replace("\n |", "\n").split())
    assert "model_dump" not in text
    assert "__pydantic_core" not in text.replace("__get_pydantic_core", "")
    assert not {"copy", "json", "from_orm", "model_fields"} & {*dir(thing)}


def test_tab_offers_what_a_net_can_do() -> None:
    names = {name for name in dir(Sequential(Linear(1))) if not name.startswith("_")}
    assert {"fit", "predict", "weights", "layers", "check_gradient"} < names
    assert not {"copy", "json", "from_orm", "parse_raw", "model_dump"} & names
    assert Sequential(Linear(1)).model_copy() == Sequential(Linear(1))  # what is not offered works
