"""`nnfs init`: from a file to a config that can be trained as it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.terminal import complain, fact
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import counted

if TYPE_CHECKING:
    from nnfs_cli.inspection.column_kinds import ColumnProfile, Nature
    from nnfs_cli.inspection.propose import Proposal

PLURALS: dict[Nature, str] = {
    "number": "{} of numbers",
    "boolean": "{} of true or false",
    "category": "{} of words",
    "date": "{} of dates",
    "text": "{} of free text",
    "identifier": "{} that name the rows",
    "constant": "{} always the same",
    "empty": "{} empty",
}


def init(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file.")],
    target: Annotated[str, typer.Option(help="The column to predict.")] = "",
    output: Annotated[
        Path | None, typer.Option(help="Where to write the config; <name of the file>.yaml unless given.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a config that is already there.")] = False,
    encoding: Annotated[
        str | None, typer.Option(help="Of a CSV file that is not UTF-8, as in cp1252 or utf-16.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a CSV file, where it is not found by itself.")] = None,
) -> None:
    """Look at FILE and write a config for it, in which every choice is explained.

    Prints the path of the config on stdout.
    """
    from nnfs_cli.inspection.file_profile import profile_file
    from nnfs_cli.inspection.propose import propose
    from nnfs_cli.inspection.write_config import write_config
    from nnfs_cli.system.files import write_atomically
    from nnfs_cli.system.matching import matching_files

    config = output or Path(f"{_stem(file)}.yaml")
    seen = profile_file(file, target, encoding, delimiter)
    if config.exists() and not force:
        raise UserError(f"{config} is already there; --force overwrites it, and --output writes to another place")
    if config.exists() and any(map(config.samefile, matching_files(file))):
        raise UserError(f"{config} is the table itself; give another name with --output")
    proposal = propose(seen, target)
    text = write_config(proposal, config.parent)
    write_atomically(config, lambda out: out.write(text.encode()))
    _say(proposal, config)
    print(config.as_posix())


def _stem(file: Path) -> str:
    """The name of the file without its endings."""
    return file.name.partition(".")[0].strip("*?- ") or "config"


def _say(proposal: Proposal, config: Path) -> None:
    """What was found, in a few lines."""
    from nnfs_cli.inspection.column_relations import list_columns

    seen, task = proposal.profile, proposal.task
    first = f", of which the first {seen.table.n_rows:,} were looked at" if seen.partial else ""
    rows = f"{'about ' * seen.partial}{counted(seen.n_rows, 'row')}{first}"
    fact("file", f"{seen.path.name}: {rows}, {counted(len(seen.columns), 'column')}")
    fact("inputs", f"{_kinds(list(proposal.inputs.values()))}")
    if seen.settings:
        fact("read with", ", ".join(f"{key} {_shown(value)}" for key, value in seen.settings.items()))
    fact("target", f"{proposal.target}, {task.why}")
    if proposal.group:
        determined = list_columns(proposal.group.determines)
        names = f"{proposal.group.column}, whose rows stay together (it determines {determined})"
        fact("groups", names)
    for odd in seen.odd:
        complain("warning", f"{odd}; taken for empty")
    if proposal.dropped:
        left_out = [f"{name} ({why})" for name, why in list(proposal.dropped.items())[:6]]
        more = [f"and {len(proposal.dropped) - 6:,} more"] if len(proposal.dropped) > 6 else []
        fact("left out", ", ".join([*left_out, *more]))
    for name, why in proposal.suspicious.items():
        complain("warning", f"'{name}' {why}; drop it unless it is known by the time of a prediction")
    fact("next", f"nnfs check {config.as_posix()}, and then nnfs train {config.as_posix()}")


def _kinds(looks: list[ColumnProfile]) -> str:
    counts = Counter(one.nature for one in looks)
    found = [PLURALS[nature].format(counted(counts[nature], "column")) for nature in PLURALS if counts[nature]]
    return ", ".join(found)


def _shown(value: object) -> str:
    return ", ".join(map(repr, value)) if isinstance(value, list) else repr(value)
