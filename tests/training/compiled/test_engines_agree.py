"""Both engines make the same steps, whatever the net, the loss, the optimizer and the plan.

They round differently, and some trainings amplify rounding: the bias before a `batch_norm` has the gradient 0 up to
rounding, which Adam divides by itself, and a deep net with a high learning rate is chaotic. So each example is also
trained by an engine that rounds otherwise: half of the first weights are changed by one bit, and each gradient by one
bit of its largest entry. The engines may differ by 1e-12 of the largest number of an array or of the learning rate,
which is the size of a step, or by a multiple of what this changes.
"""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from nnfs_cli import ReLU, Tanh
from nnfs_cli.errors import DivergedError
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.training.optimizers import Optimizer, Stepper
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.schedules import Constant, Cosine, Schedule
from tests.conftest import EXAMPLES
from tests.training.compiled.trainings import ACTIVATIONS, OTHERS, Training, left_behind, trainings

AMPLIFIED = 100  # times what other rounding changes

LOSSES, OPTIMIZERS, SCHEDULES = (
    [family.resolve(yaml.safe_load(text)) for kind in family.registered.values() for text in kind.examples]
    for family in (Loss, Optimizer, Schedule)
)
STEPPERS = [optimizer for optimizer in OPTIMIZERS if isinstance(optimizer, Stepper)]
SHORT = [schedule for schedule in SCHEDULES if not schedule.warmup]
DAILY = trainings([ReLU(), Tanh()], [MSE()], [Adam()], [Constant(), Cosine()], everything=False)
ANY = trainings(ACTIVATIONS + OTHERS, LOSSES, STEPPERS, SHORT)


def compare(training: Training, dtype: str, precision: float) -> None:
    """Raise unless both engines lead to the same numbers."""
    try:
        numpy, otherwise = (left_behind(training.train("numpy", dtype, nudged=nudge)) for nudge in (False, True))
    except DivergedError:
        return
    compiled = left_behind(training.train("compiled", dtype))
    assert compiled.keys() == numpy.keys()
    for name, want in numpy.items():
        amplified = AMPLIFIED * np.abs(otherwise[name] - want).max(initial=0)
        allowed = precision * max(float(np.abs(want).max(initial=0)), training.lr) + amplified
        difference = np.abs(compiled[name] - want).max(initial=0)
        assert difference <= allowed, f"{name} differs by {difference:.1e}, allowed are {allowed:.1e}"


@settings(max_examples=min(EXAMPLES, 5))
@given(DAILY)
def test_the_engines_agree_on_daily_trainings(training: Training) -> None:
    compare(training, "float64", 1e-12)


@pytest.mark.slow
@settings(max_examples=10 * EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(ANY)
def test_the_engines_agree_on_any_training(training: Training) -> None:
    compare(training, "float64", 1e-12)


@pytest.mark.slow
@settings(max_examples=3 * EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(ANY)
def test_the_engines_agree_in_float32_within_its_rounding(training: Training) -> None:
    compare(training, "float32", 1e-6)
