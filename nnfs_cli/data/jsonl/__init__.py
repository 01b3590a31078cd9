"""Files of JSON lines: `source` reads them, `writer` writes them."""

from nnfs_cli.data.jsonl.source import JsonLines as JsonLines
