"""What the command line and Python both show of a training: its progress, its figures and its learning curves.

Read `progress.py` first: it chooses between `lines.py` (a file or a pipe) and `bar.py` (a terminal).
`text.py` and `summary.py` only return text; `stderr.py` writes it.
"""
