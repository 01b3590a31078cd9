"""The faults of data and of a net that predictions of rows show, if the net has not seen these rows.

Read `audit` first (with `fold_config` and `audited_rows`), then what yields a `finding`: `wrong_answers` (with
`label_errors` and `improbable_answers`), `duplicates`, `near_duplicates` and `outliers` (with `given_answers`,
`coordinates` and `neighbours`), and `columns`. For groups of rows in which a net is clearly worse, read `slices`,
`run_slices` and `find_slices`: `strata` holds similar rows, and `search` and `exchange` tell a slice from chance.
"""
