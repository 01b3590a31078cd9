"""What kernels may take, and what they may call."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nnfs_cli.arrays import Array
from nnfs_cli.system.machine_code.kernel import Floats, kernel
from nnfs_cli.training.compiled import steps
from tests.training.compiled.kernels import run


@kernel
def exponential_of_libm(lo: int, hi: int, x: Floats) -> None:
    """Call a function of the library libm."""
    for i in range(lo, hi):
        x[i] = np.exp(x[i])


@pytest.mark.skipif(sys.platform != "linux", reason="only objects of the format ELF are read")
def test_a_kernel_that_calls_a_library_is_refused() -> None:
    with pytest.raises(TypeError, match=r"the kernel exponential_of_libm calls exp$"):
        run(exponential_of_libm, np.float64, 1, np.zeros(1))


@pytest.mark.parametrize(
    "out", [np.zeros(3), np.zeros((3, 3), np.float32).T, np.zeros(3, np.int64)], ids=["dtype", "order", "kind"]
)
def test_an_array_that_a_kernel_cannot_take_is_refused(out: Array) -> None:
    with pytest.raises(TypeError, match="fill takes contiguous arrays of its own dtypes"):
        run(steps.fill, np.float32, 3, out, 0.5)


def test_numbers_of_numpy_are_taken_as_what_the_kernel_takes() -> None:
    out = np.zeros(3, np.float32)
    run(steps.fill, np.float32, 3, out, np.float32(0.5))
    assert out.tolist() == [0.5] * 3
    with pytest.raises(TypeError, match="integer"):
        run(steps.total, np.float32, 1, np.zeros(1), np.zeros(2, np.int64), out, out, np.float32(3))
