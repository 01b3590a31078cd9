"""Where the net fails: groups of held-out rows in which it is clearly worse."""

from __future__ import annotations

from nnfs_cli.audit.run_slices import slices_of_run
from nnfs_cli.report.blocks import Block, Heading, Notice, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.system.wording import capitalized

REMEDY = (
    "A loss that is larger than that of rows with similar predictions may be noise: these rows may be harder to "
    "predict, or their targets may be wrong. Predictions that are too high or too low can be mended: by more rows of "
    "the group, by a column that tells it apart, or by a net with more units. Since these groups were searched for, "
    "their figures are a little too bad."
)


def slices(facts: RunFacts) -> Section | None:
    """Return the groups of the largest held-out split; None in the report of a training, which is not thorough."""
    found = facts.predictions if facts.thorough else None
    if found is None or not found.held_out:
        return None
    slices = slices_of_run(found)
    if not slices.looked_at:
        return None
    blocks: list[Block] = [Text(f"{capitalized(slices.summary())}.")]
    for one in slices:
        found_there = capitalized("; ".join(one.sentences()))
        blocks += [Heading(one.title), Text(f"{found_there}."), Text(one.figures(), soft=True)]
    if slices.found:
        blocks.append(Notice("plain", "what to do", REMEDY))
    return Section("slices", "Where it fails", blocks)
