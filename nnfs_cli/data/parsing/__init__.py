"""Parsers: they read the texts of a column, as people write them, as numbers or dates, before anything else sees them.

Read `shapes` first (why a parser looks at few shapes instead of many texts), then `base` and `evidence`; then a parser:
`number` with `number_shape`, `number_settings` and `units`; `date` with `date_shape`, `date_settings` and
`month_names`; `boolean`, `duration` and `range`. `parsed_columns` applies parsers to a table, and `recognise` finds the
parser of a column. A file is imported when its parser is first asked for.
"""

from nnfs_cli.data.parsing.base import Parser

Parser.registered.expect(__name__, __path__)

__all__ = ["Parser"]
