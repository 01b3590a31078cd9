"""Train a neural network from a table and a short YAML file, in NumPy.

Each folder is one wing. From the ground up: system, components, nn and data, metrics, training, presets, config,
prediction, experiment, inspection, runs, workflows, cli. A module imports only from its own wing and those below it.
`errors` and `arrays` serve all of them.
"""

__version__ = "0.1.0"
