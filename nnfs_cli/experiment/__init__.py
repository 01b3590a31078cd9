"""Everything that is settled before training: the rows, the splits, the fitted encoder and the net.

Read `read_data` first (with `input_columns` and `table_reader`), then `encode_splits`, `usable_rows`, `experiment` and
`warnings`.
"""
