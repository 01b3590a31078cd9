"""What users import from Python: estimators, runs and the net itself.

`nnfs_cli` re-exports the public names and loads each one when it is first used.
"""
