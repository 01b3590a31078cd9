"""Excel workbooks: `source` reads them with calamine, `writer` writes them with openpyxl."""

from nnfs_cli.data.excel.source import Excel as Excel
