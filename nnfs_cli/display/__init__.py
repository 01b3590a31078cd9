"""What the command line and Python both show of a training: its progress, its figures and its learning curves.

Read `progress.py` first: it chooses between `notebook.py`, `live.py` (a terminal) and `lines.py` (a file or a pipe).
`stderr.py` writes lines, and `status_line.py` one that says what is being done. The other files only return texts and
tables.
"""
