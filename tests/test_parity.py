"""Our parts against PyTorch's, by the numbers that `tests/reference/make.py` computed with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnfs_cli.layers import Context, Layer
from nnfs_cli.optimizers import Optimizer
from nnfs_cli.parameters import Parameters


def reference(name: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "reference" / f"{name}.json").read_text(encoding="utf-8"))


ACTIVATIONS, OPTIMIZERS = reference("activations"), reference("optimizers")


@pytest.mark.parametrize("name", ACTIVATIONS["answers"])
def test_an_activation_and_its_gradient_equal_pytorch(name: str) -> None:
    layer = Layer.resolve(yaml.safe_load(name))
    x, dy = np.array(ACTIVATIONS["x"]), np.array(ACTIVATIONS["dy"])
    _, tree = layer.build(x.shape[1:])
    p, g, context = Parameters(tree, "float64"), Parameters(tree, "float64"), Context("float64")
    p.initialize(np.random.default_rng(0))
    context.begin(len(x))
    y, backward = layer.forward(p.views, x, context)
    expected = ACTIVATIONS["answers"][name]
    np.testing.assert_allclose(y, expected["y"], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(backward(dy, g.views, True), expected["dx"], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", OPTIMIZERS["answers"])
def test_an_optimizer_is_where_pytorch_is_after_50_steps(name: str) -> None:
    optimizer = Optimizer.resolve(yaml.safe_load(name))
    w = np.array(OPTIMIZERS["start"])
    state, places = optimizer.begin(w), np.arange(1, len(w) + 1)
    for step in range(OPTIMIZERS["steps"]):
        optimizer.step(w, w / places + np.cos(step + places) / 10, state, OPTIMIZERS["lr"])
    np.testing.assert_allclose(w, OPTIMIZERS["answers"][name], rtol=1e-9)


@pytest.mark.parametrize(("family", "answers"), [(Layer, ACTIVATIONS["answers"]), (Optimizer, OPTIMIZERS["answers"])])
def test_every_example_has_a_reference(family: Any, answers: dict[str, Any]) -> None:
    examples = {
        example
        for member in family.members.values()
        for example in member.examples
        if "units" not in member.model_fields and member.name != "sequential" and "init" not in example
    }
    assert examples - {"linear", "dense"} <= set(answers)


@pytest.mark.parametrize("name", OPTIMIZERS["answers"])
def test_an_optimizer_has_no_memory_but_its_state(name: str) -> None:
    """What a checkpoint needs: the parameters and the state, carried over to another optimizer, go on the same."""
    optimizer = Optimizer.resolve(yaml.safe_load(name))
    w = np.array(OPTIMIZERS["start"])
    state = optimizer.begin(w)
    for _ in range(3):
        optimizer.step(w, np.cos(w), state, 0.1)
    other, copied = w.copy(), {key: array.copy() for key, array in state.items()}
    optimizer.step(w, np.cos(w), state, 0.1)
    Optimizer.resolve(optimizer.plain()).step(other, np.cos(other), copied, 0.1)
    np.testing.assert_array_equal(other, w)
