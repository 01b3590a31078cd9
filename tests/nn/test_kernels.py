"""Products that several threads share have the bytes of products of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.nn import kernels
from nnfs_cli.system import threads
from nnfs_cli.system.threads import thread_limit


def matrices(m: int, k: int, n: int, dtype: str, transposed: tuple[bool, bool]) -> tuple[Array, Array]:
    rng = np.random.default_rng(m + k + n)
    shapes = ((m, k), (k, n))
    drawn = [
        rng.standard_normal(shape[::-1] if turned else shape) for shape, turned in zip(shapes, transposed, strict=True)
    ]
    a, b = (
        array.astype(dtype).T if turned else array.astype(dtype)
        for array, turned in zip(drawn, transposed, strict=True)
    )
    return a, b


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 400), st.integers(1, 300), st.integers(1, 400), st.sampled_from(["float32", "float64"]),
    st.tuples(st.booleans(), st.booleans()), st.integers(2, 5),
)  # fmt: skip
def test_a_shared_product_is_the_product(
    m: int, k: int, n: int, dtype: str, transposed: tuple[bool, bool], pieces: int
) -> None:
    a, b = matrices(m, k, n, dtype, transposed)
    with thread_limit(1):
        whole = a.dot(b)
        for _ in range(2):  # the first one is compared with the whole
            assert kernels.shared_product(a, b, np.full_like(whole, np.nan), pieces).tobytes() == whole.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("transposed", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize(
    "shape", [(128, 784, 512), (784, 128, 512), (1_024, 256, 1_024), (4_096, 80, 80), (300, 500, 301)]
)
def test_no_size_of_a_net_changes_a_byte(
    shape: tuple[int, int, int], transposed: tuple[bool, bool], dtype: str
) -> None:
    a, b = matrices(*shape, dtype, transposed)
    with thread_limit(1):
        whole = a.dot(b)
        for pieces in (2, 3, 8):
            assert kernels.shared_product(a, b, np.full_like(whole, np.nan), pieces).tobytes() == whole.tobytes()


def test_a_library_that_rounds_pieces_otherwise_computes_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrongly(a: Array, b: Array) -> Array:
        product: Array = np.nextafter(a.dot(b), np.inf)
        return product

    monkeypatch.setattr(kernels, "_same_bytes", {})
    a, b = matrices(130, 20, 70, "float64", (False, False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels.np, "matmul", wrongly)
        for _ in range(3):
            assert np.array_equal(kernels.shared_product(a, b, np.empty((130, 70)), 2), a.dot(b))
    assert list(kernels._same_bytes.values()) == [False]


@pytest.mark.parametrize(("shape", "limit", "expected"), [
    ((512, 256, 256), 4, 2), ((512, 256, 256), 1, 1), ((256, 256, 256), 4, 1), ((512, 256, 1_024), 4, 4)
])  # fmt: skip
def test_large_products_are_cut_into_as_many_pieces_as_pay(
    shape: tuple[int, int, int], limit: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [1]

    def alone(jobs: Sequence[Callable[[], Array]]) -> None:
        seen.append(len(jobs))
        for job in jobs:
            job()

    monkeypatch.setattr(threads, "available_cores", lambda: 8)
    monkeypatch.setattr(threads._limits, "most", 0)
    monkeypatch.setattr(kernels, "do_together", alone)
    a, b = matrices(*shape, "float32", (False, False))
    with thread_limit(limit):
        for _ in range(2):
            kernels.matmul(a, b, np.empty((shape[0], shape[2]), "float32"))
    assert seen[-1] == expected


def test_a_vector_times_a_large_matrix_is_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "SHARE", 1_000)
    with thread_limit(2):
        out = kernels.matmul(np.ones(100, "float32"), np.ones((100, 5_000), "float32"), np.empty(5_000, "float32"))
    assert (out == 100).all()
