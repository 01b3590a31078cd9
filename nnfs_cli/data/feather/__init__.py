"""Feather files, which are Arrow IPC files: `source` reads them, `writer` writes them."""

from nnfs_cli.data.feather.source import Feather as Feather
