"""Train a model: the loop, and everything it is made of. Nothing here reads or writes files.

Read `trainer` first, then `step_loop` and `minimizer_loop`, then `plan` and `progress`. `shared_loop` makes the steps
of an ensemble in several processes: a `crew`, of which each has its `share`. The parts of a step are in `optimizers/`,
`schedules`, `penalty`, `clipping` and `averaging`; what watches and ends training is in `callbacks/` and
`interruption`.
"""
