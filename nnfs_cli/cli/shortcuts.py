"""The options that are short for `--set`: `--epochs 20` is `--set epochs=20`, in every command that takes `--set`."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Annotated, Any

import typer

from nnfs_cli.config.assignments import SHORTCUTS
from nnfs_cli.system.wording import listing

OTHERS = listing([option for option in SHORTCUTS if option != "--epochs"])

_app = typer.Typer()


@_app.command()
def _options(
    epochs: Annotated[
        str | None,
        typer.Option("--epochs", metavar="N", help=f"Short for --set epochs=N. Likewise {OTHERS}."),
    ] = None,
    lr: Annotated[str | None, typer.Option("--lr", metavar="X")] = None,
    batch_size: Annotated[str | None, typer.Option("--batch-size", metavar="N")] = None,
    seed: Annotated[str | None, typer.Option("--seed", metavar="N")] = None,
    on_error: Annotated[str | None, typer.Option("--on-error", metavar="ACTION")] = None,
) -> None:
    """Declare the options, for `with_shortcuts`."""


def with_shortcuts(parameters: list[Any]) -> list[Any]:
    """Return the parameters of a command with the short options after `--set`, if it takes that."""
    place = next((i for i, one in enumerate(parameters) if "--set" in one.opts), None)
    if place is None:
        return parameters
    short = [one for one in typer.main.get_command(_app).params if one.opts[0] in SHORTCUTS]
    return [*parameters[: place + 1], *short, *parameters[place + 1 :]]


def as_assignments(values: MutableMapping[str, Any]) -> None:
    """Turn the short options among the values of a command line into assignments of `--set`."""
    if "set_" in values:
        given = {key: values.pop(key, None) for key in SHORTCUTS.values()}
        short = [f"{key}={value}" for key, value in given.items() if value is not None]
        values["set_"] = [*(values["set_"] or ()), *short] or None
