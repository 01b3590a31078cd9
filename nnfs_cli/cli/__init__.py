"""The command line: each command has a file that parses its arguments, calls one function and prints the result.

Read `train.py` first, then `options.py` (arguments), `terminal.py` (output), `report_training.py` (the plan and the
outcome of a training), `error_handling.py` (exit codes) and `usage_errors.py` (what was probably meant). `help.py`
renders `--help`, and `completion.py` completes what a user types. `paths.py` finds the config, table or run at a path,
`shortcuts.py` has the options that are short for `--set`, and `optional_values.py` options without a value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from typing import Annotated, Any

import typer

from nnfs_cli import __version__
from nnfs_cli.cli.commands import GROUPS, NAMES, function_of
from nnfs_cli.cli.completion import rejoin_words
from nnfs_cli.cli.error_handling import boundary
from nnfs_cli.cli.help import Command, CommandGroup, Group

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


def _group(name: str) -> typer.Typer:
    """Return a command that has commands of its own."""
    group = typer.Typer(name=name, cls=CommandGroup, invoke_without_command=True, add_completion=False)
    group.callback()(boundary(function_of(name)))
    for one in GROUPS[name]:
        group.command(cls=Command)(boundary(function_of(one, group=name)))
    return group


def _single(name: str) -> typer.Typer:
    """Return a command that stands by itself."""
    single = typer.Typer(add_completion=False)
    single.command(cls=Command)(boundary(function_of(name)))
    return single


class Commands(MutableMapping[str, Any]):
    """The commands by name; each is made when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a command. Raises `KeyError` if there is none of this name."""
        if name not in self._made and name in NAMES:
            self._made[name] = typer.main.get_command(_group(name) if name in GROUPS else _single(name))
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        """Replace a command."""
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        """Raise `TypeError`: every command stays."""
        raise TypeError(f"the command {name} cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


Group.members = Commands

if "_NNFS_COMPLETE" in os.environ:
    rejoin_words()
