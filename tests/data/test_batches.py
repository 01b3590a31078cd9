"""The rows of each batch, and the random streams that determine their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.data.batches import Batches
from nnfs_cli.system.random import member_streams, random_stream

rows = st.integers(1, 200)
sizes = st.integers(1, 250)
seeds = st.integers(0, 2**64)
epochs = st.integers(1, 10_000)
orders = st.sampled_from([{"shuffle": True}, {"shuffle": False}, {"replacement": True}, {"window": 2048}])


def indices(batches: Batches, epoch: int = 1) -> list[list[int]]:
    """The rows of each batch of an epoch."""
    return [np.arange(batches.rows)[batch].tolist() for batch in batches.epoch(epoch)]


def flat(batches: Batches, epoch: int = 1) -> list[int]:
    return [row for batch in indices(batches, epoch) for row in batch]


@given(rows, sizes, st.booleans(), seeds, epochs)
def test_every_row_occurs_exactly_once_per_epoch(rows: int, size: int, shuffle: bool, seed: int, epoch: int) -> None:
    batches = Batches(rows, size, shuffle, seed=seed)
    found = indices(batches, epoch)
    assert sorted(row for batch in found for row in batch) == list(range(rows))
    assert len(found) == batches.steps == -(-rows // size)


@given(rows, sizes, st.booleans(), st.booleans())
def test_all_batches_are_full_but_the_last(rows: int, size: int, shuffle: bool, replacement: bool) -> None:
    *full, last = map(len, indices(Batches(rows, size, shuffle, replacement)))
    assert set(full) <= {size}
    assert last == (rows % size or size)


@given(rows, sizes, st.booleans(), st.booleans())
def test_drop_last_drops_only_a_short_last_batch(rows: int, size: int, shuffle: bool, replacement: bool) -> None:
    dropping, keeping = (Batches(rows, size, shuffle, replacement, drop_last) for drop_last in (True, False))
    assert indices(dropping) == indices(keeping)[: rows // size]
    assert dropping.steps == rows // size


@given(rows, sizes, st.integers(1, 20), orders, st.booleans(), seeds, epochs)
def test_a_last_batch_that_is_too_small_joins_the_one_before_it(
    rows: int, size: int, smallest: int, order: dict[str, Any], drop_last: bool, seed: int, epoch: int
) -> None:
    batches = Batches(rows, size, **order, drop_last=drop_last, seed=seed, smallest=smallest)
    whole, rest = divmod(rows, size)
    sizes = [size] * whole
    if rest and not drop_last:
        if sizes and rest < smallest:
            sizes[-1] += rest
        else:
            sizes.append(rest)
    assert list(map(len, indices(batches, epoch))) == sizes
    assert batches.steps == len(sizes)
    others = flat(Batches(rows, size, **order, drop_last=drop_last, seed=seed), epoch)
    assert flat(batches, epoch) == others  # which rows come, and in which order, is as it was
    if not order.get("replacement"):
        assert len(set(others)) == sum(sizes)


@pytest.mark.parametrize(
    ("rows", "size", "smallest", "sizes"),
    [
        (65, 32, 1, [32, 32, 1]),
        (65, 32, 2, [32, 33]),
        (66, 32, 2, [32, 32, 2]),
        (64, 32, 2, [32, 32]),
        (33, 32, 2, [33]),
        (1, 32, 2, [1]),  # there is no batch before it; who needs two rows has to refuse
    ],
)
def test_sizes_of_batches_with_a_smallest_size(rows: int, size: int, smallest: int, sizes: list[int]) -> None:
    assert list(map(len, indices(Batches(rows, size, smallest=smallest)))) == sizes


@given(rows, sizes, seeds, epochs)
def test_replacement_draws_as_many_rows_as_there_are(rows: int, size: int, seed: int, epoch: int) -> None:
    found = flat(Batches(rows, size, replacement=True, seed=seed), epoch)
    assert len(found) == rows
    assert set(found) <= set(range(rows))


def test_replacement_draws_uniformly_and_repeats_rows() -> None:
    counts = np.zeros(50, int)
    for epoch in range(1, 401):
        drawn = np.bincount(flat(Batches(50, 8, replacement=True), epoch), minlength=50)
        assert drawn.max() > 1
        counts += drawn
    assert abs(counts - 400).max() < 100  # five standard deviations


@pytest.mark.parametrize("shuffle", [True, False])
def test_full_batch_is_one_step_with_all_rows(shuffle: bool) -> None:
    batches = Batches(7, 7, shuffle)
    assert batches.steps == 1
    assert [sorted(batch) for batch in indices(batches)] == [list(range(7))]


@given(rows, sizes, epochs)
def test_without_shuffling_batches_are_slices_in_table_order(rows: int, size: int, epoch: int) -> None:
    batches = Batches(rows, size, shuffle=False)
    assert flat(batches, epoch) == list(range(rows))
    assert all(isinstance(batch, slice) for batch in batches.epoch(epoch))


@given(rows, sizes, sizes, orders, seeds, epochs)
def test_order_depends_only_on_seed_and_epoch(
    rows: int, size: int, other_size: int, order: dict[str, Any], seed: int, epoch: int
) -> None:
    batches = Batches(rows, size, **order, seed=seed)
    first = flat(batches, epoch)
    np.random.seed(epoch)  # global state says nothing
    flat(batches, epoch + 1)  # nor does what was drawn before
    assert flat(batches, epoch) == first
    assert flat(Batches(rows, other_size, **order, seed=seed), epoch) == first


@pytest.mark.parametrize("order", [{"replacement": True}, {"replacement": False}, {"window": 2048}], ids=str)
def test_order_differs_for_each_epoch_and_seed(order: dict[str, Any]) -> None:
    orders = {tuple(flat(Batches(100, 10, **order, seed=seed), epoch)) for seed in range(5) for epoch in range(1, 6)}
    assert len(orders) == 25


@given(seeds, st.text(max_size=20), st.integers(0, 2**40))
def test_equal_streams_are_equal(seed: int, role: str, epoch: int) -> None:
    assert random_stream(seed, role, epoch).bytes(64) == random_stream(seed, role, epoch).bytes(64)


@pytest.mark.parametrize("n", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_no_two_seeds_roles_members_epochs_and_batches_share_a_stream(n: int) -> None:
    rng = np.random.default_rng(0)
    roles = ("weights", "dropout", "batches", "split", "holdout", "folds", "sample")
    seeds = np.concatenate([rng.integers(0, 20, n // 2), rng.integers(2**31, 2**32, n // 2)]).tolist()
    small = [rng.integers(0, 30, n).tolist() for _ in range(3)]
    keys = {(s, roles[i % len(roles)], *rest) for i, (s, *rest) in enumerate(zip(seeds, *small, strict=True))}
    assert len({random_stream(*key).bytes(16) for key in keys}) == len(keys) > 0.95 * n


def test_members_of_neighbouring_seeds_share_no_stream_but_in_edition_1() -> None:
    def members(edition: int) -> list[bytes]:
        return [rng.bytes(16) for seed in range(10) for rng in member_streams(16, edition, seed, "weights")]

    assert len(set(members(2))) == 160
    assert len(set(members(1))) == 25
