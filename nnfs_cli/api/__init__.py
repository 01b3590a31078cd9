"""The Python API: estimators, runs, trainings and nets, for notebooks and programs.

`nnfs_cli` itself offers these names, and loads each module when a name of it is first used. Read `settings` and `frame`
first, then `estimator` with `parameters`, `classifier` and `regressor`, `fit` (with `findings` and `training_summary`),
`run`, `train`, and `sequential`.
"""
