"""What a row would need to get another answer: the nearest rows that get it.

Read `wanted` (what is asked for) and `cells` (what the cells of a column may become and how far that is), then
`candidates`, `search` and `unusual` (how rows are tried and judged), and last `whatif`, which puts them together into
an `answer`.
"""
