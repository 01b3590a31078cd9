"""A model as one C99 file with its header: no dependency but the mathematics of the standard library, no allocation.

Read `format` first, then `source` and `header`, which write the two files; `program` and `places`, the statements and
where values lie; `entrywise`, `axes` and `cells`, the operations; `functions` and the three files of code, what a file
contains where it uses it; `text`, how names and numbers are spelled; and `runner`, which compiles a model and runs it.
"""
