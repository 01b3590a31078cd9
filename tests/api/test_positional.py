"""Components made in Python: the main setting by position, errors as sentences, and a representation that is code."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nnfs_cli.components.component import Component
from nnfs_cli.components.section import Section
from nnfs_cli.config import yaml
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError
from nnfs_cli.nn.initializers import Constant, HeNormal
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.dropout import Dropout
from nnfs_cli.nn.layers.leaky_relu import LeakyReLU
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.residual import Residual
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses.huber import Huber
from nnfs_cli.nn.losses.quantile import Quantile
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.optimizers.sgd import SGD
from nnfs_cli.training.schedules import Cosine


def sections(base: type[Section] = Section) -> Iterator[type[Section]]:
    for section in base.__subclasses__():
        yield section
        yield from sections(section)


WITH_MAIN = sorted({section for section in sections() if section.main}, key=lambda section: section.__qualname__)
NAMES: dict[str, Any] = {member.__name__: member for member in Layer.registered.values()}
NAMES |= {initializer.__name__: initializer for initializer in Component.families["initializer"].registered.values()}
COMPONENTS = [
    (family, example)
    for family in Component.families.values()
    if family.family not in ("dataset", "preset")  # a data set of files checks that they exist
    for member in family.registered.values()
    for example in member.examples
]


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (lambda: Linear(16), Linear(units=16)),
        (lambda: Linear(16, bias=False), Linear(units=16, bias=False)),
        (lambda: Dropout(0.1), Dropout(rate=0.1)),
        (lambda: Residual([Linear(4), Tanh()]), Residual(layers=(Linear(units=4), Tanh()))),
        (lambda: Residual(["tanh", {"linear": 4}]), Residual(layers=(Tanh(), Linear(units=4)))),
        (lambda: Dense(16, activation="tanh"), Dense(units=16, activation=Tanh())),
        (lambda: Dense(3, activation={"leaky_relu": 0.2}), Dense(units=3, activation=LeakyReLU(slope=0.2))),
        (lambda: Linear(3, init="he_normal"), Linear(units=3, init=HeNormal())),
        (lambda: Huber(0.5, reduction="sum"), Huber(delta=0.5, reduction="sum")),  # reduction is declared before delta
        (lambda: Cosine(2, warmup=1.0), Cosine(restarts=2, warmup=1.0)),
        (lambda: Quantile(0.3), Quantile(levels=(0.3,))),
        (lambda: EarlyStopping(5), EarlyStopping(patience=5)),
        (lambda: Constant(0.5), Constant(value=0.5)),
        (lambda: Linear(np.int64(3)), Linear(units=3)),
        (lambda: Dropout(rate=np.float64(0.5)), Dropout(rate=0.5)),
    ],
)
def test_the_main_setting_is_taken_by_position(made: Any, named: Section) -> None:
    assert made() == named


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: Linear(16, False), "Linear takes only 'units' by position, found 2 values; give bias, init, "),
        (lambda: Adam(0.8), "Adam takes nothing by position, found 1 value; give weight_decay, beta1, "),
        (lambda: Tanh(1), "Tanh takes nothing by position, found 1 value"),
        (lambda: Linear(3, units=4), "Linear has 'units' by position and by name; leave one of them out"),
    ],
)
def test_a_wrong_call_is_a_type_error_that_says_what_to_do(made: Any, sentence: str) -> None:
    with pytest.raises(TypeError) as raised:
        made()
    assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: Linear("x"), "linear.units: expected a whole number, found 'x'"),
        (lambda: Linear(True), "linear.units: expected a whole number, found true"),
        (lambda: Linear(unit=3), "linear has no setting 'unit'; did you mean 'units'?"),
        (lambda: Linear(), "linear needs the setting 'units', as in linear: 20"),
        (lambda: Linear({"units": 3}), "linear.units: expected a whole number, found a block of settings"),
        (lambda: Dense(1, activation="tnah"), "dense.activation: there is no layer 'tnah'; did you mean 'tanh'?"),
        (lambda: Residual([]), "residual.layers: expected at least one entry, found an empty list"),
        (
            lambda: Residual([{"linear": "x"}, "tahn"]),
            "residual.layers.0.linear: expected a whole number, found 'x'\n"
            "residual.layers.1: there is no layer 'tahn'; did you mean 'tanh'?",
        ),
        (lambda: SGD(nesterov=True), "nesterov looks ahead along the momentum; set momentum too, for example to 0.9"),
        (lambda: EarlyStopping(0), "early_stopping.patience: must be greater than 0, found 0"),
    ],
)
def test_a_wrong_setting_is_a_sentence_of_the_tools_own_errors(made: Any, sentence: str) -> None:
    with pytest.raises(ConfigError) as raised:
        made()
    assert str(raised.value) == sentence


def test_inside_a_config_faults_keep_their_places_and_are_all_reported() -> None:
    with pytest.raises(ConfigError) as raised:
        Config(
            dataset="iris", layers=[{"linear": {"units": 0, "bias": 3}}, {"residual": ["tnah"]}], loss="mse", epochs=1
        )
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == [
        "layers.0.linear.units", "layers.0.linear.bias", "layers.1.residual.0"
    ]  # fmt: skip
    with pytest.raises(ValidationError):  # pydantic's own way stays as it is
        Linear.model_validate({"units": "x"})


@pytest.mark.parametrize("section", WITH_MAIN, ids=lambda section: section.__qualname__)
def test_type_checkers_see_the_same_setting_by_position(section: type[Section]) -> None:
    by_position = [key for key, field in section.model_fields.items() if field.kw_only is False]
    assert by_position == [section.main]


def test_a_signature_shows_names_and_defaults() -> None:
    assert str(inspect.signature(Linear)).startswith("(units, *, bias=True, init=UniformFanIn(), ")
    assert str(inspect.signature(Huber)) == "(delta=1.0, *, reduction='mean')"
    assert str(inspect.signature(Tanh)) == "()"


@pytest.mark.parametrize(("family", "example"), COMPONENTS, ids=str)
def test_the_representation_of_a_component_is_code_that_makes_it(family: type[Component], example: str) -> None:
    value, _ = yaml.read(example.encode())
    component = family.resolve(value)
    names = {member.__name__: member for one in Component.families.values() for member in one.registered.values()}
    names |= {member.__name__: member for member in family.registered.values()}
    names |= {type(path).__name__: type(path) for path in [Path()]}  # as paths show themselves on this machine
    names |= {} if family.family == "initializer" else {"Constant": names["Constant"]}
    assert eval(repr(component), {**names, **NAMES} if family is Layer else names) == component  # noqa: S307
    assert str(component) == repr(component)


nets = st.recursive(
    st.builds(Linear, st.integers(1, 9), bias=st.booleans()) | st.builds(Dropout, st.floats(0, 0.9)) | st.just(Tanh()),
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
        lambda found: st.sampled_from([Residual(found), Sequential(found)])
    ),
    max_leaves=6,
)


@given(nets)
def test_any_net_made_in_python_equals_the_one_in_yaml_its_copy_and_its_representation(layer: Layer) -> None:
    assert Layer.resolve(layer.plain()) == Layer.resolve(layer.brief()) == layer
    assert eval(repr(layer), NAMES) == layer  # noqa: S307
    assert copy.deepcopy(layer) == pickle.loads(pickle.dumps(layer)) == layer  # noqa: S301


def test_a_subclass_without_a_name_stands_for_its_base() -> None:
    class Wide(Linear):
        pass

    assert (Wide.name, Wide.main, Wide(3).units) == ("linear", "units", 3)
    assert Layer.registered["linear"] is Linear
    assert Wide(3).plain() == Linear(3).plain()
    assert Sequential([Wide(3)]).layers[0].__class__ is Wide
