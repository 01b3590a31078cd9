"""Averaged weights: the means that they promise, and PyTorch's where there is one."""

from __future__ import annotations

import importlib.util
import inspect

import numpy as np
import pytest
import yaml

from nnfs_cli.averaging import EMA, SWA, Averaging, blend
from nnfs_cli.parameters import Array

DECAYS = [0.0, 0.5, 0.9, 0.999, 1 - 2**-53]
STARTS = [0.0, 0.29, 0.5, 0.75, 0.999]


@pytest.fixture
def path() -> Array:
    """The weights (n,) after each of 100 steps: (100, n)."""
    return np.cumsum(np.random.default_rng(0).standard_normal((100, 7)), axis=0)


def averaged(averaging: Averaging, path: Array, steps_per_epoch: int = 1) -> Array:
    """What a trainer would hold in the end, having begun with nothing."""
    average, scratch = np.full(path.shape[1:], np.nan, path.dtype), np.empty(path.shape[1:], path.dtype)
    for step, w in enumerate(path, 1):
        rates = [averaging.after_step(step)]
        if step % steps_per_epoch == 0:
            rates.append(averaging.after_epoch(step // steps_per_epoch, len(path) // steps_per_epoch))
        for rate in rates:
            if rate:
                blend(average, w, rate, scratch)
    return average


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
    rates, active = [], [averaging.active(0, 0, epochs)]
    for epoch in range(1, epochs + 1):
        rates += [averaging.after_step(epoch) or averaging.after_epoch(epoch, epochs)]
        active.append(averaging.active(epoch, epoch, epochs))
    begun = [rate for rate in rates if rate]
    assert begun[0] == 1
    assert all(0 < rate <= 1 for rate in begun)
    assert rates[-len(begun) :] == begun
    assert active == [False] * (epochs + 1 - len(begun)) + [True] * len(begun)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blend_stays_in_place_and_in_its_dtype(dtype: str) -> None:
    average, w, scratch = np.array([1, 2], dtype), np.array([3, -2], dtype), np.empty(2, dtype)
    blend(average, w, 0.25, scratch)
    assert (average.tolist(), w.tolist(), average.dtype) == ([1.5, 1.0], [3.0, -2.0], dtype)
    average[:] = np.nan
    blend(average, w, 1.0, scratch)
    assert average.tobytes() == w.tobytes()


@pytest.mark.parametrize("member", Averaging.members.values(), ids=lambda member: member.name)
def test_a_rule_gives_its_formula_and_its_source_and_shows_itself(member: type[Averaging]) -> None:
    assert "Source: " in (inspect.getdoc(member) or "")
    assert "batch_norm" in (inspect.getdoc(member) or "")
    assert 10 < len(member.summary()) <= 120
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
