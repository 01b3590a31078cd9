"""The net itself, on arrays, for those who learn and teach.

Read `sequential` first, then what it is made of: `rows` and `tables` (inputs), `training`, `weights` and
`summary`. `other_arguments` explains arguments of other tools.
"""
