"""Every built-in layer, loss and stepper has a compiled twin; a net with other parts falls back whole."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

import nnfs_cli.training.compiled  # noqa: F401 - it declares the twins
from nnfs_cli import Linear, ReLU
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.training.compiled.losses import has_loss_twin
from nnfs_cli.training.compiled.optimizers import has_optimizer_twin
from nnfs_cli.training.compiled.recorder import has_twin
from nnfs_cli.training.engine import engine_for
from nnfs_cli.training.optimizers import Optimizer, Stepper
from nnfs_cli.training.optimizers.adam import Adam
from tests.training.compiled.trainings import Training


class OwnReLU(ReLU):
    """A layer of the user's."""


class OwnMSE(MSE):
    """A loss of the user's."""


class OwnAdam(Adam):
    """An optimizer of the user's."""


def built_in(family: Any) -> dict[str, Any]:
    """An example of each component that this package declares."""
    return {
        name: family.resolve(yaml.safe_load(kind.examples[0]))
        for name, kind in family.registered.items()
        if kind.__module__.startswith("nnfs_cli.")
    }


def test_every_layer_has_a_twin() -> None:
    layers = built_in(Layer)
    assert len(layers) > 20
    assert [name for name, layer in layers.items() if not all(map(has_twin, layer.walk()))] == []


def test_every_loss_has_a_twin_of_outputs_and_of_logits() -> None:
    losses = built_in(Loss)
    assert len(losses) > 10
    without = [name for name, loss in losses.items() if not has_loss_twin(loss, False)]
    without += [name for name, loss in losses.items() if loss.activation and not has_loss_twin(loss, True)]
    assert without == []


def test_every_optimizer_that_makes_steps_has_a_twin() -> None:
    optimizers = {name: each for name, each in built_in(Optimizer).items() if isinstance(each, Stepper)}
    assert len(optimizers) > 6
    assert [name for name, optimizer in optimizers.items() if not has_optimizer_twin(optimizer)] == []


@pytest.mark.parametrize(
    ("training", "named"),
    [
        (Training((Linear(3), OwnReLU(), Linear(2))), "the layer"),
        (Training(loss=OwnMSE()), "the loss"),
        (Training(optimizer=OwnAdam()), "the optimizer"),
    ],
    ids=["layer", "loss", "optimizer"],
)
def test_a_part_that_inherits_from_one_with_a_twin_has_none(training: Training, named: str) -> None:
    """It may compute anything else."""
    trainer = training.trainer("auto")
    assert engine_for(trainer.model, trainer.plan) == "numpy"
    trainer = training.trainer("compiled")
    with pytest.raises(ValueError, match=named):
        engine_for(trainer.model, trainer.plan)
    training.train("numpy")
