"""The digest of the content of a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import utc
from nnfs_cli.data.table import Column
from nnfs_cli.data.texts import Texts
from nnfs_cli.system.parallel_map import parallel_map

LARGE = 1_000_000  # cells from which several threads are faster than one


def content_digest(columns: Mapping[str, Column]) -> str:
    """Return the SHA-256 of the names, types and cells of columns, each (rows,).

    It does not depend on how the columns are stored, such as the order of the categories, the bits of a gap or the zone
    of an instant. The
    whole numbers 1 and 2 and the fractions 1.0 and 2.0 are of different types.
    """
    large = sum(map(len, columns.values())) >= LARGE
    digests = dict(parallel_map(lambda name: _digest(name, columns[name]), columns)) if large else {}
    digest = hashlib.sha256()
    for name, column in columns.items():
        digest.update(digests.get(name) or _digest(name, column))
    return digest.hexdigest()


def _digest(name: str, column: Column) -> bytes:
    """Return the digest of one column."""
    codes, texts = _in_order(column) if isinstance(column, Texts) else (utc(column), None)
    digest = hashlib.sha256(json.dumps([name, codes.dtype.str, texts]).encode())
    digest.update(_one_nan(codes).view(np.uint8).data)
    return digest.digest()


def _in_order(column: Texts) -> tuple[Array, list[str]]:
    """Return the codes and texts of a column, with the texts in the order in which they first occur."""
    n, rows = len(column.distinct), len(column)
    first = np.full(n + 1, rows)
    first[column.codes[::-1]] = np.arange(rows)[::-1]  # the last of several assignments counts: the first row
    order = np.argsort(first[:n], kind="stable")
    ranks = np.full(n + 1, -1, np.int32)
    ranks[order] = np.arange(n)
    return ranks[column.codes], column.distinct[order[first[order] < rows]].tolist()


def _one_nan(values: Array) -> Array:
    """Return contiguous values in which all NaN have the same bits."""
    if values.dtype.kind == "f" and (gaps := np.isnan(values)).any():
        values = np.where(gaps, np.nan, values)
    return np.ascontiguousarray(values)
