"""`nnfs init`: write a config for a table."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.completion import complete_table
from nnfs_cli.cli.fixes import Fixes
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Query, Quiet
from nnfs_cli.cli.paths import rows_at
from nnfs_cli.cli.terminal import complain, fact, suggest
from nnfs_cli.display.text import column_kinds
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import counted, listing, named

if TYPE_CHECKING:
    from nnfs_cli.inspection.inspect import FixedFindings
    from nnfs_cli.inspection.propose import Proposal
    from nnfs_cli.system.remote.file import Location

SHOWN = 6  # left-out columns that are named, at most


@manual(
    "nnfs init configs/examples/houses.csv --target price",
    "nnfs init configs/examples/flowers.csv --target species --output f.yaml",
    guide="tables",
)
def init(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="File of a table, a folder, or the URL of one or of a database.",
            autocompletion=complete_table,
        ),
    ],
    target: Annotated[
        str, typer.Option(metavar="COLUMN", help="Column to predict; several of numbers or labels as `a, b`.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the config here; by default <name of the table>.yaml.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the config if it exists.")] = False,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Encoding of a CSV file that is not UTF-8, such as cp1252.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(metavar="CHARACTER", help="Delimiter of a CSV file, if `init` does not detect it.")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(metavar="NAME", help="Sheet of a workbook; by default the first that is not hidden.")
    ] = None,
    query: Query = None,
    fix: Fixes = None,
    quiet: Quiet = False,
) -> None:
    """Inspect FILE and write a config for it.

    Comments in the config explain every choice. --fix also makes the changes that `nnfs check` would suggest. Prints
    the path of the config on stdout.
    """
    from nnfs_cli.inspection.suggestion import chosen_kinds

    kinds = chosen_kinds(fix) if fix else ()
    from nnfs_cli.data.sql.source import QuerySource
    from nnfs_cli.inspection.propose import propose
    from nnfs_cli.inspection.table_profile import named_targets, profile_file, profile_query
    from nnfs_cli.inspection.write_config import write_config
    from nnfs_cli.system.files import write_atomically

    rows = rows_at(file, query)
    config = output or Path(f"{'query' if isinstance(rows, QuerySource) else _stem(rows)}.yaml")
    if isinstance(rows, QuerySource):
        if sheet is not None:
            raise UserError("--sheet is for workbooks, and a database has none")
        profile = profile_query(rows, target, config.parent)
    else:
        profile = profile_file(rows, target, encoding, delimiter, sheet)
    if config.exists():
        _require_other_file(config, rows, force)
    targets = named_targets(profile.table, target)
    proposal = propose(profile, targets, leaves_out=not any(map(profile.has_misfits, targets)))
    text = write_config(proposal, config.parent)
    done = _fixed(text, config, kinds) if kinds else None
    text = done.fix.after if done else text
    write_atomically(config, lambda out: out.write(text.encode()))
    _report(proposal, quiet)
    if done and not quiet:
        _report_fixes(done)
    path = shlex.quote(config.as_posix())
    suggest(f"nnfs check {path}, then nnfs train {path}", quiet)
    print(config.as_posix())


def _require_other_file(config: Path, rows: object, force: bool) -> None:
    """Raise `UserError` for a config that exists if it is the table itself, or not to be overwritten by `force`."""
    from nnfs_cli.system.matching import matching_files

    if not force:
        raise UserError(f"{config} already exists; --force overwrites it, --output names another file")
    if isinstance(rows, Path) and any(map(config.samefile, matching_files(rows))):
        raise UserError(f"{config} is the table itself; name another file with --output")


def _fixed(text: str, config: Path, kinds: Sequence[str]) -> FixedFindings:
    """Make the changes that `nnfs check` suggests in the text of a config."""
    from nnfs_cli.config.document import Document
    from nnfs_cli.inspection.inspect import fix_findings, inspect
    from nnfs_cli.inspection.load_config import complete

    folder = config.absolute().parent
    inspection = inspect(complete(Document.parse(text.encode(), config.as_posix(), folder)))
    return fix_findings(text, folder, inspection.findings, kinds)


def _stem(file: Location) -> str:
    """Return the name of the file without its suffixes."""
    return file.name.partition(".")[0].strip("*?- ") or "config"


def _report(proposal: Proposal, quiet: bool) -> None:
    """Write to stderr what `init` found in the file and how it reads it."""
    if not quiet:
        _report_columns(proposal)
    for odd in proposal.profile.odd:
        complain("warning", f"{odd}; such cells are read as empty")
    if without := proposal.without_target:
        empty = f"is empty in {counted(without, 'row')} of {proposal.profile.table.n_rows:,}"
        which = listing(map(named, proposal.targets), "or")
        complain("warning", f"the target {which} {empty}, which missing_target: drop leaves out")
    for name, one in proposal.parsed.items():
        if one.question:
            complain("warning", f"{named(name)} {one.question}")
    if proposal.dropped and not quiet:
        left_out = [f"{named(name)} {why}" for name, why in list(proposal.dropped.items())[:SHOWN]]
        more = [f"and {counted(len(proposal.dropped) - SHOWN, 'more column')}"] if len(proposal.dropped) > SHOWN else []
        for i, line in enumerate([*left_out, *more]):
            fact("left out" if i == 0 else "", line)
    for name, why in proposal.suspicious.items():
        complain("warning", f"{named(name)} {why}; drop it unless you know its value when you predict")


def _report_fixes(done: FixedFindings) -> None:
    """Write to stderr which findings the config takes care of, and how."""
    for i, finding in enumerate(done.fixed):
        fact("fixed" if i == 0 else "", f"{finding}: {'; '.join(str(finding.suggestion).splitlines())}")
    if not done.fixed:
        fact("fixed", "nothing: no finding suggests such a change")


def _report_columns(proposal: Proposal) -> None:
    profile, task = proposal.profile, proposal.task
    first = f"; inspected the first {profile.table.n_rows:,}" if profile.partial else ""
    rows = f"{'about ' * profile.partial}{counted(profile.n_rows, 'row')}{first}"
    fact("file", f"{profile.table.name}: {rows}, {counted(profile.n_columns, 'column')}")
    fact("inputs", column_kinds(column.kind for column in proposal.inputs.values()))
    if profile.settings:
        fact("read with", ", ".join(f"{key} {_shown(value)}" for key, value in profile.settings.items()))
    if by_meaning := list(_by_meaning(proposal)):
        fact("parsed", ", ".join(by_meaning))
    fact("target", f"{listing(proposal.targets)}, {task.why}")
    if proposal.group:
        kept = "so it is no input and rows of one owner stay in one split"
        fact("groups", f"{named(proposal.group.column)} {proposal.group}, {kept}")


def _by_meaning(proposal: Proposal) -> Iterator[str]:
    """Yield what columns of texts are read as, and the columns."""
    names: dict[str, list[str]] = {}
    for name, one in proposal.parsed.items():
        if not one.question:
            names.setdefault(one.meaning, []).append(named(name))
    for meaning, of in names.items():
        more = [f"{len(of) - SHOWN} more"] if len(of) > SHOWN else []
        yield f"{listing([*of[:SHOWN], *more])} as {meaning}"


def _shown(value: object) -> str:
    return ", ".join(map(repr, value)) if isinstance(value, list) else repr(value)
