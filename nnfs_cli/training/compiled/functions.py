"""Elementary functions for kernels, of float32 and float64 alike, without a call of a library.

They use arithmetic, selections and the bits of a number only, so that a compiler turns a loop over them into vector
instructions. Errors are given in units in the last place of the result (ulp), measured against 60 digits. Infinity,
nan, -0 and denormal numbers give what IEEE 754 and C prescribe; a result that is too small for a normal number is
rounded to a denormal one.

The methods are standard: reduction by Cody and Waite, "Software Manual for the Elementary Functions" (1980), and the
forms of log and log1p of Sun's fdlibm (1993); see Muller, "Elementary Functions" (2016), chapters 3 and 11. The
polynomials were computed for this file: each is the best one of its degree on its interval in relative error, found by
Remez' exchange with 50 digits.
"""

from __future__ import annotations

import math

import numpy as np

from nnfs_cli.system.machine_code.intrinsics import float_of_bits, multiply_add
from nnfs_cli.system.machine_code.kernel import SINGLE, device, real

INF, NAN = math.inf, math.nan

LOG2_E = 1.4426950408889634
# ln 2 in two parts. The first has so few bits that its product with any exponent is exact.
LN2_HIGH_SINGLE, LN2_LOW_SINGLE = 0.693145751953125, 1.4286068203094172e-6
LN2_HIGH_DOUBLE, LN2_LOW_DOUBLE = 0.6931471805582987, 1.6465949582897082e-12

# (exp(r) - 1 - r) / r² for |r| <= ln(2) / 2, highest power first.
EXP_SINGLE = (
    0.00139464975273894989, 0.00836661062606478222, 0.0416662813927099966, 0.166665427936403204, 0.500000006208685881,
)  # fmt: skip
EXP_DOUBLE = (
    2.51145198704176225e-8, 2.76263821885883693e-7, 2.75572278183274037e-6, 2.48015043121935405e-5,
    0.000198412699031664959, 0.00138888889324842249, 0.00833333333331453754, 0.0416666666665733238,
    0.166666666666666861, 0.500000000000000557,
)  # fmt: skip
# (ln((1 + s) / (1 - s)) / s - 2) / s² as a function of s², for 1/√2 <= (1 + s) / (1 - s) <= √2.
LOG_SINGLE = (0.298730735677214491, 0.399774955682864832, 0.666667767171765896)
LOG_DOUBLE = (
    0.14797508038577379, 0.153139032200820363, 0.181835697406025462, 0.222221984759749134, 0.285714287432627702,
    0.399999999994110919, 0.66666666666667349,
)  # fmt: skip
# (a + K) exp(a²/2) Φ(-a) as a function of (a - K) / (a + K), for all a >= 0 for which Φ(-a) is not 0.
NORMAL_CENTER_SINGLE, NORMAL_CENTER_DOUBLE = 4.0, 5.0
NORMAL_ODD_SINGLE = (
    -0.000131975274762, 0.0015699235494, -0.00752527057251, -0.186523441608, -0.607896588266,
)  # fmt: skip
NORMAL_EVEN_SINGLE = (
    0.000179348164014, -0.00351254985317, 0.0604038302039, 0.387136901162, 0.755285135385,
)  # fmt: skip
NORMAL_ODD_DOUBLE = (
    2.022517802246709e-09, -1.0222944569993956e-08, 4.360703234693098e-08, -3.377216176877063e-07,
    3.981472483806035e-06, -4.97630019431872e-05, 0.0005448991037824549, -0.0029933767753977897, -0.06911863870597452,
    -0.313533156671315, -0.6653825028900566,
)  # fmt: skip
NORMAL_EVEN_DOUBLE = (
    7.202038312367458e-09, -6.537629541411097e-08, 4.3275404146620387e-07, -2.7691002112011965e-06,
    1.6681163088180762e-05, -5.9375715927943346e-05, -0.0007978694007447253, 0.020795066800173605,
    0.16502036617036492, 0.4953056159699769, 0.769193049750063,
)  # fmt: skip


@device
def polynomial(x: float, coefficients: tuple[float, ...]) -> float:
    """Return a polynomial at x by Horner's scheme; the coefficient of the highest power comes first."""
    y: float = real(coefficients[0])
    for i in range(1, len(coefficients)):
        y = multiply_add(y, x, real(coefficients[i]))
    return y


@device
def nearest(x: float) -> float:
    """Return x rounded to an integer, ties to even, for |x| < 2^22 (2^51): no digits fit behind the point of x + C."""
    if SINGLE:
        return (x + real(1.5 * 2**23)) - real(1.5 * 2**23)
    return (x + real(1.5 * 2**52)) - real(1.5 * 2**52)


@device
def power_of_two(k: float) -> float:
    """Return 2^k for integers k of normal numbers: the last bits of k + C, moved up, are the exponent of the result."""
    if SINGLE:
        single = np.float32(k + real(1.5 * 2**23 + 127)).view(np.uint32)
        return float_of_bits(np.uint32(single << np.uint32(23)))
    double = np.float64(k + real(1.5 * 2**52 + 1023)).view(np.uint64)
    return float_of_bits(np.uint64(double << np.uint64(52)))


@device
def exponent_and_fraction(x: float) -> tuple[float, float]:
    """Return k and m - 1 with x = 2^k · m and 1/√2 <= m < √2, for a positive normal x."""
    if SINGLE:
        single = np.uint32(np.float32(x).view(np.uint32) + np.uint32(0x3F800000 - 0x3F3504F3))
        k = float_of_bits(np.uint32((single >> np.uint32(23)) | np.uint32(0x4B400000)))
        m = float_of_bits(np.uint32((single & np.uint32(0x007FFFFF)) + np.uint32(0x3F3504F3)))
        return k - real(1.5 * 2**23 + 127), m - real(1)
    double = np.uint64(np.float64(x).view(np.uint64) + np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD))
    k = float_of_bits(np.uint64((double >> np.uint64(52)) | np.uint64(0x4338000000000000)))
    m = float_of_bits(np.uint64((double & np.uint64(0x000FFFFFFFFFFFFF)) + np.uint64(0x3FE6A09E667F3BCD)))
    return k - real(1.5 * 2**52 + 1023), m - real(1)


@device
def reduced(x: float) -> tuple[float, float]:
    """Return k and exp(r) - 1, with x = k ln 2 + r and |r| <= ln(2) / 2."""
    k = nearest(x * real(LOG2_E))
    if SINGLE:
        r = multiply_add(-k, real(LN2_LOW_SINGLE), multiply_add(-k, real(LN2_HIGH_SINGLE), x))
        return k, multiply_add(r * r, polynomial(r, EXP_SINGLE), r)
    r = multiply_add(-k, real(LN2_LOW_DOUBLE), multiply_add(-k, real(LN2_HIGH_DOUBLE), x))
    return k, multiply_add(r * r, polynomial(r, EXP_DOUBLE), r)


@device
def within(x: float, low: float, high: float) -> float:
    """Return x clipped to low..high; nan stays nan."""
    x = low if x < low else x
    return high if x > high else x


@device
def exp(x: float) -> float:
    """Return e^x, which is 2^k e^r, to 1 ulp.

    The power is applied in two halves, as 2^k itself may be no normal number.
    """
    x = within(x, real(-105), real(89)) if SINGLE else within(x, real(-746), real(710))
    k, rest = reduced(x)
    half = nearest(k * real(0.5))
    return (rest + real(1)) * power_of_two(half) * power_of_two(k - half)


@device
def expm1(x: float) -> float:
    """Return e^x - 1 = 2 (2^(k-1) (exp(r) - 1) + 2^(k-1) - 1/2), to 2 ulp."""
    bounded = within(x, real(-20), real(89)) if SINGLE else within(x, real(-40), real(710))
    k, rest = reduced(bounded)
    power = power_of_two(k - real(1))
    y = multiply_add(power, rest, power - real(0.5)) * real(2)
    return x if x == real(0) else y


@device
def log_of(k: float, f: float, correction: float) -> float:
    """Return k ln 2 + ln(1 + f) + correction.

    With s = f / (2 + f), ln(1 + f) = ln((1 + s) / (1 - s)) = f - f²/2 + s (f²/2 + s² P(s²)).
    """
    s = f / (real(2) + f)
    z = s * s
    square = real(0.5) * f * f
    if SINGLE:
        low = multiply_add(k, real(LN2_LOW_SINGLE), correction)
        rest = multiply_add(s, multiply_add(z, polynomial(z, LOG_SINGLE), square), low)
        return multiply_add(k, real(LN2_HIGH_SINGLE), f - (square - rest))
    low = multiply_add(k, real(LN2_LOW_DOUBLE), correction)
    rest = multiply_add(s, multiply_add(z, polynomial(z, LOG_DOUBLE), square), low)
    return multiply_add(k, real(LN2_HIGH_DOUBLE), f - (square - rest))


@device
def log(x: float) -> float:
    """Return ln(x), to 1 ulp: -inf for 0, nan below it."""
    smallest = real(2.0**-126) if SINGLE else real(2.0**-1022)
    small = x < smallest  # a denormal number is made a normal one
    k, f = exponent_and_fraction(x * real(2.0**60) if small else x)
    y = log_of(k - real(60) if small else k, f, real(0))
    y = y if x > real(0) else (real(-INF) if x == real(0) else real(NAN))
    return y if x < real(INF) else x  # x is inf or nan


@device
def log1p(x: float) -> float:
    """Return ln(1 + x), to 1 ulp: -inf for -1, nan below it.

    What is lost when u = 1 + x is rounded is put back by ln(u + c) ≈ ln(u) + c / u.
    """
    u = real(1) + x
    k, f = exponent_and_fraction(u)
    lost = real(1) - (u - x) if u > real(2) else x - (u - real(1))
    y = log_of(k, f, lost / u)
    y = y if x > real(-1) else (real(-INF) if x == real(-1) else real(NAN))
    y = y if x < real(INF) else x
    return x if x == real(0) else y


@device
def tanh(x: float) -> float:
    """Return the hyperbolic tangent, ±t / (2 - t) with t = 1 - exp(-2|x|), to 3 ulp."""
    t = -expm1(real(-2) * abs(x))
    y = t / (real(2) - t)
    return y if x > real(0) else (-y if x < real(0) else x)


@device
def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)), to 3 ulp, as the layer does: from exp(-|x|), which never overflows."""
    decay = exp(-abs(x))
    return (decay if x < real(0) else real(1)) / (real(1) + decay)


@device
def softplus(x: float) -> float:
    """Return ln(1 + exp(x)), to 2 ulp, as the layer does: max(x, 0) + ln(1 + exp(-|x|))."""
    return (real(0) if x < real(0) else x) + log1p(exp(-abs(x)))


@device
def normal_cdf(x: float) -> float:
    """Return Φ(x), the distribution function of N(0, 1), to 7 ulp, also where it is small.

    Φ(-a) = exp(-a²/2) R(a) for a >= 0, where R(a) (a + K) is smooth in (a - K) / (a + K), which runs from -1 to 1:
    Shepherd and Laframboise, "Chebyshev Approximation of (1 + 2x) exp(x²) erfc x in 0 <= x < ∞" (1981). The error of
    the rounded square enters exp, so it is computed from the halves of a, whose products are exact (Dekker, 1971).
    """
    a = abs(x)
    if SINGLE:
        a = real(15) if a > real(15) else a
        high = float_of_bits(np.uint32(np.float32(a).view(np.uint32) & np.uint32(0xFFFFF000)))
        share = real(1) / (a + real(NORMAL_CENTER_SINGLE))
        t = (a - real(NORMAL_CENTER_SINGLE)) * share
        ratio = multiply_add(t, polynomial(t * t, NORMAL_ODD_SINGLE), polynomial(t * t, NORMAL_EVEN_SINGLE)) * share
    else:
        a = real(40) if a > real(40) else a
        high = float_of_bits(np.uint64(np.float64(a).view(np.uint64) & np.uint64(0xFFFFFFFFF8000000)))
        share = real(1) / (a + real(NORMAL_CENTER_DOUBLE))
        t = (a - real(NORMAL_CENTER_DOUBLE)) * share
        ratio = multiply_add(t, polynomial(t * t, NORMAL_ODD_DOUBLE), polynomial(t * t, NORMAL_EVEN_DOUBLE)) * share
    square = a * a
    low = a - high
    error = ((high * high - square) + real(2) * high * low) + low * low
    tail = exp(real(-0.5) * square) * multiply_add(real(-0.5) * error, ratio, ratio)
    return tail if x < real(0) else real(1) - tail


@device
def power(x: float, exponent: float) -> float:
    """Return x^exponent for x >= 0 and exponent >= 0, as exp(exponent · ln(x)), to about |ln(result)| ulp."""
    y = exp(exponent * log(x))
    return real(1) if exponent == real(0) else y


@device
def sign(x: float) -> float:
    """Return -1, 0 or 1; nan for nan."""
    return real(1) if x > real(0) else (real(-1) if x < real(0) else x + real(0))
