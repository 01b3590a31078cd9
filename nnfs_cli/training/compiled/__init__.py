"""The compiled engine: many training steps of a net in one call, with the mathematics of the layers in NumPy.

Kernels (`functions.py`, ...) are loops over numbers; a twin of a layer, loss or optimizer records which of them a step
calls; a program holds these instructions and runs them.
"""

from nnfs_cli.components.component import load_family

load_family(__name__, __path__)  # so that every twin is declared
