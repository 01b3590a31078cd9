"""Everything that is settled before training: rows, splits, the fitted encoder and the net.

Read `read_data` first, then `experiment` and `warnings`.
"""
