"""Answer predictions over HTTP, with one or several runs, until the process is told to stop.

Read `row_schema` and `rows` first: what a body must hold, and the rows of one. `model` predicts them, `batcher` gathers
those that arrive together, and `predictions` is what a client calls. `routes` and `openapi` describe the server,
`metrics` and `drift_window` watch it, `models` replaces a run by a newer one, and `server` starts and stops all.
"""
