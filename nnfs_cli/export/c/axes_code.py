"""C functions for whole axes, products and trees, as templates like those of `numbers_code`."""

from __future__ import annotations

SUM = """
/* The sum of n numbers. */
static $T sum_$S(const $T *x, size_t n)
{
    $A total = 0;

    for (size_t i = 0; i < n; i++) {
        total += ($A)x[i];
    }
    return ($T)total;
}
"""

LARGEST = """
/* The largest of n numbers. */
static $T largest_$S(const $T *x, size_t n)
{
    $T found = x[0];

    for (size_t i = 1; i < n; i++) {
        found = maximum_$S(found, x[i]);
    }
    return found;
}
"""

SMALLEST = """
/* The smallest of n numbers. */
static $T smallest_$S(const $T *x, size_t n)
{
    $T found = x[0];

    for (size_t i = 1; i < n; i++) {
        found = minimum_$S(found, x[i]);
    }
    return found;
}
"""

ALL_TRUE = """
/* Whether all of n entries are true. */
static bool all_true(const bool *x, size_t n)
{
    bool found = true;

    for (size_t i = 0; i < n; i++) {
        found = found && x[i];
    }
    return found;
}
"""

ANY_TRUE = """
/* Whether any of n entries is true. */
static bool any_true(const bool *x, size_t n)
{
    bool found = false;

    for (size_t i = 0; i < n; i++) {
        found = found || x[i];
    }
    return found;
}
"""

PLACE_OF_LARGEST = """
/* The index of the largest of n numbers, the first of equals. */
static int64_t place_of_largest_$S(const $T *x, size_t n)
{
    size_t place = 0;

    for (size_t i = 1; i < n; i++) {
        if ((x[i] > x[place]) || ($NAN(x[i]) && !$NAN(x[place]))) {
            place = i;
        }
    }
    return (int64_t)place;
}
"""

CUMULATIVE_SUM = """
/* The sums up to each of n numbers. */
static void cumulative_sum_$S($T *y, const $T *x, size_t n)
{
    $T total = 0;

    for (size_t i = 0; i < n; i++) {
        total += x[i];
        y[i] = total;
    }
}
"""

CUMULATIVE_MAX = """
/* The largest up to each of n numbers. */
static void cumulative_max_$S($T *y, const $T *x, size_t n)
{
    $T most = x[0];

    for (size_t i = 0; i < n; i++) {
        most = maximum_$S(most, x[i]);
        y[i] = most;
    }
}
"""

SORTED = """
/* n numbers in ascending order, NaN last. */
static void sorted_$S($T *y, const $T *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        while ((at > 0U) && ((x[i] < y[at - 1U]) || ($NAN(y[at - 1U]) && !$NAN(x[i])))) {
            y[at] = y[at - 1U];
            at--;
        }
        y[at] = x[i];
    }
}
"""

SOFTMAX = """
/* exp(x) divided by its sum over n numbers, without overflow. */
static void softmax_$S($T *y, const $T *x, size_t n)
{
    const $T most = largest_$S(x, n);
    $T total = 0;

    for (size_t i = 0; i < n; i++) {
        y[i] = exp$F(x[i] - most);
    }
    total = sum_$S(y, n);
    for (size_t i = 0; i < n; i++) {
        y[i] /= total;
    }
}
"""

PRODUCT = """
/* Add four inputs, each times 16 weights, to 16 sums. Compilers make vector instructions of loops of a fixed length. */
static void add_block_$S($T *restrict y, const $T factor[4], const $T *restrict a, const $T *restrict b,
                         const $T *restrict c, const $T *restrict d)
{
    const $T p = factor[0];
    const $T q = factor[1];
    const $T r = factor[2];
    const $T s = factor[3];

    for (size_t i = 0; i < 16; i++) {
        y[i] += ((p * a[i]) + (q * b[i])) + ((r * c[i]) + (s * d[i]));
    }
}

/* Add four inputs, each times its row of weights (m), to y (m). */
static void add_four_$S($T *restrict y, const $T factor[4], const $T *const row[4], size_t m)
{
    const size_t even = m - (m % 16U);

#if defined(__clang__)
#pragma clang loop vectorize(disable) /* block by block: several blocks together would be gathered from far apart */
#endif
    for (size_t j = 0; j < even; j += 16U) {
        add_block_$S(&y[j], factor, &row[0][j], &row[1][j], &row[2][j], &row[3][j]);
    }
    for (size_t j = even; j < m; j++) {
        y[j] += ((factor[0] * row[0][j]) + (factor[1] * row[1][j])) +
                ((factor[2] * row[2][j]) + (factor[3] * row[3][j]));
    }
}

/* y (rows, m) = x (rows, n) times weight (n, m). Inputs that are zero add nothing, and are left out. */
static void product_$S($T *restrict y, const $T *restrict x, const $T *restrict weight, size_t rows, size_t n, size_t m)
{
    for (size_t i = 0; i < (rows * m); i++) {
        y[i] = 0;
    }
    for (size_t i = 0; i < rows; i++) {
        $T factor[4] = {0};
        const $T *row[4] = {weight, weight, weight, weight};
        size_t count = 0;
        for (size_t k = 0; k < n; k++) {
            if (x[(i * n) + k] != 0) {
                factor[count] = x[(i * n) + k];
                row[count] = &weight[k * m];
                count++;
            }
            if ((count == 4U) || ((count > 0U) && ((k + 1U) == n))) {
                for (size_t j = count; j < 4U; j++) {
                    factor[j] = 0;
                }
                add_four_$S(&y[i * m], factor, row, m);
                count = 0;
            }
        }
    }
}
"""

ADD_LEAVES = """
/* A node of a tree: a row goes `left` nodes on, and one more if its input is larger than the threshold. Leaves lead to
   themselves. */
typedef struct {
    float threshold;
    uint16_t input;
    uint16_t left;
} tree_node;

/* Add the values of the leaves that x reaches in some trees to y. Up to 16 trees are walked through side by side, since
   each step waits for memory; those of about the same depth stand together. */
static void add_leaves(double *y, const float *x, const tree_node *nodes, const float *values, const uint32_t *roots,
                       const uint32_t *depths, size_t trees, size_t n_values)
{
    for (size_t first = 0; first < trees; first += 16U) {
        const size_t n = ((trees - first) < 16U) ? (trees - first) : 16U;
        const uint32_t depth = depths[first + n - 1U];
        const tree_node *at[16];
        for (size_t i = 0; i < n; i++) {
            at[i] = &nodes[roots[first + i]];
        }
        for (uint32_t level = 0; level < depth; level++) {
            for (size_t i = 0; i < n; i++) {
                const tree_node *node = at[i];
                at[i] = &node[node->left + ((x[node->input] > node->threshold) ? 1 : 0)];
            }
        }
        for (size_t i = 0; i < n; i++) {
            const float *leaf = &values[(size_t)(at[i] - nodes) * n_values];
            for (size_t k = 0; k < n_values; k++) {
                y[k] += (double)leaf[k];
            }
        }
    }
}
"""
