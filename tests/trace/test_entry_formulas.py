"""Formulas with numbers in them: computed by hand, they give what the layer, the loss or the optimizer has computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.nn import entry_formulas
from nnfs_cli.nn.entry_formulas import Numbers, apply, left_side, put_in
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.flatten import Flatten
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.trace.losses import record_loss
from nnfs_cli.trace.record import LayerRecord, Recorder
from nnfs_cli.training.optimizers import Optimizer, Stepper
from tests.trace.arithmetic import evaluate

MOVES_NUMBERS = {"flatten", "reshape", "sequential"}  # their formulas need no arithmetic


def examples(family: Any) -> list[Any]:
    kinds = [kind for kind in family.registered.values() if kind.name not in MOVES_NUMBERS and not kind.is_own()]
    return [family.resolve(yaml.safe_load(example)) for kind in kinds for example in kind.examples]


def recorded(layer: Layer, axes: tuple[int, ...] = ()) -> LayerRecord:
    rng = np.random.default_rng(5)
    model = Model([Linear(4), layer, Flatten(), Linear(2)], MSE(), (*axes, 4), "float64", rng)
    model.parameters.learned[...] += 0.1
    recorder = Recorder()
    with model.observed(recorder):
        model.differentiate(rng.normal(size=(5, *axes, 4)), rng.normal(size=(5, 2)), None, lambda: rng)
    return recorder.top[1]


def disagreement(component: Any, numbers: Numbers, name: str) -> float:
    """The largest relative error of a formula that is computed by hand, over all entries."""
    array = numbers.array(name)
    assert array is not None
    formulas = entry_formulas.entry_formulas(component)
    formula = next(text for text in formulas if left_side(text, numbers) == name and put_in(text, numbers))
    errors = []
    for position in np.ndindex(array.shape):
        applied = put_in(formula, numbers, position, most=1000)
        assert applied is not None
        assert applied.value == array[position]
        errors.append(abs(evaluate(applied.text) - applied.value))
    return max(errors) / float(np.abs(array).max() or 1)


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_formulas, "four_digits", lambda value: repr(float(value)))


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("layer", examples(Layer), ids=str)
@pytest.mark.parametrize("axes", [(), pytest.param((2,), marks=pytest.mark.slow)])
def test_numbers_in_the_formulas_of_a_layer_give_its_arrays(layer: Layer, axes: tuple[int, ...]) -> None:
    record = recorded(layer, axes)
    found = {applied.name for applied in apply(layer, record.numbers())}
    assert found >= {f"d{name}" for name in record.gradients} | {"dx"}
    assert found & {"y", "z"}
    approximation = 2e-3 if layer.name == "gelu" and "tanh" in str(layer) else 1e-9  # Φ is one there
    for name in found:
        assert disagreement(layer, record.numbers(), name) < approximation, name


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("loss", examples(Loss), ids=str)
@pytest.mark.parametrize(("fused", "weighted"), [(True, False), (False, True)])
def test_numbers_in_the_formulas_of_a_loss_give_its_arrays(loss: Loss, fused: bool, weighted: bool) -> None:
    rng = np.random.default_rng(3)
    n_classes = 2 if loss.n_outputs(2, 1) == 1 else 3
    n = loss.n_outputs(n_classes, 1) if loss.task == "classification" else loss.n_outputs(None, 2)
    truth: Any = np.arange(6) % n_classes
    if loss.task == "regression":
        truth = rng.gamma(2.0, size=(6, 2))
    y = loss.encode(truth, n).astype(np.float64)
    outputs = rng.normal(size=(6, n))
    model = Model([Linear(n)], loss, (n,), "float64")
    if not fused:
        model.fused = False
        outputs = (np.exp(outputs) / 8).clip(0.01, 0.99)
    record = record_loss(model, outputs, y, rng.uniform(0.5, 2, 6) if weighted else None, 6.0)
    found = {applied.name for applied in apply(loss, record.numbers())}
    assert found >= {"L", "dy_hat"} | ({"dz"} if model.fused and loss.activation else set())
    for name in found:
        assert disagreement(loss, record.numbers(), name) < 1e-7, name


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("optimizer", [one for one in examples(Optimizer) if isinstance(one, Stepper)], ids=str)
def test_numbers_in_the_formulas_of_an_optimizer_give_its_third_step(optimizer: Stepper) -> None:
    rng = np.random.default_rng(2)
    w, memory = rng.normal(size=5), optimizer.begin(np.zeros(5))
    for _ in range(3):
        g = rng.normal(size=5)
        before = {"w": w.copy(), **{name: array.copy() for name, array in memory.items()}}
        optimizer.step(w, g.copy(), memory, 0.1)
    after = {"w'": w, **{f"{name}'": array for name, array in memory.items()}}
    numbers = Numbers({}, {**entry_formulas.constants(optimizer), **before, **after, "g": g, "lr": 0.1})
    found = {applied.name for applied in apply(optimizer, numbers)}
    assert found >= {"w'"}
    for name in found:
        assert disagreement(optimizer, numbers, name) < 1e-9, name


PIECES = [
    "x", "x_j", "y_ij", "weight_ij", "slope", "eps", "e_k", "π", "x̂_bj", "0.5", "Σ_i ", "Σ_b ", "Σ", "_", "(", ")", "|",
    " + ", " - ", " / ", " · ", " ", "²", "^2", "exp(", "max(x, 0)", ", ", " for x > 0, else ", " with e_i = ", "'",
    " where x_j <= y, else ", "⟨", "⟩", " = ", "if bias: ", "\\", "{", "*", "[a",
]  # fmt: skip


@given(st.sampled_from(["y", "y_j", "y_ij", "y_aij", "w", ""]), st.lists(st.sampled_from(PIECES), max_size=8))
def test_whatever_a_docstring_declares_is_applied_or_left_out(left: str, pieces: list[str]) -> None:
    rng = np.random.default_rng(0)
    batch = {name: rng.normal(size=(2, 3)) for name in ("x", "y", "x̂")}
    numbers = Numbers(batch, {"weight": rng.normal(size=(3, 3)), "slope": np.ones(3), "eps": 1e-5, "bias": True})
    applied = put_in(f"{left} = {''.join(pieces)}", numbers)
    assert applied is None or applied.value in batch["y"]


def test_a_formula_with_an_unknown_name_is_left_out() -> None:
    numbers = Numbers({"x": np.ones((2, 3)), "y": np.ones((2, 3))}, {})
    assert put_in("y = x + shift", numbers) is None
    assert put_in("y = 2 x", numbers) is not None
    assert str(put_in("y_j = Σ_i x_i - 2", numbers)) == "y[0,0] = 1 + 1 + 1 - 2 = 1"


def test_a_layer_of_the_users_own_has_its_formula_with_numbers() -> None:
    class Sine(Layer):
        """Periodic activation: y = sin(frequency · x), element by element.

        Gradient: dx = frequency · cos(frequency · x) · dy.
        """

        frequency: float = 3.0

        def forward(self, p, x, context):
            return np.sin(self.frequency * x), lambda dy, g, need_dx: dy * self.frequency * np.cos(self.frequency * x)

    record = recorded(Sine())
    assert {applied.name for applied in apply(record.layer, record.numbers())} == {"y", "dx"}
    assert disagreement(record.layer, record.numbers(), "y") < 1e-3  # four digits


def test_an_own_forward_pass_does_not_have_the_formulas_of_its_base() -> None:
    class Other(Linear):
        def forward(self, p, x, context):
            return super().forward(p, -x, context)

    assert apply(Other(3), recorded(Linear(3)).numbers()) == ()
