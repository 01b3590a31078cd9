"""The faults of data and of a net that predictions of held-out rows show.

Read `slices`: groups of rows in which a net is worse than chance would have it. `data.division` deals rows into groups
by the cells of a column, `exchange` makes copies of the losses in which no group is worse, and `search` looks for the
groups that are worse than any of these copies has.
"""
