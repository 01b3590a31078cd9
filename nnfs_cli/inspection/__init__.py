"""Inspect a table before training: what `nnfs init` proposes and what `nnfs check` finds.

`nnfs init` reads in this order: `table_profile` (with `csv_dialect` and `column_kinds`), `propose` (with
`column_relations`) and `write_config`. `nnfs check` uses `findings` and `cost_estimate`. `choices` tells
Python users what was proposed and why. `load_config` applies a preset.
"""
