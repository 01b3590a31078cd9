"""What the numbers of a parsed column mean, for people who fill in an exported model."""

from __future__ import annotations

from collections.abc import Mapping

from nnfs_cli.data.parsing.base import Parser
from nnfs_cli.data.parsing.duration import Duration
from nnfs_cli.data.parsing.number import Number
from nnfs_cli.data.parsing.range import Range
from nnfs_cli.data.parsing.units import NAMES, ONE
from nnfs_cli.system.wording import in_a_line


def meanings(parsers: Mapping[str, Parser]) -> dict[str, str]:
    """Return what the numbers mean in each column that a parser makes, if that is not plain."""
    return {made: text for name, one in parsers.items() if (text := _meaning(one)) for made in one.outputs(name)}


def _meaning(parser: Parser) -> str:
    """Return what the numbers of a parser mean, as in "in euros"; "" for plain numbers, and for dates."""
    if parser.words:
        return in_a_line("0 is {}, 1 is {}".format(*parser.words))
    if isinstance(parser, Duration):
        return "in seconds"
    unit = parser.unit if isinstance(parser, Number | Range) else None
    return in_a_line(f"in {NAMES.get(unit, unit)}") if unit not in (None, ONE) else ""
