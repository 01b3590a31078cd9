"""The sections of the report of a run, one a file: each is a function of the facts that returns a `Section` or None.

`report.run_report` lists them in the order of the page. None means that there is nothing to show.
"""
