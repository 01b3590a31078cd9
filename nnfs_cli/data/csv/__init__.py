"""Read and write CSV files: cut them into blocks, infer what the columns hold, and parse the cells."""

from nnfs_cli.data.csv.source import Csv as Csv
