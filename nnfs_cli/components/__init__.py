"""What a component is: a class that is its own schema, documentation and code.

Read `section`, then `field_types`, `component` and `user_code`.
"""
