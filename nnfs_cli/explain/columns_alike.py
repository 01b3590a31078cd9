"""Groups of closely related columns, which tell nearly the same, such as height and weight.

Shuffled one at a time, each of them looks less important than it is, since the net finds the same in the others; so
they are shuffled together, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.data.encoder import Encoder

ALIKE = 0.7  # mean association from which on columns are in a group
LEVELS = 20  # the most frequent categories of a column that are told apart
MOST_ROWS = 2_000
MOST_COLUMNS = 500


def columns_alike(encoder: Encoder, X: Array, inputs: Mapping[str, Array]) -> list[tuple[str, ...]]:
    """Return the groups of columns whose mean association is 0.7 or more, for encoded rows X (rows, inputs).

    Groups are joined by average linkage. `inputs` are those of each column. Of more than 500 columns, the first are
    compared.
    Source: Kaufman and Rousseeuw, "Finding Groups in Data" (1990), chapter 5.
    """
    columns = list(inputs)[:MOST_COLUMNS]
    matrix = associations(encoder, X, {name: inputs[name] for name in columns})
    return [tuple(columns[i] for i in group) for group in _linked(matrix)]


def associations(encoder: Encoder, X: Array, inputs: Mapping[str, Array]) -> Array:
    """Return the association of each two columns, from 0 to 1, (columns, columns); evenly spaced rows are compared.

    For two columns of numbers it is the absolute rank correlation of Spearman, for two of categories Cramér's V, and
    for a mixed pair the correlation ratio of the ranks. All are the root of the mean squared canonical correlation.
    Source: Cramér, "Mathematical Methods of Statistics" (1946), 21.9; Hotelling, "Relations between Two Sets of
    Variates" (1936).
    """
    rows = evenly_spaced(len(X), MOST_ROWS)
    kinds = [block.kind for block in encoder.inputs for _ in block.names]
    codes = set(encoder.codes.tolist())
    bases = [_basis(X[np.ix_(rows, some)], some, kinds, codes) for some in inputs.values()]
    widths = np.array([basis.shape[1] for basis in bases])
    joined, starts = np.concatenate([np.zeros((len(rows), 0)), *bases], axis=1), np.cumsum(widths) - widths
    found = np.eye(len(bases))
    some = np.flatnonzero(widths)
    for i in some:
        squares = np.square(bases[i].T @ joined).sum(axis=0)
        found[i, some] = np.sqrt(np.add.reduceat(squares, starts[some]) / np.minimum(widths[i], widths[some]))
    return np.asarray(np.minimum(found, 1))


def _basis(X: Array, inputs: Array, kinds: Sequence[str], codes: set[int]) -> Array:
    """Return orthonormal columns (rows, n) that span what the inputs of a column say about rows, X (rows, inputs)."""
    kind = kinds[inputs[0]] if len(inputs) else "number"
    if kind != "category":
        numbers = X[:, :1] if kind == "number" else X  # the first input of a number says all that ranks can
        centred = np.stack([_ranks(column) for column in numbers.T], axis=1) if len(inputs) else X[:, :0]
    elif int(inputs[0]) in codes or len(inputs) == 1:
        _, where, counts = np.unique(X[:, 0], return_inverse=True, return_counts=True)
        frequent = np.argsort(-counts, kind="stable")[:LEVELS]
        centred = (where[:, None] == frequent).astype(np.float64)
    else:
        frequent = np.argsort(-np.abs(X).sum(axis=0), kind="stable")[:LEVELS]
        centred = X[:, frequent].astype(np.float64)
    centred = centred - centred.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-6 * max(sizes.max(initial=0), 1e-300)])


def _ranks(values: Array) -> Array:
    """Return the rank of each value (rows,); equal values share the mean of their ranks."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[where])


def _linked(matrix: Array) -> list[list[int]]:
    """Return the groups of two or more columns, by index, that average linkage joins at `ALIKE` or more."""
    members: list[list[int]] = [[i] for i in range(len(matrix))]
    means = matrix - 2 * np.eye(len(matrix))
    while means.size and means.max() >= ALIKE:
        i, j = np.unravel_index(int(means.argmax()), means.shape)
        first, second = min(i, j), max(i, j)
        sizes = len(members[first]), len(members[second])
        joined = (sizes[0] * means[first] + sizes[1] * means[second]) / sum(sizes)
        means[first], means[:, first], means[first, first] = joined, joined, -1
        means = np.delete(np.delete(means, second, axis=0), second, axis=1)
        members[first] += members.pop(second)
    return [sorted(group) for group in members if len(group) > 1]
