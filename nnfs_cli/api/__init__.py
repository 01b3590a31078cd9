"""The Python API: estimators, runs, trainings and nets, for notebooks and programs.

`nnfs_cli` itself offers these names, and loads each module when a name of it is first used. Read `tables`, `frame`,
`history`, `settings`, `config_from` and `callbacks` first, which the rooms share, then `estimators/`, `runs/` and
`nets/`.
"""
