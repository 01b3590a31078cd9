"""Write tables as JSON lines."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from nnfs_cli.data.arrow import to_arrow
from nnfs_cli.data.table import text_of
from nnfs_cli.data.table_writer import TableWriter
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import named

PLAIN = (str, int, float, bool, type(None))


class JsonLinesWriter(TableWriter):
    """A writer of JSON lines: one object for each row. Dates are texts, and an empty cell is null."""

    def write(self, columns: Mapping[str, Any]) -> None:
        """Write the next rows."""
        import pyarrow as pa

        table = to_arrow(columns)
        for i, field in enumerate(table.schema):
            if pa.types.is_temporal(field.type) or pa.types.is_decimal(field.type):
                texts = [None if cell is None else text_of(cell) for cell in table.column(i).to_pylist()]
                table = table.set_column(i, field.name, pa.array(texts, pa.string()))
        rows = table.to_pylist()
        try:
            lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows]
        except (ValueError, TypeError):
            raise DataError(_unwritable(rows)) from None
        self.file.write("".join(f"{line}\n" for line in lines).encode())


def _unwritable(rows: list[dict[str, Any]]) -> str:
    for row in rows:
        for name, cell in row.items():
            if not isinstance(cell, PLAIN) or (isinstance(cell, float) and not math.isfinite(cell)):
                return f"column {named(name)} holds {cell!s:.40}, which JSON cannot hold; write to a .parquet file"
    return "JSON cannot hold these columns; write to a .parquet file"
