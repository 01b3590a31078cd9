"""What nnfs needs from the machine: whole files, locks, threads, random streams and compiled loops.

Read `wording`, `files` and `matching` first, then `random`, `threads`, `lock`, `jit` and `spill`.
"""
