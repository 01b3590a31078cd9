"""Inspect a table before training: what `nnfs init` proposes and what `nnfs check` finds.

`nnfs init` reads in this order: `table_profile` (with `csv_dialect` and `column_kinds`), `propose` (with
`column_relations`) and `write_config`. `nnfs check` uses `inspect`: `findings` finds problems, each
a `finding` that may have a `suggestion`, and `fix` makes the changes that are suggested. `cost_estimate` says how long
training takes. `choices` tells Python users what was proposed and why. `load_config` applies a preset.
"""
