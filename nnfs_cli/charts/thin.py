"""Leave out what nobody could see: a long curve keeps its peaks, a crowd of points keeps its outline."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array

COLUMNS = 240  # groups of a curve


def thinned_curve(y: Array, columns: int = COLUMNS) -> Array:
    """Return the indices of the points that stay: of each group of neighbours the first, lowest, highest and last.

    Source: Jugel et al. 2014, "M4: A Visualization-Oriented Time Series Data Aggregation".
    """
    n = len(y)
    if n <= 4 * columns:
        return np.arange(n)
    edges = np.linspace(0, n, columns + 1).astype(int)
    kept = [
        {first, last - 1, first + int(np.argmin(y[first:last])), first + int(np.argmax(y[first:last]))}
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    return np.array(sorted(set().union(*kept)))


def thinned_points(x: Array, y: Array, most: int) -> Array:
    """Return the indices of at most `most` points, where x and y are pixels: one of those that share two pixels."""
    cells = np.stack([np.round(x / 2), np.round(y / 2)])
    kept = np.sort(np.unique(cells, axis=1, return_index=True)[1])
    if len(kept) > most:
        kept = kept[np.linspace(0, len(kept) - 1, most).astype(int)]
    return kept
