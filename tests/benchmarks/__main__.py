"""Measures the tool beside its peers, a part at a time, after `pip install '.[bench]'`.

Every part prints its tables in Markdown, with the date, the machine and the versions, and keeps all figures in
`.readme/benchmarks/PART.json`. `python -m tests.readme speed README` puts the last tables into the guide and the
README.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.part import circumstances, file_of
from tests.benchmarks.report import PARTS, markdown, part_of


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for name in PARTS:
        text = str(part_of(name).__doc__)
        of = parts.add_parser(
            name,
            help=text.splitlines()[0].rstrip("."),
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        of.add_argument("--turns", type=int, default=10, help="how often each is measured (default: %(default)s)")
        of.add_argument("--quick", action="store_true", help="only see whether it works")
        of.add_argument("--output", type=Path, help="another file for all figures, in JSON")
        part_of(name).options(of)
    show = parts.add_parser("show", help="Print the tables of the last measurements")
    show.add_argument("parts", nargs="*", metavar="PART", help="all that were measured unless given")
    return parser


def main(words: Sequence[str] | None = None) -> None:
    """Measure a part and print its tables."""
    given = _parser().parse_args(words)
    if given.part == "show":
        for name in given.parts or [name for name in PARTS if file_of(name).exists()]:
            print(f"## {name}\n\n{markdown(name)}")
        return
    part = part_of(given.part)
    if given.quick:
        given.turns = min(given.turns, 2)
    found = {**circumstances(part.PACKAGES), **part.measured(given)}
    if output := given.output or (None if given.quick else file_of(given.part)):
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(part.markdown(found), end="")


if __name__ == "__main__":
    main()
