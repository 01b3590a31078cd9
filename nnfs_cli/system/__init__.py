"""Files, locks, threads, random streams and compiled loops: everything that nnfs needs from the machine.

Read `wording`, `files` and `matching` first, then `random`, `threads`, `warn`, `ignored_warnings`, `lock`, `spill` and
`machine_code`. `map_tasks` spreads tasks over `worker` processes, to which it sends `messages`. The threads of
`helpers` share a piece of work, and a `forked` process shares arrays of `shared_memory`.
"""
