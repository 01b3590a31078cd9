"""The faults of data and of a net that predictions of rows show, if the net has not seen these rows.

Read `audit` first (with `fold_config`, by which it trains nets that have not seen the rows), then what it asks in turn.
Each of these yields a `finding` about `audited_rows`: `wrong_answers` (by `label_errors` or `improbable_answers`);
`duplicates` and `near_duplicates`, which compare rows and their `given_answers`; `outliers`, which with near duplicates
looks at the `neighbours` of rows by their `coordinates`; and `columns`.

Read `run_slices` and `slices` for groups of rows in which a net is clearly worse. `data.division` deals rows into
groups, `strata` holds rows with similar predictions, `exchange` makes errors by which no group is worse, and `search`
looks for groups that are worse than in any of them.
"""
