"""Our parts against PyTorch's, by the numbers that `tests/reference/make.py` computed with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from nnfs_cli.layers import Context, Layer
from nnfs_cli.parameters import Parameters

REFERENCE = json.loads((Path(__file__).parent / "reference" / "activations.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", REFERENCE["activations"])
def test_an_activation_and_its_gradient_equal_pytorch(name: str) -> None:
    layer = Layer.resolve(yaml.safe_load(name))
    x, dy = np.array(REFERENCE["x"]), np.array(REFERENCE["dy"])
    _, tree = layer.build(x.shape[1:])
    p, g, context = Parameters(tree, "float64"), Parameters(tree, "float64"), Context("float64")
    p.initialize(np.random.default_rng(0))
    context.begin(len(x))
    y, backward = layer.forward(p.views, x, context)
    expected = REFERENCE["activations"][name]
    np.testing.assert_allclose(y, expected["y"], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(backward(dy, g.views, True), expected["dx"], rtol=1e-9, atol=1e-15)


def test_every_activation_has_a_reference() -> None:
    without_parameters_of_size = {name for name, layer in Layer.members.items() if "units" not in layer.model_fields}
    assert without_parameters_of_size - {"sequential"} <= {name.partition(":")[0] for name in REFERENCE["activations"]}
