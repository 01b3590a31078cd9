"""Rows of queries: `source` reads them once, in order, into a snapshot; `append` adds predictions to a table.

Read `database` (what a database can do), `postgresql`, `sqlite` and `duckdb` (those that can), and `url` (which one a
URL names). Passwords are never in a config: a URL names an environment variable for them.
"""

from nnfs_cli.data.sql.source import DuckDb as DuckDb
from nnfs_cli.data.sql.source import Sql as Sql
