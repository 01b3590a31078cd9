"""The config file: read YAML, check it, and turn it into one frozen value.

Read `yaml` and `document` first, then `config`, `cross_checks` with `target_checks` and `search_checks`, `monitors` and
`json_schema`. `paths` leads to settings, `edit` changes the text of a config, `assignments` are settings on a command
line, and `synonyms` are names that other tools give to settings.
"""
