"""What a trained net goes by: which columns matter, how, and why a row got its prediction.

`explanation` puts together what `nnfs explain` says of a run. Read `inputs_by_column` first, then `shuffled_rows` and
`importance` (which columns matter), `columns_alike`, `grid` and `dependence` (how), `pairs` (which act together),
`against_linear`, and `sentences`. `attributions` (on `coalitions` and `mixed_rows`) divide a prediction among the
columns, and `reasons` name the main ones. `whatif` finds what a row would need for another answer.
"""
