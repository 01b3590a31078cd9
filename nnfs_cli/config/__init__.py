"""The config file: read YAML, check it, and turn it into one frozen value.

Read `yaml` and `document` first, then `config`, `cross_checks`, `monitors` and `json_schema`.
"""
