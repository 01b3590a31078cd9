"""Files of JSON lines: `source` reads them, `writer` writes them.

All lines decide the type of a column; `nnfs_cli.data.spooled_rows` keeps the parsed rows.
"""

from nnfs_cli.data.jsonl.source import JsonLines as JsonLines
