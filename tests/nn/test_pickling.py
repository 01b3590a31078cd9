"""Nets, configs and encoders survive a copy and a pickle that a user makes, with the same bytes of predictions."""

from __future__ import annotations

import copy
import io
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler  # pickles what another process is given
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np
import pytest
import yaml

from nnfs_cli import workflows
from nnfs_cli.components.component import Component
from nnfs_cli.config.config import Config
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.reshape import Reshape
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Parameters
from nnfs_cli.prediction.predictor import Predictor

LAYERS = [text for layer in Layer.registered.values() for text in layer.examples]
Thing = TypeVar("Thing")


def by_joblib(value: Thing) -> Thing:
    file = io.BytesIO()
    joblib.dump(value, file)
    file.seek(0)
    return joblib.load(file)  # type: ignore[no-any-return]


def by_pickle(value: Thing) -> Thing:
    return ForkingPickler.loads(ForkingPickler.dumps(value))  # type: ignore[no-any-return]


WAYS: list[Callable[[Any], Any]] = [by_pickle, by_joblib, copy.deepcopy]


def net(*layers: str, loss: str = "mse", members: int = 1, embedding: Embedding | None = None) -> Model:
    resolved = [Layer.resolve(yaml.safe_load(text)) for text in layers]
    shape = (3, 4) if layers == ("flatten",) else (12,)
    rngs = [np.random.default_rng(j) for j in range(members)]
    return Model(resolved, Loss.resolve(yaml.safe_load(loss)), shape, "float32", rngs, embedding, members)


def rows_of(model: Model, n: int = 9) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).random((n, *model.input_shape)).astype(model.dtype)


def assert_same_net(model: Model, other: Model) -> None:
    X = rows_of(model)
    assert other.predict(X).tobytes() == model.predict(X).tobytes()
    assert other.describe() == model.describe()
    assert_views_look_into_the_vector(other.parameters)
    assert_views_look_into_the_vector(other.gradients)
    assert not np.shares_memory(other.parameters.vector, model.parameters.vector)


def assert_views_look_into_the_vector(parameters: Parameters) -> None:
    parameters.vector[...] = np.arange(parameters.vector.size).reshape(parameters.vector.shape)
    for name, array in parameters.arrays.items():
        part = parameters.layout.slices[name]
        np.testing.assert_array_equal(array.ravel(), parameters.vector[..., part].ravel())
        assert np.shares_memory(array, parameters.vector)
    assert parameters.layout.views(parameters.vector).__dict__.keys() == parameters.views.__dict__.keys()
    for part in (parameters.learned, parameters.decayed):
        assert part.size == 0 or np.shares_memory(part, parameters.vector)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", LAYERS)
def test_with_every_layer(text: str, way: Callable[[Any], Any]) -> None:
    layer = Layer.resolve(yaml.safe_load(text))
    width = math.prod(layer.shape) if isinstance(layer, Reshape) else 6
    model = net(text) if text == "flatten" else net(f"linear: {width}", text, "linear: 2")
    X = rows_of(model)
    before = model.predict(X)
    other = way(model)
    assert other.predict(X).tobytes() == before.tobytes()
    assert_same_net(model, way(model))
    assert way(layer) == layer


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("members", [1, 3])
def test_with_members_and_learned_vectors(members: int, way: Callable[[Any], Any]) -> None:
    model = net("linear: 3", members=members, embedding=Embedding(tables=(EmbeddingTable(1, 5, 2, "city"),)))
    assert_same_net(model, way(model))


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_trains_on_to_the_same_bytes(way: Callable[[Any], Any]) -> None:
    model = net("linear: 5", "batch_norm", "tanh", "linear: 1", "sigmoid", loss="binary_cross_entropy")
    X, y = rows_of(model), (np.arange(9) % 2)[:, None].astype("float32")
    model.differentiate(X, y)
    other = way(model)
    assert not other.gradients.vector.any()  # they belong to a batch that is over
    for one in (model, other):
        one.differentiate(X, y)
        one.parameters.learned -= 0.1 * one.gradients.learned
    assert other.parameters.vector.tobytes() == model.parameters.vector.tobytes()
    assert other.fused == model.fused


@pytest.mark.parametrize("family", [one for name, one in Component.families.items() if name != "dataset"])
def test_every_component(family: type[Component]) -> None:
    examples = [text for component in family.registered.values() for text in component.examples]
    assert examples
    for text in examples:
        component = family.resolve(yaml.safe_load(text))
        for way in WAYS:
            assert way(component) == component
            assert way(component).plain() == component.plain()


@pytest.mark.parametrize("way", [*WAYS, copy.copy])
def test_parameters_by_themselves(way: Callable[[Any], Any]) -> None:
    parameters = net("linear: 5", "batch_norm", "linear: 2").parameters
    other = way(parameters)
    assert other.vector.tobytes() == parameters.vector.tobytes()
    assert_views_look_into_the_vector(other)
    assert np.shares_memory(other.vector, parameters.vector) == (way is copy.copy)


def test_a_pickle_is_as_large_as_the_parameters_and_no_larger_after_use() -> None:
    model = net("linear: 100", "relu", "linear: 100", "relu", "linear: 2")
    size = len(pickle.dumps(model))
    X = rows_of(model, 2_000)
    model.differentiate(X, np.zeros((2_000, 2), "float32"))
    model.evaluate(X, np.zeros((2_000, 2), "float32"))
    assert len(pickle.dumps(model)) == size < model.parameters.vector.nbytes + 2_000


CONFIG = """\
dataset: {csv: {path: table.csv, target: kind}}
split: {validation: 0.2}
preprocessing: {numbers: [impute, quantile], categories: embedding, dates: calendar, columns: {town: one_hot}}
layers: [linear: 8, residual: [linear: 8, tanh], linear: 2]
loss: cross_entropy
epochs: 2
"""


@pytest.fixture
def predictor(tmp_path: Path) -> Predictor:
    lines = ["size,age,town,street,day,kind"]
    for i in range(60):
        age = "" if i % 7 == 0 else i % 13
        lines.append(f"{i * 1.5},{age},{'ABC'[i % 3]},s{i % 5},2024-01-{i % 28 + 1:02},{'yes' if i % 2 else 'no'}")
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "c.yaml").write_text(CONFIG)
    return workflows.prepare(Config.load(tmp_path / "c.yaml")).predictor


def answers(predictor: Predictor) -> dict[str, Any]:
    (table,) = predictor.config.dataset.chunks(predictor.encoder.kinds, (), False)
    return {name: column.tolist() for name, column in predictor.predict(table).items()}


@pytest.mark.parametrize("way", WAYS)
def test_a_predictor_answers_alike(predictor: Predictor, way: Callable[[Any], Any]) -> None:
    before = answers(predictor)
    other = way(predictor.with_threshold(0.3))
    assert answers(other) == answers(predictor.with_threshold(0.3))
    assert answers(way(predictor)) == before
    assert other.config == predictor.config
    assert other.config.source == predictor.config.source == CONFIG.encode()
    assert other.encoder.to_json() == predictor.encoder.to_json()
    assert way(predictor.encoder).names == predictor.encoder.names


def test_a_predictor_answers_alike_in_another_process(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "net.pickle").write_bytes(pickle.dumps(predictor))
    code = "import pickle; predictor = pickle.load(open('net.pickle', 'rb'))\n"
    code += "(table,) = predictor.config.dataset.chunks(predictor.encoder.kinds, (), False)\n"
    code += "print({name: column.tolist() for name, column in predictor.predict(table).items()})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(answers(predictor)), done.stderr
