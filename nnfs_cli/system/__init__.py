"""Files, locks, threads, random streams and compiled loops: everything that nnfs needs from the machine.

Read `wording`, `files` and `matching` first, then `random`, `threads`, `warn`, `ignored_warnings`, `lock`, `spill` and
`machine_code`. `remote` has files behind URLs. Work is shared in four ways. `helpers.do_together` does jobs in threads
and waits for all. `parallel_map` applies a function to a series in threads. `map_tasks` does pure tasks in new `worker`
processes, to which it sends `messages`. A `forked` process, which trains members of an ensemble with NumPy, shares
arrays of `shared_memory`.
"""
