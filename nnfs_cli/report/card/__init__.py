"""The model card of a run, in Markdown: what a model is for, what it is made of, how good it is and where it fails.

Read `card`, which puts it together, then `parts` (its sections), `columns` (what it is made of) and `metadata` (what
programs read); `markdown` writes the blocks of the report as Markdown.
"""
