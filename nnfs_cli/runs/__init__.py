"""The run directory: create it, write to it safely, and read it back.

Read `run` first, then `checked_files`, `npz` and `environment`.
"""
