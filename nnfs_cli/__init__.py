"""From a table and a short YAML file to a trained neural network, in NumPy, with nothing hidden."""

__version__ = "0.1.0"
