"""The option `--fix` of `nnfs check` and `nnfs init`: which suggested changes to make in a config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.completion import complete_fixes

if TYPE_CHECKING:
    from nnfs_cli.inspection.inspect import FixedFindings

Fixes = Annotated[
    str | None,
    typer.Option(
        "--fix",
        metavar="[KIND,...]",
        help="Make the suggested changes in the config: all, or those of some kinds, such as drop,split.",
        autocompletion=complete_fixes,
    ),
]


def plain_fixes(done: FixedFindings) -> dict[str, Any]:
    """Return what was changed, for JSON."""
    return {
        "applied": list(done.fix.applied),
        "fixed": [finding.plain() for finding in done.fixed],
        "left": [finding.plain() for finding in done.left],
        "difference": list(done.fix.difference),
    }
