"""The elementary functions of kernels against those of NumPy and SciPy in higher precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import erf

from nnfs_cli.arrays import Array
from nnfs_cli.system.machine_code.kernel import Floats, kernel
from nnfs_cli.training.compiled import functions
from nnfs_cli.training.compiled.functions import (
    exp,
    expm1,
    log,
    log1p,
    normal_cdf,
    power,
    sigmoid,
    sign,
    softplus,
    tanh,
)
from tests.training.compiled.kernels import run


def _normal_cdf(x: Array) -> Array:
    """Return Φ(x). In its tail, where SciPy's has an error of 500 units in the last place, use Laplace's fraction."""
    y = (1 + erf(x.astype(float) / math.sqrt(2))) / np.longdouble(2)
    a = -x[x < -0.7]
    fraction = a
    for k in range(1000, 0, -1):
        fraction = a + k / fraction
    y[x < -0.7] = np.exp(-a * a / 2) / np.sqrt(2 * np.longdouble(np.pi)) / fraction
    return y


EXACT = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.where(np.isinf(x), np.maximum(x, 0), np.logaddexp(0, x)),
    "normal_cdf": _normal_cdf,
    "sign": np.sign,
}
NAMES = (*EXACT, "power")
ULPS = {"expm1": 2, "tanh": 3, "sigmoid": 3, "softplus": 2, "normal_cdf": 8}  # the others: 1
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 1e-310, -1e-310, 1e-42, -1e-42, 1e38, -1e38, 709.0]


@kernel
def everything(lo: int, hi: int, y: Floats, x: Floats, n: int) -> None:
    """Compute all functions of the n numbers x, one row of y for each."""
    for i in range(lo, hi):
        y[i] = exp(x[i])
    for i in range(lo, hi):
        y[n + i] = expm1(x[i])
    for i in range(lo, hi):
        y[2 * n + i] = log(x[i])
    for i in range(lo, hi):
        y[3 * n + i] = log1p(x[i])
    for i in range(lo, hi):
        y[4 * n + i] = tanh(x[i])
    for i in range(lo, hi):
        y[5 * n + i] = sigmoid(x[i])
    for i in range(lo, hi):
        y[6 * n + i] = softplus(x[i])
    for i in range(lo, hi):
        y[7 * n + i] = normal_cdf(x[i])
    for i in range(lo, hi):
        y[8 * n + i] = sign(x[i])
    for i in range(lo, hi):
        y[9 * n + i] = power(abs(x[i]), x[0])


def compiled(x: Array, cuts: tuple[int, ...] = ()) -> dict[str, Array]:
    """Return the values of all functions from machine code, which computes the pieces between cuts on their own."""
    y = np.full((len(NAMES), len(x)), np.nan, x.dtype)
    run(everything, x.dtype, len(x), y, x, len(x), cuts=cuts)
    return dict(zip(NAMES, y, strict=True))


def numbers(name: str, n: int, dtype: type) -> Array:
    """Return numbers of all sizes for which the function is defined, and special ones."""
    rng = np.random.default_rng(0)
    low, high = (-25, 4.7) if dtype == np.float32 else (-45, 6.6)
    size = np.exp(rng.uniform(low, high, n))
    x = np.concatenate([size, -size, rng.uniform(-3, 3, n), rng.uniform(-90, 90, n)])
    if name == "log":
        wide = 87 if dtype == np.float32 else 700
        x = np.concatenate([np.exp(rng.uniform(-wide, wide, n)), rng.uniform(0.3, 3, n), 1 + x[:n] / 1000])
    if name == "log1p":
        x = np.concatenate([x[x > -1], np.exp(rng.uniform(0, 80, n)), size[:n] / size.max() - 1])
    with np.errstate(over="ignore", under="ignore"):
        return np.concatenate([x, SPECIAL]).astype(dtype)


def check(name: str, x: Array, y: Array) -> None:
    """Raise unless y is the function of x, to as many units in the last place as its docstring says."""
    with np.errstate(all="ignore"):
        want = EXACT[name](x.astype(np.longdouble))
        rounded = want.astype(x.dtype)
        unit = np.spacing(np.abs(rounded)).astype(np.longdouble)
        errors = np.abs(y - want) / unit
    finite = np.isfinite(rounded)
    worst = np.argmax(np.where(finite, errors, 0))
    assert errors[worst] <= ULPS.get(name, 1), (x[worst], y[worst], want[worst])
    np.testing.assert_array_equal(y[~finite], rounded[~finite])
    zero = rounded == 0
    np.testing.assert_array_equal(np.signbit(y[zero]), np.signbit(rounded[zero]))


@pytest.mark.parametrize("name", EXACT)
def test_a_function_is_right_to_its_units_in_the_last_place(name: str) -> None:
    x = numbers(name, 60, np.float64)
    with np.errstate(all="ignore"):
        y = np.array([getattr(functions, name)(each) for each in x])
    check(name, x, y)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_machine_code_of_a_function_is_right_to_its_units_in_the_last_place(name: str, dtype: type) -> None:
    x = numbers(name, 5000, dtype)
    check(name, x, compiled(x)[name])


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bytes_do_not_depend_on_how_the_numbers_are_cut(dtype: type) -> None:
    x = numbers("exp", 300, dtype)
    whole = compiled(x)
    for cuts in ((1,), (7, 8, 30, 31, 500), (1000,)):
        for name, y in compiled(x, cuts).items():
            assert y.tobytes() == whole[name].tobytes(), name


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0, 3.7])
def test_powers_are_right_for_the_numbers_of_a_focal_loss(exponent: float) -> None:
    x = np.array([0.0, 1e-300, 1e-16, 0.01, 0.5, 0.999, 1.0, 3.0])
    with np.errstate(all="ignore"):
        found = [power(each, np.float64(exponent)) for each in x]
    np.testing.assert_allclose(found, x**exponent, rtol=1e-13)
