"""The run directory: create it, write to it safely, and read it back with every file checked.

Read `directory` first, then `records`, `epoch_log` (with `epoch_logger`) and `arrays`, then how files are checked:
`status_file`, `checked_files` and `npz`. `environment` describes the machine that a run is made on.
"""
