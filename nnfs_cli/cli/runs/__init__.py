"""`nnfs runs` and its commands: list the runs of a folder, compare some, show one, remove some.

Read `list_runs.py` first.
"""
