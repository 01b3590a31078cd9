"""Whether `nnfs doctor` finds what is wrong, and says nothing wrong of what is right.

`python -m tests.doctor` prints what is found of the planted faults and of the healthy trainings; see `__main__`. Read
`case` first, then `planted` (20 faults, each made on purpose), `healthy` (trainings that need no remedy), `drawn` (30
faulty and 30 healthy trainings, drawn at random, which no rule was tuned on) and `measure` (precision and recall).
"""
