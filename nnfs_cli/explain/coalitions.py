"""The mixtures of a row with typical rows that its Shapley values are estimated from.

A coalition takes some columns from the row that is explained, and the others from a row of the background. The Shapley
value of a column is the mean change of the prediction when its cell is taken over, over all orders in which the cells
may be taken over. A walk takes them over in one order. Each order is also walked backwards, with the same row of the
background: then the mean is exact for any sum of functions of one and of two columns.

Sources: Štrumbelj and Kononenko, "An Efficient Explanation of Individual Classifications using Game Theory" (2010);
Mitchell et al., "Sampling Permutations for Shapley Value Estimation" (2022), for walks in both directions.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from nnfs_cli.arrays import Array


class Coalitions(NamedTuple):
    """Some coalitions of columns, the first of which is the whole row.

    `mask` (n, columns) says which columns come from the row that is explained, `other` (n,) is the index of the row of
    the background that the others come from, and `shares` @ values, (columns, n) @ (n,), are Shapley values, apart from
    a constant of each column.
    """

    mask: Array
    other: Array
    shares: Array

    @classmethod
    def along_walks(cls, orders: Array) -> Self:
        """Return the coalitions on walks in some orders (walks, columns), each there and back with a row of its own."""
        n_walks, n_columns = orders.shape
        mask, other = [np.ones(n_columns, bool)], [0]
        shares = [np.zeros(n_columns)]
        for k, order in enumerate(orders.tolist()):
            shares[0][order[0]] += 1
            shares[0][order[-1]] += 1
            for t in range(1, n_columns):
                there = np.zeros(n_columns, bool)
                there[order[:t]] = True
                change = np.zeros(n_columns)
                change[order[t - 1]], change[order[t]] = 1, -1
                mask += [there, ~there]
                shares += [change, -change]
                other += [k, k]
        return cls(np.array(mask), np.array(other), np.array(shares).T / (2 * n_walks))
