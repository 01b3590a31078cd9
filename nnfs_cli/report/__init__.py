"""Pages about runs: single files of HTML that load nothing, run only their own scripts, and escape all data.

Read `page` first: it fills a template into the one base page with its policy, style and scripts.
"""
