"""Formulas: every layer and every loss declares both of its own, where they can be read."""

from __future__ import annotations

import pytest

from nnfs_cli.nn.embedding import Embedding
from nnfs_cli.nn.formulas import NOT_DECLARED, formulas
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.binary_cross_entropy import BinaryCrossEntropy


def built_in(family: type[Layer] | type[Loss]) -> list[type]:
    return [kind for kind in family.registered.values() if not kind.is_own()]


@pytest.mark.parametrize("kind", [*built_in(Layer), Embedding], ids=lambda kind: kind.__name__)
def test_every_layer_declares_its_output_and_its_gradient(kind: type[Layer]) -> None:
    forward, backward = formulas(kind)
    assert forward.startswith("y")
    assert "dx" in backward or "dweight" in backward
    assert "Shapes" not in backward
    assert "Source" not in backward


@pytest.mark.parametrize("kind", built_in(Loss), ids=lambda kind: kind.__name__)
def test_every_loss_declares_its_value_and_its_gradient(kind: type[Loss]) -> None:
    forward, backward = formulas(kind)
    assert forward.startswith("L = ")
    assert backward.startswith("dL/d") or "the gradient of" in backward
    if kind.activation is not None and "the gradient of" not in backward:
        assert f"with {kind.activation.name}, dL/dz = " in backward


def test_formulas_are_those_of_the_docstring() -> None:
    assert formulas(Linear(3)) == ("y = x W + b", "with dy = dL/dy: dW = Σ_batch xᵀ dy, db = Σ_batch dy, dx = dy Wᵀ")
    assert formulas(BinaryCrossEntropy).forward == "L = -[y ln(y_hat) + (1 - y) ln(1 - y_hat)]"


def test_a_layer_of_the_users_own_declares_what_it_likes() -> None:
    class Twice(ReLU):
        """Double the input: y = 2 x.

        Gradient: dx = 2 dy, a formula
        in two lines.
        Shapes: any.
        """

    class Quiet(ReLU):
        """Do something or other."""

    class Same(ReLU):
        pass

    class Other(ReLU):
        def forward(self, p, x, context):
            return x, lambda dy, g, need_dx: dy

    assert formulas(Twice) == ("y = 2 x", "dx = 2 dy, a formula in two lines")
    assert formulas(Quiet) == (NOT_DECLARED, NOT_DECLARED)
    assert formulas(Same) == formulas(ReLU)
    assert formulas(Other) == (NOT_DECLARED, NOT_DECLARED)
