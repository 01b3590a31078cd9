"""Train a model: the loop, and the optimizers, schedules and callbacks it is made of.

Read `trainer` first, then `optimizers/base`, `schedules` and `early_stopping`.
"""
