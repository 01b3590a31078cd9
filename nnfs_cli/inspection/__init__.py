"""Inspect a table before training: what `nnfs init` proposes and what `nnfs check` finds.

`nnfs init` reads in this order: `table_profile` (with `csv_dialect`, `csv_lines`, `windows_text`, `sheet_layout`,
`column_kinds`, `lists` and `disguises`), `propose` (with `column_relations` and `word_orders`) and `write_config`.
`nnfs check` uses `inspect`: `findings` (with `tails` and `suggest`) finds problems, each a `finding` that may have a
`suggestion`, and `fix` makes the changes that are suggested. `cost_estimate` (with `blend_cost` and `probe_cost`) says
how long training takes, `choices` what was proposed and why. `load_config` applies a preset.
"""
