"""The checks of a run after its training.

Each file has one check: a function from what the run left to diagnoses.
"""
