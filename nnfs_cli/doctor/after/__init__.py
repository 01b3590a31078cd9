"""The checks of a run after its training, from what it has recorded: its log, its verdicts and its probes.

Each is a function from a `TrainedRun` to diagnoses. Most need no data. Those that look inside the net need probes.
"""
