"""The twins of optimizers against the optimizers themselves, over several steps with changing learning rates."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nnfs_cli.training.compiled.optimizers import Numbers, optimizer_twin_of
from nnfs_cli.training.compiled.recorder import Recorder
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.optimizers.adagrad import Adagrad
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.optimizers.adamw import AdamW
from nnfs_cli.training.optimizers.lion import Lion
from nnfs_cli.training.optimizers.nadam import NAdam
from nnfs_cli.training.optimizers.rmsprop import RMSprop
from nnfs_cli.training.optimizers.sgd import SGD
from tests.training.compiled.recorded import run

OPTIMIZERS = [
    SGD(),
    SGD(momentum=0.9),
    SGD(momentum=0.7, nesterov=True),
    Adam(),
    Adam(beta1=0.0, beta2=0.5, eps=0.01),
    AdamW(weight_decay=0.1),
    NAdam(),
    NAdam(beta1=0.5, beta2=0.9, momentum_decay=0.1),
    RMSprop(),
    RMSprop(alpha=0.5, eps=0.1),
    Adagrad(),
    Adagrad(initial=0.1),
    Lion(),
    Lion(beta1=0.5, beta2=0.7),
]
CHUNKS = 3, 1, 4  # steps


def compare(optimizer: Stepper, n: int, dtype: type, *, compiled: bool) -> None:
    """Raise unless the twin makes the same steps, in several chunks, and leaves the same state."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=n).astype(dtype)
    twin_w, twin_g = w.copy(), np.zeros_like(w)
    state, twin_state = optimizer.begin(w), optimizer.begin(twin_w)
    twin = optimizer_twin_of(optimizer)
    recorder, step = Recorder(np.dtype(dtype)), np.zeros(1, np.int64)
    for k in CHUNKS:
        lr = rng.uniform(0.01, 0.1, k)
        table = twin.numbers(optimizer, twin_state, lr)
        for i in range(k):
            g = (rng.normal(size=n) * (rng.random(n) > 0.1)).astype(dtype)  # some are 0
            twin_g[...], step[0] = g, i
            optimizer.step(w, g, state, float(lr[i]))
            twin.record(optimizer, twin_w, twin_g, twin_state, Numbers(step, table, table.shape[1]).column(0), recorder)
            run(recorder, compiled=compiled)
            precision = 1e-6 if dtype == np.float32 else 1e-13
            assert_allclose(twin_w, w, rtol=precision, atol=precision)
    for name in state.keys() - {"buffer"}:
        assert_allclose(twin_state[name], state[name], rtol=precision, atol=precision)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_twin_as_python_makes_the_steps_of_its_optimizer(optimizer: Stepper) -> None:
    compare(optimizer, 11, np.float64, compiled=False)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_twin_as_machine_code_makes_the_steps_of_its_optimizer(optimizer: Stepper, dtype: type) -> None:
    for n in (1, 3, 64, 1001):
        compare(optimizer, n, dtype, compiled=True)
