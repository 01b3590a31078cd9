"""The neural network: layers, losses, parameters and the model that joins them.

Read `parameters`, `layers/base` and `layers/linear` first, then `losses/base` and `model`.
"""
