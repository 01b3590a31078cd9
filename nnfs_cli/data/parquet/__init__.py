"""Parquet files: `source` reads them, `writer` writes them.

Columns carry their types; `nnfs_cli.data.arrow` converts them.
"""

from nnfs_cli.data.parquet.source import Parquet as Parquet
