"""Render `--help` and usage errors as plain text that folds between words and fits any terminal."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from nnfs_cli.cli.commands import NAMES, PANELS, function_of
from nnfs_cli.cli.optional_values import default_value, with_values
from nnfs_cli.cli.shortcuts import as_assignments, with_shortcuts
from nnfs_cli.cli.terminal import NARROWEST, complain, styled
from nnfs_cli.cli.usage_errors import UsageError, describe, refuse_repeated
from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import fold

WIDEST = 100  # columns; longer lines are hard to read
LEFT = 30  # columns for the names of options, at most
NARROWEST_TEXT = 30  # columns; with less room, the text goes below its option
QUICK_START = (
    ("nnfs init houses.csv --target price", "Write a config for your table."),
    ("nnfs train houses.yaml", "Train the net; print its run directory."),
    ("nnfs predict --input new_houses.csv", "Predict new rows with the newest run."),
)

Function = TypeVar("Function", bound=Callable[..., None])


@dataclass(frozen=True)
class Manual:
    """The end of a command's help: at least two examples, and a topic of the guide."""

    examples: tuple[str, ...]
    guide: str


MANUALS: dict[str, Manual] = {}  # by the name of the command


def manual(*examples: str, guide: str) -> Callable[[Function], Function]:
    """Add examples and a topic of the guide to the help of a command."""

    def register(function: Function) -> Function:
        MANUALS[function.__name__] = Manual(examples, guide)
        return function

    return register


class Command(TyperCommand):
    """A command whose help ends with examples and a topic of the guide."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params = with_shortcuts(self.params)

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Parse the arguments; every usage error names the command."""
        optional = {
            name: default_value(str(one.metavar))
            for one in self.params
            if str(one.metavar).startswith("[")
            for name in one.opts
        }
        args = [*with_values(args, optional)] if optional else args
        try:
            refuse_repeated(self, ctx, args)
            rest = super().parse_args(ctx, args)
        except UsageError as error:
            error.ctx = error.ctx or ctx
            raise
        as_assignments(ctx.params)
        return rest

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write usage, description, arguments, options, examples and the topic of the guide."""
        page = _Page()
        page.usage(self, ctx)
        page.prose(self.help or "")
        page.parameters(self, ctx)
        page.manual(self.name)
        formatter.write(page.text())


class CommandGroup(TyperGroup):
    """A command with commands of its own. Without one of these it does what its options say."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Parse the arguments; an option that takes one value is given once."""
        refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write usage, description, the commands, the options, examples and the topic of the guide."""
        page = _Page()
        page.usage(self, ctx)
        page.prose(self.help or "")
        rows = [(name, _summary(function_of(name, str(self.name)).__doc__)) for name in self.list_commands(ctx)]
        page.columns("Commands", rows, max(len(name) for name, _ in rows))
        page.parameters(self, ctx)
        page.manual(self.name)
        formatter.write(page.text())


class Group(TyperGroup):
    """The program itself. Its help lists the commands by panel, and it explains usage errors in one line."""

    members: ClassVar[Callable[[], MutableMapping[str, Any]]] = dict  # makes the commands by name

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = type(self).members()

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the names of the commands in their order."""
        return [*self.commands]

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write usage, description, a quick start, the commands by panel, and the options."""
        page = _Page()
        page.usage(self, ctx)
        page.prose(self.help or "")
        page.columns("Quick start", QUICK_START, max(len(line) for line, _ in QUICK_START))
        for panel, names in PANELS.items():
            page.columns(panel, [(name, _summary(function_of(name).__doc__)) for name in names], max(map(len, NAMES)))
        page.parameters(self, ctx)
        page.prose("`nnfs COMMAND --help` describes a command; `nnfs guide` lists the topics of the guide.")
        formatter.write(page.text())

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the program; turn a usage error into one line on stderr and exit code 2."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except UsageError as error:
            sys.exit(self._explain(error, sys.argv[1:] if args is None else args))
        except typer.Abort:
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)

    def _explain(self, error: Any, args: Sequence[str]) -> int:
        """Write the error to stderr and return the exit code."""
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
            return int(error.exit_code)
        group = error.ctx.command if error.ctx else self
        known = group.list_commands(error.ctx) if isinstance(group, TyperGroup) else self.list_commands(error.ctx)
        complain("error", describe(error, args, known))
        note(f"Try `{error.ctx.command_path if error.ctx else 'nnfs'} --help`.")
        return int(error.exit_code)


class _Page:
    """The text of a help page, block by block, folded to the width of the terminal."""

    def __init__(self) -> None:
        self._width = max(min(shutil.get_terminal_size().columns, WIDEST), NARROWEST) - 1
        self._blocks: list[str] = []

    def text(self) -> str:
        """Return the page."""
        return "\n\n".join(self._blocks) + "\n"

    def block(self, text: str) -> None:
        """Add lines that are not folded."""
        self._blocks.append(text)

    def manual(self, command: str | None) -> None:
        """Add the examples of a command and its topic of the guide."""
        if found := MANUALS.get(command or ""):
            self.examples(found.examples)
            self.block(f"{_heading('Guide:')} nnfs guide {found.guide}")

    def examples(self, commands: Sequence[str]) -> None:
        """Add examples. A shell accepts a folded command, since its lines end with a backslash."""
        lines = [_heading("Examples:")]
        for command in commands:
            folded = fold(f"  {command}", self._width if len(command) + 2 <= self._width else self._width - 2, " " * 6)
            lines.append(" \\\n".join(folded))
        self.block("\n".join(lines))

    def prose(self, text: str) -> None:
        """Add the paragraphs of a text."""
        for paragraph in text.split("\n\n"):
            self.block("\n".join(fold(" ".join(paragraph.split()), self._width)))

    def usage(self, command: Any, ctx: typer.Context) -> None:
        """Add the usage line, which names required options too."""
        pieces = [re.sub(r"[{}]", "", piece).replace("......", "...") for piece in command.collect_usage_pieces(ctx)]
        required = [_spelling(one).strip() for one in _shown(command, ctx, "option") if one.required]
        line = " ".join(["Usage:", ctx.command_path, pieces[0], *required, *pieces[1:]])
        self.block("\n".join(fold(line, self._width, " " * 7)).replace("Usage:", _heading("Usage:"), 1))

    def parameters(self, command: Any, ctx: typer.Context) -> None:
        """Add the arguments and the options."""
        arguments = [(one.metavar or one.name.upper(), one.help or "") for one in _shown(command, ctx, "argument")]
        options = [(_spelling(one), _description(one)) for one in _shown(command, ctx, "option")]
        left = max(len(name) for name, _ in [*arguments, *options] if len(name) <= LEFT)
        if arguments:
            self.columns("Arguments", arguments, left)
        self.columns("Options", options, left)

    def columns(self, heading: str, rows: Sequence[tuple[str, str]], left: int) -> None:
        """Add a heading and two columns below it. The first is `left` characters wide; the second is folded."""
        room = self._width - left - 4
        lines = [_heading(f"{heading}:")]
        for name, text in rows:
            if room < NARROWEST_TEXT or len(name) > left:
                lines += [f"  {_name(name)}", *fold(" " * 10 + text, self._width, " " * 10)]
                continue
            first, *others = fold(text, room)
            lines.append(f"  {_name(name)}{' ' * (left - len(name))}  {first}")
            lines += [" " * (left + 4) + line for line in others]
        self.block("\n".join(lines))


def _summary(help_: str | None) -> str:
    """Return the first paragraph of the help of a command, on one line."""
    return " ".join((help_ or "").split("\n\n")[0].split())


def _shown(command: Any, ctx: typer.Context, kind: str) -> list[Any]:
    """Return the arguments or the options of a command that have a line in its help."""
    parameters = command.get_params(ctx)
    return [one for one in parameters if one.param_type_name == kind and one.help and not getattr(one, "hidden", False)]


def _spelling(option: Any) -> str:
    """Return an option as it is typed: "-q, --quiet" or "    --set KEY=VALUE"."""
    names = sorted(option.opts, key=len)
    value = "" if option.is_flag else f" {option.metavar or option.name.upper()}"
    return f"{'    ' * names[0].startswith('--')}{', '.join(names)}{value}"


def _description(option: Any) -> str:
    """Return the help of an option, with its default."""
    text, default = option.help or "", getattr(option.default, "value", option.default)
    if option.required or option.is_flag or option.show_default is False or default in (None, ""):
        return text
    return f"{text} [default: {default}]"


def _heading(text: str) -> str:
    return styled("heading", text, sys.stdout)


def _name(text: str) -> str:
    return styled("label", text, sys.stdout)
