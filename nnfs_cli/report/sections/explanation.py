"""Which columns matter, and how: what `nnfs explain` has left in the run."""

from __future__ import annotations

from nnfs_cli.report.blocks import Section
from nnfs_cli.report.run_facts import RunFacts


def explanation(facts: RunFacts) -> Section | None:
    """Return importance, dependence and the strongest pair, if the run has an explanation."""
    found = facts.explanation
    if found is None:
        return None
    from nnfs_cli.report.explained import blocks_of  # it is not needed where nothing was explained

    return Section("explanation", "What matters", blocks_of(found, facts.rows))
