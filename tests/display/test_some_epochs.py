"""Some epochs that stand for all: the first, the best, the last, and some at even distances."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.display.some_epochs import KEPT, MOST, SomeEpochs


@given(st.lists(st.floats(), min_size=1, max_size=60), st.integers(1, 7))
def test_the_first_the_best_and_the_last_row_are_among_a_few(losses: list[float], log_every: int) -> None:
    epochs = SomeEpochs()
    logged = [{"epoch": log_every * (i + 1), "val_loss": loss} for i, loss in enumerate(losses)]
    for row in logged:
        epochs.add(row)
    rows = epochs.rows()
    best = min(
        (row for row in logged if not math.isnan(row["val_loss"])), key=lambda row: row["val_loss"], default=None
    )
    assert epochs.best is best
    assert rows[0] is logged[0]
    assert rows[-1] is logged[-1]
    assert best is None or any(row is best for row in rows)
    assert len(rows) <= MOST + 3
    assert [row["epoch"] for row in rows] == sorted({row["epoch"] for row in rows})


@pytest.mark.parametrize("n", [1, 12, 13, 100, KEPT + 1, 4_567, 60_000])
def test_the_rows_between_are_round_and_evenly_spaced(n: int) -> None:
    epochs = SomeEpochs()
    for epoch in range(1, n + 1):
        epochs.add({"epoch": epoch})
        assert len(epochs._rows) <= KEPT
    between = [int(row["epoch"]) for row in epochs.rows()][1:-1]
    steps = {b - a for a, b in itertools.pairwise(between)}
    assert len(steps) <= 1
    assert n <= 12 or 4 <= len(between) <= MOST
    assert all(epoch % step == 0 for epoch in between for step in steps)


def test_a_figure_can_be_better_if_it_is_higher() -> None:
    epochs = SomeEpochs("val_accuracy", "max")
    for epoch, accuracy in enumerate([0.5, 0.9, 0.9, 0.1], 1):
        epochs.add({"epoch": epoch, "val_accuracy": accuracy})
    assert epochs.best == {"epoch": 2, "val_accuracy": 0.9}
    epochs.forget_best()
    assert epochs.best is None
