"""The compiled engine: many training steps of a net in one call, with the mathematics of the layers in NumPy."""
