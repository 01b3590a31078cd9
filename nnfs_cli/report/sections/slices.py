"""Where the net fails: groups of held-out rows in which it is worse than chance would have it."""

from __future__ import annotations

from nnfs_cli.audit.run_slices import slices_of_run
from nnfs_cli.audit.slices import Slice
from nnfs_cli.display.text import number
from nnfs_cli.report.blocks import Block, Rows, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.system.wording import percent

MEANING = (
    "A loss that is larger than that of rows with like predictions may be noise: these rows may be harder to predict, "
    "or their targets may be wrong. Predictions that are too high or too low can be mended: by more rows of the group, "
    "by a column that tells it apart, or by a net with more units. Since these groups were searched for, their "
    "figures are a little too bad."
)


def slices(facts: RunFacts) -> Section | None:
    """Return the groups of the largest held-out split; None in the report of a training, which is not thorough."""
    found = facts.predictions if facts.thorough else None
    if found is None or not found.held_out:
        return None
    slices = slices_of_run(found)
    if not slices.looked_at:
        return None
    summary = slices.summary()
    blocks: list[Block] = [Text(f"{summary[0].upper()}{summary[1:]}.")]
    if slices.found:
        rows = [_row(one) for one in slices]
        names = [*slices.found[0].metrics]
        header = ["group", "rows", "share", *(each for name in names for each in (name, f"{name} elsewhere"))]
        blocks.append(Rows("Groups in which the net is worse, the clearest first", header, rows))
        blocks += [Text(f"{one.condition}: {'; '.join(one.sentences())}.") for one in slices]
        blocks.append(Text(MEANING, soft=True))
    return Section("slices", "Where it fails", blocks)


def _row(one: Slice) -> list[str]:
    figures = [number(figure) for of_both in one.metrics.values() for figure in of_both]
    return [one.condition, f"{one.rows:,}", percent(one.share), *figures]
