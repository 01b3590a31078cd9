"""The checks of a config, its data and its net before training.

Each file has one check: a function from the `Subject` to diagnoses. `subject` holds what several checks measure.
"""
