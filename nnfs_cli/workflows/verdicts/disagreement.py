"""The verdict on validation and test rows that disagree by more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnfs_cli.workflows.verdicts.interval import excess, mean_of
from nnfs_cli.workflows.verdicts.losses import RowLosses
from nnfs_cli.workflows.verdicts.verdict import Verdict

LEAST = 0.1  # a difference below this share of the validation loss does not matter


def disagreement(losses: Mapping[str, RowLosses]) -> Iterator[Verdict]:
    """Yield that the loss of the test rows is higher than that of the validation rows, if it clearly is.

    Validation rows chose the best epoch, so a small difference is to be expected.
    """
    if not {"validation", "test"} <= losses.keys():
        return
    means = {split: mean_of(rows.net, *rows.units) for split, rows in losses.items()}
    found = excess(means["test"], means["validation"])
    if found is not None and found.low > LEAST * means["validation"].value:
        yield Verdict(
            "worse_on_test",
            "warning",
            f"worse on test rows than on validation rows: loss {found.mean:.3g} higher"
            f" ({found.low:.3g} to {found.high:.3g})",
            "believe the test rows; they differ, by time, place or group: split by it",
        )
