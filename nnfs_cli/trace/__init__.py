"""The trace of one training step: every array and every formula, with numbers, from the data to the changed weights.

`values` says what a trace holds.
"""
