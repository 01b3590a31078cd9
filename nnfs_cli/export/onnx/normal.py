"""The normal distribution and the error function, composed of arithmetic, exp, log and sqrt."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nnfs_cli.pipeline import elementwise as e
from nnfs_cli.pipeline.value import Value

# Coefficients of rational functions, from the constant term on. Source of the first three: Cody, "Rational Chebyshev
# Approximations for the Error Function" (1969), as in his subroutine CALERF (1990).
NEAR = (
    (
        3.20937758913846947e3,
        3.77485237685302021e2,
        1.13864154151050156e2,
        3.16112374387056560e0,
        1.85777706184603153e-1,
    ),
    (2.84423683343917062e3, 1.28261652607737228e3, 2.44024637934444173e2, 2.36012909523441209e1, 1.0),
)
MIDDLE = (
    (
        *(1.23033935479799725e3, 2.05107837782607147e3, 1.71204761263407058e3, 8.81952221241769090e2),
        *(2.98635138197400131e2, 6.61191906371416295e1, 8.88314979438837594e0, 5.64188496988670089e-1),
        2.15311535474403846e-8,
    ),
    (
        *(1.23033935480374942e3, 3.43936767414372164e3, 4.36261909014324716e3, 3.29079923573345963e3),
        *(1.62138957456669019e3, 5.37181101862009858e2, 1.17693950891312499e2, 1.57449261107098347e1),
        1.0,
    ),
)
FAR = (
    (
        *(6.58749161529837803e-4, 1.60837851487422766e-2, 1.25781726111229246e-1, 3.60344899949804439e-1),
        *(3.05326634961232344e-1, 1.63153871373020978e-2),
    ),
    (
        *(2.33520497626869185e-3, 6.05183413124413191e-2, 5.27905102951428412e-1, 1.87295284992346725e0),
        *(2.56852019228982242e0, 1.0),
    ),
)
# Source of the others: Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution" (1988), PPND16.
CENTRE = (
    (
        *(3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4),
        *(4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    ),
    (
        *(1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3),
        *(2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
    ),
)
TAIL = (
    (
        *(1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0),
        *(1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    ),
    (
        *(1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1),
        *(1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
    ),
)
END = (
    (
        *(6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1),
        *(2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    ),
    (
        *(1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2),
        *(7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
    ),
)
# ln((1 - erf(z)) exp(z²) / t) within 5e-8, for t = 1 / (1 + z / 2) from 0.16 to 1; fitted for this file.
SINGLE = (
    *(-1.2654530101374204, 0.998726189086369, 0.3859063895948501, 0.037814198028912796, -0.007401483258616892),
    *(-0.06522906343859361, -0.7131352855175213, 1.1685776141796187, -0.6855573308710509, 0.14575183000943878),
)
Ratio = tuple[Sequence[float], Sequence[float]]


def erf(value: Value, x: Value) -> Value:
    """Compose the error function, in float64."""
    x = e.cast(x, "float64")
    near, tail = _near(x), e.subtract(1, _tail(e.absolute(x)))
    signed = e.where(e.less(x, 0), e.negative(tail), tail)
    return e.cast(e.where(_is_near(x), near, signed), value.dtype)


def normal_cdf(value: Value, x: Value) -> Value:
    """Compose Φ(x) = (1 - erf(-x / √2)) / 2, with small numbers as exact as others."""
    if value.dtype == "float32":
        return _single_normal_cdf(x)
    z = e.multiply(e.cast(x, "float64"), -math.sqrt(0.5))
    near, tail = e.subtract(1, _near(z)), _tail(e.absolute(z))
    twice = e.where(_is_near(z), near, e.where(e.less(z, 0), e.subtract(2, tail), tail))
    return e.multiply(twice, 0.5)


def _single_normal_cdf(x: Value) -> Value:
    """Compose Φ(x) in float32, with a fifth of the operations."""
    t = e.divide(1, e.add(e.multiply(e.absolute(x), math.sqrt(0.125)), 1))
    exponent = e.subtract(polynomial(SINGLE, t), e.multiply(e.multiply(x, x), 0.5))
    tail = e.multiply(e.multiply(t, e.exp(exponent)), 0.5)
    return e.where(e.less(x, 0), tail, e.subtract(1, tail))


def normal_quantile(value: Value, p: Value) -> Value:
    """Compose Φ⁻¹(p), in float64."""
    p = e.cast(p, "float64")
    q = e.subtract(p, 0.5)
    centre = e.multiply(q, _ratio(CENTRE, e.subtract(0.180625, e.multiply(q, q))))
    r = e.sqrt(e.negative(e.log(e.minimum(p, e.subtract(1, p)))))
    far = e.where(e.less_equal(r, 5), _ratio(TAIL, e.subtract(r, 1.6)), _ratio(END, e.subtract(r, 5)))
    outer = e.where(e.less(q, 0), e.negative(far), far)
    return e.cast(e.where(e.less_equal(e.absolute(q), 0.425), centre, outer), value.dtype)


def _is_near(x: Value) -> Value:
    return e.less_equal(e.absolute(x), 0.46875)


def _near(x: Value) -> Value:
    """Return erf(x) for |x| <= 0.46875."""
    return e.multiply(x, _ratio(NEAR, e.multiply(x, x)))


def _tail(y: Value) -> Value:
    """Return 1 - erf(y) for y >= 0.46875."""
    inverse = e.divide(1, e.multiply(y, y))
    middle = _ratio(MIDDLE, y)
    far = e.divide(e.subtract(1 / math.sqrt(math.pi), e.multiply(inverse, _ratio(FAR, inverse))), y)
    return e.multiply(e.exp(e.negative(e.multiply(y, y))), e.where(e.less_equal(y, 4), middle, far))


def _ratio(of: Ratio, x: Value) -> Value:
    return e.divide(polynomial(of[0], x), polynomial(of[1], x))


def polynomial(coefficients: Sequence[float], x: Value) -> Value:
    """Return the sum of coefficients times powers of x, from x^0 on."""
    *others, leading = coefficients
    found = e.multiply(x, leading)
    for coefficient in reversed(others[1:]):
        found = e.multiply(e.add(found, coefficient), x)
    return e.add(found, others[0])
