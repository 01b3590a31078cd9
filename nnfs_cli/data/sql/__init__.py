"""Databases: the rows of a query are a data set, and predictions are added to a table.

Read `database` (what a database can do), `postgresql`, `sqlite` and `duckdb` (the databases), `url` (which one a URL
names), `missing` (what a database has instead of a missing table) and `source` (the data sets). Passwords are never in
a config: a URL names an environment variable for them.
"""

from nnfs_cli.data.sql.source import DuckDb as DuckDb
from nnfs_cli.data.sql.source import Sql as Sql
