"""CSV files: cut them into blocks, infer the kinds of the columns, and parse the cells.

Read in this order: `layout`, `byte_stream`, `records`, `text_checks`, `other_lines`, `header` and `blocks` (from a file
to blocks of whole records), `cell_parser` (from a block to columns), `inference` (the kinds of columns), `source` (the
data set), and `writer`.
"""

from nnfs_cli.data.csv.source import Csv as Csv
