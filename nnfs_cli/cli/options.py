"""What several commands take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nnfs_cli.config.config import Config
    from nnfs_cli.runs.run import Run


class SplitName(StrEnum):
    """The splits of the rows, as `--split` names them."""

    train = "train"
    validation = "validation"
    test = "test"


Weights = Annotated[str, typer.Option(help="Those of the best epoch, or last, or epoch-<n> where they were kept.")]

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the config, as in --set split.test=0.2."),
]

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")]

Code = Annotated[
    list[Path] | None,
    typer.Option("--code", metavar="FILE", help="A Python file with components of your own. Repeatable."),
]


def read(config: Path, set_: list[str] | None, code: list[Path] | None) -> Config:
    """The spec of a config, which may name components of the user's own."""
    from nnfs_cli.config.document import Document
    from nnfs_cli.system.threads import limit_blas_threads

    document = Document.load(config, set_ or ())
    limit_blas_threads(
        document.data.get("threads")
    )  # which is heard only before NumPy is loaded, as it is from here on
    load(code)
    from nnfs_cli.inspection.load_config import complete

    return complete(document)


def recorded(path: Path, code: list[Path] | None) -> Run:
    """A run that is to be trained, as its own record says."""
    from nnfs_cli.config.document import Document
    from nnfs_cli.runs.run import Run
    from nnfs_cli.system.threads import limit_blas_threads

    run = Run.open(path)
    limit_blas_threads(Document.load(run.spec_file).data.get("threads"))
    load(code)
    return run


def load(code: list[Path] | None) -> None:
    """Run the files that the user names, before anything else is looked at."""
    if code:
        from nnfs_cli.components.user_code import load_code

        for path in code:
            load_code(path)
