"""What a trained net relies on: which columns matter, how, and why a row got its prediction.

`explanation` puts together what `nnfs explain` says of a run, on the `explained_rows`. Read `inputs_by_column` first,
then `shuffled_rows`, `importance` and `columns_alike` (which columns matter); `answers`, `grid` and `dependence` (how);
`pairs` (which act together), `against_linear`, and `sentences`. `attributions` divide the `explained_values` of a row
among its columns: `coalitions` say which mixtures of rows are predicted, and `mixed_rows` predicts them, quickly by the
`first_layer`. `reasons` name the main columns. `whatif/` finds what a row would need for another answer.
"""
