"""A model as one C99 file with its header: no dependency but the mathematics of the standard library, no allocation.

Read `format` first, then `source` and `header`, which write the two files; `program`, `places` and `operations`, which
turn values into statements; `numbers_code` and `cells_code`, the functions that a file contains where it uses them;
`text`, how names and numbers are spelled; and `runner`, which compiles a model and runs it.
"""
