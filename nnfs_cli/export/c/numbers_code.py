"""C functions for numbers. A file contains those that it uses.

In a template, $T is the type of the numbers and $S its short name, $F what the names of functions of math.h end in,
$A the type that adds, and $NAN(x) whether x is NaN.
"""

from __future__ import annotations

MAXIMUM = """
/* The larger number, or NaN if one is NaN. */
static $T maximum_$S($T a, $T b)
{
    return ((a > b) || $NAN(a)) ? a : b;
}
"""

MINIMUM = """
/* The smaller number, or NaN if one is NaN. */
static $T minimum_$S($T a, $T b)
{
    return ((a < b) || $NAN(a)) ? a : b;
}
"""

SIGMOID = """
/* 1 / (1 + exp(-x)), without overflow. */
static $T sigmoid_$S($T x)
{
    const $T e = exp$F(-fabs$F(x));

    return ((x >= ($T)0) ? ($T)1 : e) / (($T)1 + e);
}
"""

NORMAL_CDF = """
/* The probability that a standard normal number is at most x. */
static double normal_cdf(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752440);
}
"""

RATIO = """
/* The quotient of two polynomials of degree 7; the coefficients of the highest power come first. */
static double ratio(const double *above, const double *below, double x)
{
    double a = above[0];
    double b = below[0];

    for (size_t i = 1; i < 8; i++) {
        a = (a * x) + above[i];
        b = (b * x) + below[i];
    }
    return a / b;
}
"""

NORMAL_QUANTILE = """
/* The number below which a standard normal number lies with the probability p.
   Source: Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution" (1988). */
static double normal_quantile(double p)
{
    static const double middle[2][8] = {
        {2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
         13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608},
        {5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
         5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0}};
    static const double near[2][8] = {
        {7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
         3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734},
        {1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
         0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0}};
    static const double far[2][8] = {
        {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.2426609473880784386e-3, 0.026532189526576123093,
         0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772},
        {2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
         0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0}};
    const double q = p - 0.5;
    const double tail = (q < 0.0) ? p : (1.0 - p);
    double r = 0.0;
    double found = 0.0;

    if (!((p >= 0.0) && (p <= 1.0))) {
        found = (double)NAN;
    } else if (fabs(q) <= 0.425) {
        found = q * ratio(middle[0], middle[1], 0.180625 - (q * q));
    } else if (tail <= 0.0) {
        found = (q < 0.0) ? -(double)INFINITY : (double)INFINITY;
    } else {
        r = sqrt(-log(tail));
        found = (r <= 5.0) ? ratio(near[0], near[1], r - 1.6) : ratio(far[0], far[1], r - 5.0);
        found = (q < 0.0) ? -found : found;
    }
    return found;
}
"""

REMAINDER = """
/* What a division that rounds down leaves over, with the sign of b. */
static $T remainder_$S($T a, $T b)
{
    const $T rest = fmod$F(a, b);

    return ((rest != ($T)0) && ((rest < ($T)0) != (b < ($T)0))) ? (rest + b) : rest;
}
"""

FLOOR_DIVIDE = """
/* a / b, rounded down. */
static $T floor_divide_$S($T a, $T b)
{
    return floor$F(((a - remainder_$S(a, b)) / b) + ($T)0.5);
}
"""

REMAINDER_WHOLE = """
/* What a division that rounds down leaves over, for b > 0. */
static int64_t remainder_i64(int64_t a, int64_t b)
{
    const int64_t rest = a % b;

    return (rest < 0) ? (rest + b) : rest;
}
"""

FLOOR_DIVIDE_WHOLE = """
/* a / b, rounded down, for b > 0. */
static int64_t floor_divide_i64(int64_t a, int64_t b)
{
    return (a / b) - (((a % b) < 0) ? 1 : 0);
}
"""

ADD_WHOLE = """
/* a + b, which begins again at the lowest number as NumPy does. */
static int64_t add_i64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
"""

SUBTRACT_WHOLE = """
/* a - b, which begins again at the lowest number as NumPy does. */
static int64_t subtract_i64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}
"""

MULTIPLY_WHOLE = """
/* a times b, which begins again at the lowest number as NumPy does. */
static int64_t multiply_i64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}
"""

WHOLE = """
/* A number without the part after its point; the lowest whole number for what 64 bits cannot hold. */
static int64_t whole(double x)
{
    const bool fits = (x >= -9223372036854775808.0) && (x < 9223372036854775808.0);

    return fits ? (int64_t)x : INT64_MIN;
}
"""

ROW_AT = """
/* A code as an index of n rows. */
static size_t row_at(int64_t code, size_t n)
{
    size_t row = 0;

    if (code > 0) {
        row = ((uint64_t)code < (uint64_t)n) ? (size_t)code : (n - 1U);
    }
    return row;
}
"""

COUNT_BELOW = """
/* How many of n ascending knots lie below x; n for NaN. */
static int64_t count_below_$S(const $T *knots, size_t n, $T x)
{
    size_t low = 0;
    size_t high = n;

    while (low < high) {
        const size_t middle = low + ((high - low) / 2U);
        if (knots[middle] >= x) {
            high = middle;
        } else {
            low = middle + 1U;
        }
    }
    return (int64_t)low;
}
"""

COUNT_UP_TO = """
/* How many of n ascending knots are at most x; n for NaN. */
static int64_t count_up_to_$S(const $T *knots, size_t n, $T x)
{
    size_t low = 0;
    size_t high = n;

    while (low < high) {
        const size_t middle = low + ((high - low) / 2U);
        if (knots[middle] > x) {
            high = middle;
        } else {
            low = middle + 1U;
        }
    }
    return (int64_t)low;
}
"""
