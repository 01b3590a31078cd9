"""`nnfs components`: what a config can name, from the declarations themselves."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from nnfs_cli.component import Component


def components(
    name: Annotated[str | None, typer.Argument(help="A family, as layers, or a component, as linear.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the tables of the README.")] = False,
) -> None:
    """List what a config can name: layers, losses, data sets and the rest."""
    families = _families()
    if name in families:
        families, name = {name: families[name]}, None
    members = [member for family in families.values() for member in family.members.values()]
    found = [member for member in members if member.name == name]
    if name is None:
        print("\n\n".join((_markdown if markdown else _plain)(plural, family) for plural, family in families.items()))
    elif found:
        print("\n\n".join(map(_page, found)))
    else:
        known = [*(member.name for member in members), *families]
        raise UserError(f"there is no component '{name}'{did_you_mean(name, known)}")


def _families() -> dict[str, type[Component]]:
    from nnfs_cli.data import DataSource
    from nnfs_cli.data.preprocessing import Preprocessor
    from nnfs_cli.initializers import Initializer
    from nnfs_cli.layers import Layer
    from nnfs_cli.losses import Loss
    from nnfs_cli.metrics import Metric
    from nnfs_cli.optimizers import Optimizer

    return {
        "layers": Layer,
        "initializers": Initializer,
        "losses": Loss,
        "optimizers": Optimizer,
        "metrics": Metric,
        "datasets": DataSource,
        "preprocessing": Preprocessor,
    }


def _rows(family: type[Component]) -> list[tuple[str, str, str]]:
    """Name, settings and summary of every member."""
    return [(name, ", ".join(_settings(member)), member.summary()) for name, member in sorted(family.members.items())]


def _plain(plural: str, family: type[Component]) -> str:
    width = max(map(len, family.members))
    return "\n".join([plural, *(f"  {name:<{width}}  {summary}" for name, _, summary in _rows(family))])


def _markdown(plural: str, family: type[Component]) -> str:
    lines = [f"**{plural}**", "", "| name | settings | what it is |", "|---|---|---|"]
    for name, settings, summary in _rows(family):
        lines.append(f"| `{name}` | {f'`{settings}`' if settings else ''} | {summary.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


def _settings(member: type[Component]) -> list[str]:
    """Each setting with its default; the main one, which needs no name, comes without."""
    from nnfs_cli.component import Component
    from nnfs_cli.plain_yaml import dump_value

    settings = []
    for key, field in member.model_fields.items():
        default = field.get_default()
        if field.is_required():
            settings.append(key)
        elif isinstance(default, Component):
            settings.append(f"{key}: {default.plain()}")
        else:
            settings.append(f"{key}: {dump_value(default)}")
    return settings


def _page(member: type[Component]) -> str:
    """One component: what it computes, its settings, an example."""
    lines = [f"{member.name} ({member.family})", "", inspect.getdoc(member) or ""]
    if member.model_fields:
        lines += ["", "Settings"]
        lines += [f"  {text}" for text in _settings(member)]
    if member.examples:
        lines += ["", "Examples", *(f"  {example}" for example in member.examples)]
    return "\n".join(lines)
