"""The page: one HTML file that predicts, explains and answers tables in a browser, and loads nothing.

`serialized` writes a pipeline as JSON, and `templates/engine.js` computes it. `html` makes the page, with what `fields`
and `reasons` say about columns and explanations. `format` is the format, which `runtime` proves in V8.
"""
