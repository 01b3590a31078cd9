"""Random numbers of compiled code are NumPy's, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nnfs_cli.data.batches import Batches
from nnfs_cli.system.random import random_stream
from nnfs_cli.training.compiled.dropout import mask_numbers, words_to_mask
from nnfs_cli.training.compiled.order import Permutation, order_of
from nnfs_cli.training.compiled.random_numbers import (
    BLOCK,
    SPARE,
    Stream,
    draw_words,
    jump,
    seed_stream,
)
from tests.training.compiled.kernels import run

uint32 = st.integers(0, 2**32 - 2)
numbers = {
    "seed": st.one_of(st.integers(0, 9), uint32, st.integers(0, 2**130)),
    "role": st.sampled_from(["dropout", "weights", "split"]),
    "epoch": st.one_of(st.integers(0, 9), uint32),
    "batch": st.one_of(st.integers(0, 9), st.integers(0, 2**32 - 99)),
    "member": st.one_of(st.integers(0, 9), uint32),
}


def first_state(seed: int, role: str, epoch: int, batch: int, member: int, step: int = 0) -> np.ndarray:
    """Return the state of a stream by `seed_stream`, which counts steps from the batch."""
    stream = Stream(seed, role, member, np.array([step]))
    stream.begin(epoch, batch)
    run(seed_stream, "float32", 1, *stream.operands)
    return stream.state


def words(state: np.ndarray, n: int, skip: int = 0, cuts: tuple[int, ...] = ()) -> np.ndarray:
    """Return n words of a stream after the first `skip`."""
    blocks = -(-n // BLOCK)
    found, spare = np.zeros(n, np.int64), np.zeros(SPARE * blocks, np.int64)
    run(draw_words, "float32", blocks, found, spare, state, jump(skip), n, cuts=cuts)
    return found


@given(**numbers, step=st.integers(0, 98))
def test_a_stream_begins_as_numpys_for_every_seed_role_epoch_batch_and_member(
    seed: int, role: str, epoch: int, batch: int, member: int, step: int
) -> None:
    state = first_state(seed, role, epoch, batch, member, step)
    want = random_stream(seed, role, epoch, batch + step, member).bit_generator.state["state"]
    halves = [int(half) for half in state.view(np.uint64)]
    assert (halves[0] << 64 | halves[1], halves[2] << 64 | halves[3]) == (want["state"], want["inc"])


@given(
    st.integers(0, 9),
    st.one_of(st.integers(0, 70), st.integers(0, 5 * BLOCK)),
    st.one_of(st.integers(0, 70), st.integers(0, 10**6)),
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
)
def test_words_are_numpys_whatever_was_drawn_before_and_however_the_blocks_are_cut(
    seed: int, n: int, skip: int, cuts: tuple[int, ...]
) -> None:
    found = words(first_state(seed, "dropout", 1, 2, 3), n, skip, cuts)
    generator = random_stream(seed, "dropout", 1, 2, 3)
    generator.bit_generator.advance(skip)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(found.view(np.uint64), generator.bit_generator.random_raw(n))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(
    seed=st.integers(0, 9),
    rate=st.one_of(st.floats(0, 1, exclude_min=True, exclude_max=True), st.sampled_from([0.5, 0.25, 1e-9, 1 - 1e-9])),
    n=st.integers(1, 3000),
)
def test_masks_are_those_of_dropout(dtype: str, seed: int, rate: float, n: int) -> None:
    found = words(first_state(seed, "dropout", 1, 2, 3), n)
    run(words_to_mask, dtype, n, found, *mask_numbers(rate, np.dtype(dtype)))
    n_numbers = 2 * n if dtype == "float32" else n
    mask = random_stream(seed, "dropout", 1, 2, 3).random(n_numbers, dtype=dtype)
    np.greater_equal(mask, rate, out=mask)
    np.multiply(mask, 1 / (1 - rate), out=mask)
    np.testing.assert_array_equal(found.view(dtype), mask)


@given(st.one_of(st.integers(1, 70), st.integers(1, 5000)), numbers["seed"], st.one_of(st.integers(1, 9), uint32))
@example(1, 0, 1)
@example(2, 0, 1)
@example(1 << 17, 3, 1)
def test_the_order_of_an_epoch_is_numpys(rows: int, seed: int, epoch: int) -> None:
    batches = Batches(rows, 7, seed=seed)
    order = order_of(batches, lambda kernels: None)
    assert isinstance(order, Permutation)
    for each in (epoch, epoch + 1):
        assert np.array_equal(order(each), random_stream(seed, "batches", each).permutation(rows))
        assert np.array_equal(order(each), batches.order(each))


@pytest.mark.parametrize("others", [{"shuffle": False}, {"replacement": True}, {"window": 1 << 17}])
def test_other_orders_are_drawn_by_numpy(others: dict[str, Any]) -> None:
    batches = Batches(20, 7, seed=1, **others)
    assert np.array_equal(order_of(batches, lambda kernels: None)(3), batches.order(3))
