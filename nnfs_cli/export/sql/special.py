"""The error function, the distribution function of the normal distribution and its inverse, which databases lack.

Sources: W. J. Cody, "Rational Chebyshev Approximations for the Error Function" (1969); M. J. Wichura, "Algorithm AS
241: The Percentage Points of the Normal Distribution" (1988). Both are exact to 15 digits or more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

from nnfs_cli.export.sql.arithmetic import (
    absolute,
    add,
    call,
    compare,
    divide,
    every,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    quotient,
    sign_of,
    sqrt,
    subtract,
)
from nnfs_cli.export.sql.terms import Term, case, number

# Coefficients of ratios of two polynomials, the highest power first.
NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
MIDDLE = (
    (
        2.15311535474403846e-8,
        5.64188496988670089e-1,
        8.88314979438837594,
        6.61191906371416295e1,
        2.98635138197400131e2,
        8.81952221241769090e2,
        1.71204761263407058e3,
        2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0,
        1.57449261107098347e1,
        1.17693950891312499e2,
        5.37181101862009858e2,
        1.62138957456669019e3,
        3.29079923573345963e3,
        4.36261909014324716e3,
        3.43936767414372164e3,
        1.23033935480374942e3,
    ),
)
FAR = (
    (
        1.63153871373020978e-2,
        3.05326634961232344e-1,
        3.60344899949804439e-1,
        1.25781726111229246e-1,
        1.60837851487422766e-2,
        6.58749161529837803e-4,
    ),
    (
        1.0,
        2.56852019228982242,
        1.87295284992346725,
        5.27905102951428412e-1,
        6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)
CENTRAL = (
    (
        2.5090809287301226727e3,
        3.3430575583588128105e4,
        6.7265770927008700853e4,
        4.5921953931549871457e4,
        1.3731693765509461125e4,
        1.9715909503065514427e3,
        1.3314166789178437745e2,
        3.3871328727963666080,
    ),
    (
        5.2264952788528545610e3,
        2.8729085735721942674e4,
        3.9307895800092710610e4,
        2.1213794301586595867e4,
        5.3941960214247511077e3,
        6.8718700749205790830e2,
        4.2313330701600911252e1,
        1.0,
    ),
)
TAIL = (
    (
        7.74545014278341407640e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258,
        3.64784832476320460504,
        5.76949722146069140550,
        4.63033784615654529590,
        1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9,
        5.47593808499534494600e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940,
        2.05319162663775882187,
        1.0,
    ),
)
END = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        1.24266094738807843860e-3,
        2.65321895265761230930e-2,
        2.96560571828504891230e-1,
        1.78482653991729133580,
        5.46378491116411436990,
        6.65790464350110377720,
    ),
    (
        2.04426310338993978564e-15,
        1.42151175831644588870e-7,
        1.84631831751005468180e-5,
        7.86869131145613259100e-4,
        1.48753612908506148525e-2,
        1.36929880922735805310e-1,
        5.99832206555887937690e-1,
        1.0,
    ),
)


def _ratio(coefficients: tuple[Sequence[float], Sequence[float]], x: Term) -> Term:
    above, below = (
        reduce(lambda sum_, c: add(multiply(sum_, x), number(c)), powers[1:], number(powers[0]))
        for powers in coefficients
    )
    return quotient(above, below)


def erf(x: Term) -> Term:
    """Return the error function of x."""
    y = absolute(x)
    return case((compare(y, "<", number(0.46875)), _near(x)), default=sign_of(subtract(number(1), _far_erfc(y)), x))


def normal_cdf(x: Term) -> Term:
    """Return the probability that a standard normal number is at most x."""
    z = divide(x, number(math.sqrt(2)))
    y = absolute(z)
    near = add(number(0.5), multiply(number(0.5), _near(z)))
    half = multiply(number(0.5), _far_erfc(y))
    above = (compare(z, ">", number(0)), subtract(number(1), half))
    return case((compare(y, "<", number(0.46875)), near), above, default=half)


def _near(x: Term) -> Term:
    return multiply(x, _ratio(NEAR, multiply(x, x)))


def _far_erfc(y: Term) -> Term:
    """Return 1 - erf(y) for y of 0.46875 or more; below, a number that means nothing."""
    y = minimum(maximum(y, number(0.46875)), number(26))
    square = multiply(y, y)
    over = quotient(number(1), square)
    far = quotient(subtract(number(1 / math.sqrt(math.pi)), multiply(over, _ratio(FAR, over))), y)
    rest = case((compare(y, "<=", number(4)), _ratio(MIDDLE, y)), default=far)
    return multiply(call("EXP", negative(square)), rest)


def normal_quantile(p: Term) -> Term:
    """Return the number that a standard normal number is below with probability p."""
    q = subtract(p, number(0.5))
    central = multiply(q, _ratio(CENTRAL, subtract(number(0.180625), multiply(q, q))))
    r = sqrt(negative(log(minimum(p, subtract(number(1), p)))))
    tail = case(
        (compare(r, "<=", number(5)), _ratio(TAIL, subtract(r, number(1.6)))),
        default=_ratio(END, subtract(r, number(5))),
    )
    inside = every([compare(p, ">", number(0)), compare(p, "<", number(1))])
    return case((compare(absolute(q), "<=", number(0.425)), central), (inside, sign_of(tail, q)))
