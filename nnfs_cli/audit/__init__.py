"""The faults of data and of a net that predictions of rows show, if the net has not seen these rows.

Read `audit` first, then what it asks in turn: `wrong_answers`, `duplicates`, `near_duplicates`, `outliers` and
`columns`, each of which yields a `finding` about `audited_rows`.
Read `slices` for groups of rows in which a net is worse than chance would have it. `data.division` deals rows into
groups, `exchange` makes losses of which no group has worse ones, and `search` looks for groups that are worse.
"""
