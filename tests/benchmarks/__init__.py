"""Measurements beside the tool's peers. No test asserts a time; these print tables, and say on what machine."""
