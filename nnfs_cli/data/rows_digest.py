"""The digest of rows that come in batches."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.arrow import to_arrow_array, to_column
from nnfs_cli.data.arrow_rows import ArrowRows


def rows_digest(rows: ArrowRows) -> str:
    """Return the SHA-256 of the names, types and cells of rows, which does not depend on how they come in batches."""
    import pyarrow as pa
    import pyarrow.compute

    digests = {name: (hashlib.sha256(), hashlib.sha256()) for name in rows.schema.names}
    types = {name: _plain(rows.schema.field(name).type) for name in digests}
    for batch in rows.batches(rows.schema.names) if digests else ():
        for name, (gaps, cells) in digests.items():
            column = _array(batch.column(name), types[name])
            empty = np.asarray(column.is_null().to_numpy(zero_copy_only=False))
            if types[name] == pa.string():
                texts = column.fill_null("")
                lengths = np.asarray(pa.compute.binary_length(texts).to_numpy(zero_copy_only=False))
                gaps.update(np.where(empty, -1, lengths).astype("<i4").data)
                cells.update("".join(texts.to_pylist()).encode())
            else:
                gaps.update(empty.astype(np.uint8).data)
                cells.update(_values(column).data)
    digest = hashlib.sha256()
    for name, (gaps, cells) in digests.items():
        digest.update(json.dumps([name, str(types[name]), gaps.hexdigest(), cells.hexdigest()]).encode())
    return digest.hexdigest()


def _plain(kind: Any) -> Any:
    """Return the type in which cells of a type are digested."""
    import pyarrow as pa

    types = pa.types
    if types.is_boolean(kind) or types.is_integer(kind):
        return pa.int64()
    if types.is_floating(kind):
        return pa.float64()
    return pa.timestamp("us") if types.is_date(kind) or types.is_timestamp(kind) else pa.string()


def _array(column: Any, kind: Any) -> Any:
    import pyarrow as pa

    if column.type == kind:
        found = column
    elif kind == pa.string() and not pa.types.is_string(column.type):
        try:
            found = to_arrow_array(to_column(column, as_texts=True)).cast(kind)
        except Exception:
            found = pa.array([None if cell is None else str(cell) for cell in column.to_pylist()], kind)
    else:
        found = column.cast(kind, safe=False)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _values(column: Any) -> Array:
    """Return the cells of a column of numbers or dates as 8 bytes each, the same for all empty cells."""
    import pyarrow as pa

    if pa.types.is_floating(column.type):
        numbers = np.asarray(column.to_numpy(zero_copy_only=False)) + 0.0
        return np.where(np.isnan(numbers), np.nan, numbers)
    return np.asarray(column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False))
