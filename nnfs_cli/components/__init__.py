"""Components: classes that are at once a YAML schema, defaults and ranges, documentation and code.

Layers, losses, optimizers, metrics and all other parts that a config names are components.
Read `section` first, then `field_types`, `component` and `user_code`.
"""
