"""Read and write Parquet files."""

from nnfs_cli.data.parquet.source import Parquet as Parquet
