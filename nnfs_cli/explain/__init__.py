"""What a trained net goes by: which columns matter, how, and why a row got its prediction.

Read `inputs_by_column` and `importance` (on `shuffled_rows`) first.
"""
