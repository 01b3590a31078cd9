"""A trained model as a value: a short, typed list of operations, from the cells of a row to its predictions.

Every preprocessing step, layer and loss says in its own file what it computes in prediction, as operations on values.
Together they make a `Pipeline`, which `prediction.as_pipeline` builds for a run, and each format of `export` is a back
end over the same operations. NumPy is the reference.

Read `value` and `parts` first, then the operations: `elementwise`, `shapes`, `cells`, `trees` and `labels`; then
`pipeline` with `order`, and `evaluate`.
"""
