"""A model as one SELECT in SQL, which DuckDB, SQLite and PostgreSQL run alike, for linear models and small nets.

SQL has no vectors, so every entry of a value is a column or an expression of its own. Numbers are double precision, and
NULL stands for NaN. Read `terms` first, the expressions; then `arithmetic`, `operations` and `dates`, which say what
every operation of a pipeline is in terms; then `query`, which puts terms into the steps of a SELECT, and `format`.
"""
