"""Pages about runs: single files of HTML that load nothing, run only their own scripts, and escape all data.

Read `page` first: it fills a template into the one base page with its policy, style and scripts. The report of a run is
made by `run_report` from the `run_facts`; it has a `summary` and `sections`, which are made of `blocks`; `explained`
makes those about an explanation. `card/` writes the model card, from the same facts and sections.
"""
