"""Rows in memory and on disk, windows of shuffled rows, and training on them."""

from __future__ import annotations

import tracemalloc
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.data.batches import Batches
from nnfs_cli.data.training_rows import BLOCK_ROWS, RowsInMemory, RowsOnDisk
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.trainer import Trainer


def arrays(n: int, weighted: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(n)
    X, y = rng.normal(size=(n, 3)).astype("float32"), rng.normal(size=(n, 2)).astype("float32")
    return X, y, rng.uniform(0.5, 2, n).astype("float32") if weighted else None


def stored(n: int, weighted: bool, window: int, pieces: int = 3) -> RowsOnDisk:
    X, y, weight = arrays(n, weighted)
    rows = RowsOnDisk(3, 2, weighted, X.dtype, window)
    for part in np.array_split(np.arange(n), pieces):
        rows.append(X[part], y[part], None if weight is None else weight[part])
    return rows


@given(st.integers(1, 5 * BLOCK_ROWS), st.integers(1, 400), st.integers(1, 4), st.integers(0, 5), st.booleans())
def test_a_window_yields_every_row_once_per_epoch_from_few_blocks_at_a_time(
    n: int, size: int, blocks: int, epoch: int, drop_last: bool
) -> None:
    batches = Batches(n, min(size, n), drop_last=drop_last, window=blocks * BLOCK_ROWS)
    parts = list(batches.epoch(epoch))
    assert len(parts) == batches.steps
    seen = np.concatenate(parts)
    assert len(np.unique(seen)) == len(seen)
    assert len(seen) == (n - n % batches.size if drop_last else n)
    for part in parts:
        assert len(np.unique(part // BLOCK_ROWS)) <= 2 * blocks + 1  # the last block may be a few rows only
    again = list(batches.epoch(epoch))
    assert all(np.array_equal(one, other) for one, other in zip(parts, again, strict=True))


def test_windows_differ_from_epoch_to_epoch_and_mix_rows_from_all_over() -> None:
    batches = Batches(64 * BLOCK_ROWS, 256, window=16 * BLOCK_ROWS)
    first, second = (np.concatenate(list(batches.epoch(epoch))) for epoch in (1, 2))
    assert not np.array_equal(first, second)
    assert len(np.unique(first[:256] // BLOCK_ROWS)) > 8  # a batch is not a stretch of the table


@pytest.mark.parametrize("weighted", [False, True])
@given(st.integers(1, 4 * BLOCK_ROWS), st.integers(1, 300), st.integers(1, 3), st.booleans())
def test_rows_on_disk_equal_the_rows_that_were_added(
    weighted: bool, n: int, size: int, blocks: int, shuffle: bool
) -> None:
    X, y, weight = arrays(n, weighted)
    rows, held = stored(n, weighted, 2 * blocks * BLOCK_ROWS), RowsInMemory(X, y, weight)
    assert len(rows) == n
    assert rows.mean_weight == pytest.approx(held.mean_weight, rel=1e-12)
    batches = Batches(n, min(size, n), shuffle=shuffle, window=blocks * BLOCK_ROWS)
    for batch in chain(batches.epoch(1), batches.epoch(2)):
        for found, expected in zip(rows.take(batch), held.take(batch), strict=True):
            assert (found is None) == (expected is None)
            if expected is not None:
                np.testing.assert_array_equal(found, expected)


def test_a_batch_from_more_blocks_than_the_window_holds_is_refused() -> None:
    rows = stored(8 * BLOCK_ROWS, False, 2 * BLOCK_ROWS)
    with pytest.raises(ValueError, match="8 blocks of rows, but only 2 fit in memory"):
        rows.take(np.arange(8) * BLOCK_ROWS)


def test_rows_that_do_not_fit_the_net_are_refused() -> None:
    rows = stored(10, False, BLOCK_ROWS)
    rows.check((3,), (2,), np.dtype("float32"))
    for input_shape, output_shape, dtype in [((4,), (2,), "float32"), ((3,), (1,), "float32"), ((3,), (2,), "float64")]:
        with pytest.raises(ValueError, match="do not fit the net"):
            rows.check(input_shape, output_shape, np.dtype(dtype))


@pytest.mark.parametrize("weighted", [False, True])
def test_training_on_disk_gives_the_same_bytes_as_training_in_memory(weighted: bool) -> None:
    n = 5 * BLOCK_ROWS + 77
    X, y, weight = arrays(n, weighted)
    vectors = []
    for rows in (RowsInMemory(X, y, weight), stored(n, weighted, 4 * BLOCK_ROWS)):
        model = Model([Linear(units=8), Tanh(), Linear(units=2)], MSE(), (3,), "float32", np.random.default_rng(0))
        batches = Batches(n, 64, window=2 * BLOCK_ROWS)
        Trainer(model, batches, Plan(Adam(), 0.01)).train(rows, 2)
        vectors.append(model.parameters.vector.tobytes())
    assert vectors[0] == vectors[1]


@pytest.mark.parametrize("weighted", [False, True])
def test_a_batch_that_is_in_the_window_allocates_nothing(weighted: bool) -> None:
    n = 8 * BLOCK_ROWS
    rows, (X, y, weight) = stored(n, weighted, n), arrays(n, weighted)
    batches = list(Batches(n, 4 * BLOCK_ROWS).epoch(1))
    for batch in batches:
        rows.take(batch)
    tracemalloc.start()
    try:
        for batch in batches:
            x, *others = rows.take(batch)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < batches[0].nbytes / 4  # of which an array of places would be the whole
    np.testing.assert_array_equal(x, X[batch])
    for found, whole in zip(others, (y, weight), strict=True):
        np.testing.assert_array_equal(found, None if whole is None else whole[batch])
