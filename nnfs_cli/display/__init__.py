"""What the command line and Python both show of a training: its progress, its figures and its learning curves.

Read `progress.py` first: it chooses between `notebook.py`, `bar.py` (a terminal) and `lines.py` (a file or a pipe).
`text.py`, `summary.py`, `html.py` and `learning_curves.py` only return text; `stderr.py` writes it.
"""
