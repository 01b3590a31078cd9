"""The command line: one file a command. A command parses, calls one function, and renders what comes back."""

from __future__ import annotations

from typing import Annotated

import typer

from nnfs_cli import __version__
from nnfs_cli.cli.baseline import baseline
from nnfs_cli.cli.check import check
from nnfs_cli.cli.components import components
from nnfs_cli.cli.cv import cv
from nnfs_cli.cli.error_handling import boundary
from nnfs_cli.cli.evaluate import evaluate
from nnfs_cli.cli.init import init
from nnfs_cli.cli.predict import predict
from nnfs_cli.cli.resume import resume
from nnfs_cli.cli.schema import schema
from nnfs_cli.cli.train import train
from nnfs_cli.cli.verify import verify

app = typer.Typer(
    name="nnfs",
    help="From a table and a short YAML file to a trained neural network, in NumPy, with nothing hidden.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nnfs {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """What every command shares."""


for _command in (init, check, baseline, cv, train, resume, evaluate, predict, verify, components, schema):
    app.command()(boundary(_command))
