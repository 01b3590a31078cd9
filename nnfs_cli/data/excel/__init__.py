"""Excel workbooks: `source` reads them by `workbook` with calamine, `writer` writes them with openpyxl.

Both packages come with the extra `excel`, and are imported when they are used.
"""

from nnfs_cli.data.excel.source import Excel as Excel
