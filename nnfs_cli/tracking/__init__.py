"""Trackers: places outside of a run that are told of its settings, its epochs and its end.

Read `base.py` first: it holds the contract of a `Tracker`. `trackers.py` is the block of the config that names them,
and `tensorboard.py`, `mlflow.py` and `csv.py` are one tracker each. Nothing here reads a run: `workflows.tracking`
does, and tells a tracker what is in it, in a process of its own.
"""
