"""What the page of a trace is made of.

Read `net_graph` first, then `frames` (its numbers at one epoch), `unit_maps` (pictures of the plane) and `step_views`.
"""
