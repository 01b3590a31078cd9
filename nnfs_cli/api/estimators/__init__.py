"""Estimators for scikit-learn, and `fit`, which makes one from a table in a single call.

Read `estimator` first, with `parameters`, `inputs` and `training_table`, then `classifier` and `regressor`; then `fit`,
with `findings` and `training_summary`.
"""
