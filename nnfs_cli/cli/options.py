"""Define the arguments and options that several commands share, and load the files that they name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.completion import complete_assignment, complete_config, complete_run, complete_tracker
from nnfs_cli.cli.paths import open_run, require_config

if TYPE_CHECKING:
    from nnfs_cli.config.config import Config
    from nnfs_cli.runs.directory import RunDirectory
    from nnfs_cli.tracking.base import Tracker


class SplitName(StrEnum):
    """The splits of the rows, as `--split` names them."""

    train = "train"
    validation = "validation"
    test = "test"


ConfigFile = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG",
        help="YAML file with the data, the net and its training.",
        autocompletion=complete_config,
    ),
]

RunFolder = Annotated[
    Path | None,
    typer.Argument(
        metavar="RUN",
        help="Run directory, such as runs/houses-1, or houses-1 for short; by default the newest run.",
        autocompletion=complete_run,
    ),
]

ConfigOrRun = Annotated[
    Path | None,
    typer.Argument(
        metavar="CONFIG|RUN",
        help="YAML file, or run directory; by default the newest run.",
        autocompletion=lambda incomplete: [*complete_config(incomplete), *complete_run(incomplete)],
    ),
]

Weights = Annotated[
    str,
    typer.Option(metavar="WHICH", help="Weights to use: best, last, or epoch-<n> if the run kept them."),
]

Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting of the config, such as split.test=0.2. Repeatable.",
        autocompletion=complete_assignment,
    ),
]

Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="TRACKER[=PLACE]",
        help="Pass on every epoch: tensorboard[=FOLDER], mlflow[=URL] or csv[=FILE]. Repeatable.",
        autocompletion=complete_tracker,
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]

NoReport = Annotated[
    bool, typer.Option("--no-report", help="Do not write the page that shows the run; `nnfs report` writes it later.")
]

Query = Annotated[
    str | None,
    typer.Option(metavar="SQL", help="Query that gives the rows, for the URL of a database, such as sqlite:sales.db."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress, only warnings, errors and the result.")]

Code = Annotated[
    list[Path] | None,
    typer.Option("--code", metavar="FILE", help="Python file that defines custom components. Repeatable."),
]


def read(config: Path, set_: list[str] | None, code: list[Path] | None) -> Config:
    """Load the user's components and read a config, which may use them."""
    from nnfs_cli.config.document import Document

    require_config(config)
    document = Document.load(config, set_ or ())
    load(code)
    from nnfs_cli.inspection.load_config import complete

    return complete(document)


def chosen_trackers(track: list[str] | None) -> tuple[Tracker, ...]:
    """Return the trackers of `--track`; their paths are relative to the current folder."""
    from nnfs_cli.tracking.trackers import chosen

    return chosen(track or (), Path())


def open_to_train(path: Path, code: list[Path] | None) -> RunDirectory:
    """Open a run to train it with its recorded settings, and load the user's components."""
    run = open_run(path)
    load(code)
    return run


def load(code: list[Path] | None) -> None:
    """Run the files of `--code`, which register the user's components."""
    if code:
        from nnfs_cli.components.user_code import load_code

        for path in code:
            load_code(path)


def split_names(text: str) -> list[str]:
    """Split names at commas; a name that contains a comma is quoted, as in CSV."""
    import csv
    import io

    records = csv.reader(io.StringIO(text, newline="")) if '"' in text else [map(str.strip, text.split(","))]
    return [name for record in records for name in record if name]


def metrics_in(text: str, expected: str) -> Any:
    """Return what a text in the grammar of a config says; f1:per_class is meant as f1: per_class.

    Raises `UserError`, which says what is `expected`.
    """
    import re

    from nnfs_cli.config import yaml
    from nnfs_cli.errors import UserError

    try:
        return yaml.read(re.sub(r"(\w):(?=\w)", r"\1: ", text).encode())[0]
    except (yaml.YamlError, UnicodeEncodeError):
        raise UserError(expected) from None
