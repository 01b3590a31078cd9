"""The neural network: layers and losses, the parameters in one flat vector, and the model that joins them.

Read `parameters`, `layers/base` and `layers/linear` first, then `context` and `kernels` (where layers get buffers and
products), `losses/base`, and `model`. What looks inside a pass is in `probes`, and `places` says
where a layer stands in its net. `cut_points` and `class_frequencies` are for ordered classes.
"""
