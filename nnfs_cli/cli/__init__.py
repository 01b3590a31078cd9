"""The command line: each command has a file that parses its arguments, calls one function and prints the result.

Read `train.py` first, then `options.py` (arguments), `terminal.py` (output), `report_training.py` (the plan and the
outcome of a training) and `error_handling.py` (exit codes). `help.py` renders `--help`, and `completion.py` completes
what a user types.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from nnfs_cli import __version__
from nnfs_cli.cli.baseline import baseline
from nnfs_cli.cli.check import check
from nnfs_cli.cli.completion import rejoin_words
from nnfs_cli.cli.components import components
from nnfs_cli.cli.cv import cv
from nnfs_cli.cli.decide import decide
from nnfs_cli.cli.doctor import doctor
from nnfs_cli.cli.error_handling import boundary
from nnfs_cli.cli.evaluate import evaluate
from nnfs_cli.cli.gradcheck import gradcheck
from nnfs_cli.cli.guide import guide
from nnfs_cli.cli.help import Command, CommandGroup, Group
from nnfs_cli.cli.info import info
from nnfs_cli.cli.init import init
from nnfs_cli.cli.predict import predict
from nnfs_cli.cli.report import report
from nnfs_cli.cli.resume import resume
from nnfs_cli.cli.runs.compare import compare
from nnfs_cli.cli.runs.list_runs import runs
from nnfs_cli.cli.runs.rm import rm
from nnfs_cli.cli.runs.show import show
from nnfs_cli.cli.schema import schema
from nnfs_cli.cli.summary import summary
from nnfs_cli.cli.trace import trace
from nnfs_cli.cli.train import train
from nnfs_cli.cli.verify import verify

PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Start": (init, check, summary, baseline),
    "Train": (train, resume, cv, doctor, trace, gradcheck),
    "Use": (report, evaluate, decide, predict, verify, runs),
    "Reference": (guide, components, schema, info),
}
GROUPS: dict[str, tuple[Callable[..., None], ...]] = {"runs": (compare, show, rm)}  # commands of commands

app = typer.Typer(
    name="nnfs",
    help="Turn a table and a short YAML file into a trained neural network, in plain NumPy.",
    cls=Group,
    no_args_is_help=True,
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
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Define the options of the program itself."""


def _group(command: Callable[..., None], commands: Sequence[Callable[..., None]]) -> typer.Typer:
    """Return a command that has commands of its own."""
    group = typer.Typer(cls=CommandGroup, invoke_without_command=True)
    group.callback()(boundary(command))
    for one in commands:
        group.command(cls=Command)(boundary(one))
    return group


for _panel, _commands in PANELS.items():
    for _command in _commands:
        _name = _command.__name__
        if _name in GROUPS:
            app.add_typer(_group(_command, GROUPS[_name]), name=_name, rich_help_panel=_panel)
        else:
            app.command(cls=Command, rich_help_panel=_panel)(boundary(_command))
Group.order = [_command.__name__ for _commands in PANELS.values() for _command in _commands]

if "_NNFS_COMPLETE" in os.environ:
    rejoin_words()
