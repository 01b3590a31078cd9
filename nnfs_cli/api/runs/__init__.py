"""Training with a run directory, cross-validation, and the runs themselves, as on the command line.

Read `train` and `run` first, then `cross_validation`, `comparison`, `explanation`, `reasons`, `audit` and
`describe_run`, which show results.
"""
