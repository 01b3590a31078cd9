"""A model as one readable Python file, which needs NumPy alone.

Read `frame` first, the functions that every written file has, and `functions`, of which a file has those that it uses;
then `expressions`, `statements`, `stored`, `source` and `format`. `runner` lets a file predict in a process of its own.
"""
