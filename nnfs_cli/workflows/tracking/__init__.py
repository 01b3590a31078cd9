"""Tracking: a run is followed while it is trained, and what is in it is passed on to trackers.

`follower.py` reads one run for one tracker. `tracking.py` has it do so in a process of its own, which can neither fail
a training nor hold it up.
"""
