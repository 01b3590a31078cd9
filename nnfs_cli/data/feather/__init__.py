"""Feather files, which are Arrow IPC files: `source` reads them, `writer` writes them.

Columns carry their types, as in Parquet.
"""

from nnfs_cli.data.feather.source import Feather as Feather
