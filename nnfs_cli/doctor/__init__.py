"""Diagnoses of a training, before it starts or after it has ended: each is measured, explained, and has a remedy.

Read `diagnosis` first, then `examine_config` (before training) and `examine_run` (after it). Each check is a function
in a file of its own, in `before/` or `after/`: it yields diagnoses, and says nothing when it does not know.
"""
