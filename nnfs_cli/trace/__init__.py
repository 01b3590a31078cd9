"""The trace of one training step: every array and every formula, with numbers, from the data to the changed weights.

`values` says what a trace holds, and `trace` makes one. Read them first, then `source` and `batch` (the net and its
rows), `record` (what a pass leaves), and `layers`, `losses` and `update` (its steps).
"""
