"""Averaged weights: the means that they promise, and PyTorch's where there is one."""

from __future__ import annotations

import importlib.util
import inspect

import numpy as np
import pytest
import yaml

from nnfs_cli.arrays import Array
from nnfs_cli.training.averaging import EMA, SWA, Average, Averaging

DECAYS = [0.0, 0.5, 0.9, 0.999, 1 - 2**-53]
STARTS = [0.0, 0.29, 0.5, 0.75, 0.999]


@pytest.fixture
def path() -> Array:
    """The weights (n,) after each of 100 steps: (100, n)."""
    return np.cumsum(np.random.default_rng(0).standard_normal((100, 7)), axis=0)


def averaged(averaging: Averaging, path: Array, steps_per_epoch: int = 1) -> Array:
    """What a trainer's weights are in the end."""
    weights = path[0].copy()
    average = Average(averaging, weights)
    average.begin()
    for step, w in enumerate(path, 1):
        weights[:] = w
        average.after_step(step)
        if step % steps_per_epoch == 0:
            average.after_epoch(step // steps_per_epoch, len(path) // steps_per_epoch)
    average.settle()
    return weights


@pytest.mark.parametrize("decay", DECAYS)
def test_ema_is_the_mean_in_which_each_step_counts_decay_times_the_next(path: Array, decay: float) -> None:
    weights = decay ** np.arange(len(path))[::-1]
    np.testing.assert_allclose(averaged(EMA(decay=decay), path), np.average(path, axis=0, weights=weights), rtol=1e-9)


def test_ema_without_decay_is_the_last_weights_to_the_bit(path: Array) -> None:
    path[-1, 0] = -0.0
    assert averaged(EMA(decay=0), path).tobytes() == path[-1].tobytes()


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("steps_per_epoch", [1, 5])
def test_swa_is_the_plain_mean_of_the_epochs_after_its_start(path: Array, start: float, steps_per_epoch: int) -> None:
    ends = path[steps_per_epoch - 1 :: steps_per_epoch]
    late = np.arange(1, len(ends) + 1) / len(ends) > start
    np.testing.assert_allclose(averaged(SWA(start=start), path, steps_per_epoch), ends[late].mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("averaging", [*(EMA(decay=d) for d in DECAYS), *(SWA(start=s) for s in STARTS)], ids=str)
@pytest.mark.parametrize("epochs", [1, 2, 3, 100])
def test_the_first_rate_is_1_and_from_then_on_there_is_an_average(averaging: Averaging, epochs: int) -> None:
    rates = [averaging.after_step(epoch) or averaging.after_epoch(epoch, epochs) for epoch in range(1, epochs + 1)]
    begun = [rate for rate in rates if rate]
    assert begun[0] == 1
    assert all(0 < rate <= 1 for rate in begun)
    assert rates[-len(begun) :] == begun


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_average_takes_the_place_of_the_weights_for_a_while(dtype: str) -> None:
    weights = np.array([1, 2], dtype)
    average = Average(SWA(start=0), weights)
    average.begin()
    with average.in_place():  # there is none yet
        assert weights.tolist() == [1, 2]
    average.after_epoch(1, 4)
    weights[:] = [3, -2]
    average.after_epoch(2, 4)
    with average.in_place():
        assert weights.tolist() == [2, 0]
    assert weights.tolist() == [3, -2]
    average.settle()
    assert (weights.tolist(), weights.dtype) == ([2, 0], dtype)


def test_without_a_rule_the_weights_are_their_own_average() -> None:
    weights = np.ones(2)
    average = Average(None, weights)
    average.begin()
    average.after_step(1)
    average.after_epoch(1, 1)
    with average.in_place():
        assert weights.tolist() == [1, 1]


@pytest.mark.parametrize("member", Averaging.registered.values(), ids=lambda member: member.name)
def test_a_rule_gives_its_formula_and_its_source_and_shows_itself(member: type[Averaging]) -> None:
    assert "Source: " in (inspect.getdoc(member) or "")
    assert "batch_norm" in (inspect.getdoc(member) or "")
    assert 10 < len(member.headline()) <= 120
    for example in member.examples:
        assert isinstance(Averaging.resolve(yaml.safe_load(example)), member)


if importlib.util.find_spec("torch"):  # a test that is skipped says nothing; one that is not there, nothing wrong

    def theirs(path: Array, **options: object) -> Array:
        """PyTorch's average of the weights along the path."""
        import torch
        from torch.optim.swa_utils import AveragedModel

        net = torch.nn.Linear(path.shape[1], 1, bias=False, dtype=torch.float64)
        average = AveragedModel(net, **options)
        for w in path:
            net.weight.data[:] = torch.from_numpy(w)
            average.update_parameters(net)
        return average.module.weight.detach().numpy()[0]

    def test_swa_is_that_of_pytorch(path: Array) -> None:
        np.testing.assert_allclose(averaged(SWA(start=0.6), path), theirs(path[60:]), rtol=1e-12)

    @pytest.mark.parametrize("decay", DECAYS)
    def test_ema_is_that_of_pytorch_but_for_its_bias_to_the_first_weights(path: Array, decay: float) -> None:
        """Theirs begins as if the first weights had been there for ever; ours counts every step once."""
        from torch.optim.swa_utils import get_ema_multi_avg_fn

        bias = decay ** len(path)
        expected = (1 - bias) * averaged(EMA(decay=decay), path) + bias * path[0]
        np.testing.assert_allclose(theirs(path, multi_avg_fn=get_ema_multi_avg_fn(decay)), expected, rtol=1e-9)
