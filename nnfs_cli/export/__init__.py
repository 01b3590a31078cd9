"""Exports: the model of a run as a file of another format, which has proved that it predicts the same.

Every format is a back end over the operations of a pipeline (see `nnfs_cli.pipeline`). Read `format` first, then
`export`, `proof` and `proof_rows`, and then a format: `python`, `onnx`, `c`, `sql` or `page`.
"""
