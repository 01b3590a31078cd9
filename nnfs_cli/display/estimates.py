"""The estimates of a cross-validation, laid out as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnfs_cli.display.text import number

if TYPE_CHECKING:
    from nnfs_cli.workflows.cross_validate import CrossValidation, FoldEstimate


def estimate_tables(found: CrossValidation) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Yield the header and the rows of a table for each config, and for each that is compared with the first."""
    for name, estimates in found.estimates().items():
        yield [name, "mean", "95 % interval"], [_line(figure, estimate) for figure, estimate in estimates.items()]
    first = next(iter(found.figures))
    for name, differences in found.differences().items():
        lines = [[*_line(figure, estimate), _verdict(estimate)] for figure, estimate in differences.items()]
        yield [f"{name} - {first}", "mean", "95 % interval", "different?"], lines


def _line(figure: str, estimate: FoldEstimate) -> list[str]:
    return [figure, number(estimate.mean), f"{number(estimate.low)} to {number(estimate.high)}"]


def _verdict(difference: FoldEstimate) -> str:
    """Return "yes" if the interval of a difference does not contain 0, else "not clearly"."""
    return "yes" if difference.low > 0 or difference.high < 0 else "not clearly"
