"""Word the usage errors that Typer raises: an unknown command or option, or a value that an option does not take."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from nnfs_cli.system.wording import closest, did_you_mean, shown

SYNONYMS = {  # commands by the words that people type for them
    word: command
    for command, words in {
        "--help": "help commands usage",
        "--version": "version",
        "check": "inspect lint validate",
        "cv": "crossval cross_validate cross-validate",
        "evaluate": "eval score test",
        "guide": "doc docs documentation man manual",
        "init": "create new setup start",
        "predict": "apply infer inference prediction",
        "report": "html open plot",
        "resume": "continue restart",
        "runs": "list ls history experiments",
        "runs compare": "compare diff",
        "runs rm": "clean delete remove rm",
        "runs show": "cat show status",
        "train": "fit learn run",
    }.items()
    for word in words.split()
}
UsageError: type[Any] = typer.BadParameter.__bases__[0]  # click's class; Typer may bundle click under another name


def describe(error: Any, args: Sequence[str], commands: Sequence[str]) -> str:
    """Return the message of a usage error. `args` are the words after `nnfs`, and `commands` its commands."""
    message = " ".join(error.format_message().replace("Value error, ", "").rstrip(".").split())
    if message.startswith("No such command "):
        name = message.removeprefix("No such command ").partition("'")[2].partition("'")[0]
        return f"there is no command '{name}'{_command_meant(name, commands, args)}"
    if type(error).__name__ == "NoSuchOption":
        return _table_for_config(error, args) or _describe_unknown_option(error, args)
    if message.startswith("Got unexpected extra argument") or message == "Missing option '--input'":
        return _describe_misplaced(message, error, args)
    return _describe_range(error) or message[:1].lower() + message[1:]


def _command_meant(name: str, commands: Sequence[str], args: Sequence[str]) -> str:
    """Return the command that may be meant: by a word of other tools, by what a path is, or by its spelling."""
    from nnfs_cli.cli.paths import use_of

    if use := use_of(Path(name)):
        return f"; {use}"
    if args[:1] == ["runs"] and (use := use_of(Path("runs", name))):
        return f"; `nnfs runs show {shlex.quote(name)}` shows the run"
    meant = SYNONYMS.get(name.lower(), "")
    return f"; did you mean '{meant}'?" if meant else did_you_mean(name, commands)


def refuse_repeated(command: Any, ctx: Any, args: Sequence[str]) -> None:
    """Raise a usage error if an option that takes one value is given twice, since only the last one would count."""
    if ctx.resilient_parsing:  # a shell asks for completions
        return
    _, _, given = command.make_parser(ctx).parse_args([*args])
    once = [one for one in given if one.param_type_name == "option" and not (one.multiple or one.is_flag)]
    for one in once:
        if once.count(one) > 1:
            raise UsageError(f"{one.opts[-1]} is given {_times(once.count(one))}; it takes one value", ctx)


def _times(n: int) -> str:
    return "twice" if n == 2 else f"{n} times"


def _table_for_config(error: Any, args: Sequence[str]) -> str:
    """Say that a config is made from a table, if a command that takes a config is given one; else nothing."""
    from nnfs_cli.cli.paths import is_table

    takes = {one.metavar for one in error.ctx.command.get_params(error.ctx)} if error.ctx else set()
    table = next((word for word in args[1:] if is_table(Path(word))), "")
    if "CONFIG" not in takes or not table or error.option_name not in ("--target", "--input", "--data"):
        return ""
    return f"{table} is a table; `nnfs init {shlex.quote(table)}` writes a config for it, which names the target"


def _describe_misplaced(message: str, error: Any, args: Sequence[str]) -> str:
    """Say which option a word on the command line is for, where that is clear."""
    from nnfs_cli.cli.paths import is_run, is_table

    options = {option for one in error.ctx.command.get_params(error.ctx) for option in one.opts} if error.ctx else set()
    extra = re.findall(r"argument(?:\(s\)|s)? \((.*)\)$", message)
    for word in shlex.split(extra[0]) if extra else args[1:]:
        option = "--input" if is_table(Path(word)) else "--run" if is_run(Path(word)) else ""
        if option in options and option not in args:
            return f"{shown(word)} is given without its option: use {option} {shlex.quote(word)}"
    return f"{message[:1].lower()}{message[1:]}".replace("argument(s)", "argument")


def _describe_unknown_option(error: Any, args: Sequence[str]) -> str:
    """Suggest `--set` for a key of the config or another tool's name for it, else the option that is spelt alike."""
    from nnfs_cli.cli.declared_names import settings_of
    from nnfs_cli.config.assignments import SHORTCUTS
    from nnfs_cli.config.synonyms import hint, is_plain, setting_meant_by

    name = error.option_name
    message = f"there is no option {shown(name)}"
    names = [option for one in error.ctx.command.get_params(error.ctx) for option in one.opts] if error.ctx else []
    options = [option for option in names if option.startswith("-")]
    key = name.lstrip("-").replace("-", "_")
    if key in names:
        return f"{message}; leave it out: nnfs {error.ctx.info_name} {_value_after(name, args)}"
    owner, _, last = key.rpartition(".")
    if "--set" in options and last in settings_of(owner):
        return f"{message}; it is a key of the config: use --set {key}={_value_after(name, args)}"
    if "--set" in options and (setting := setting_meant_by(key, ())):
        value = _value_after(name, args)
        if short := next((option for option in SHORTCUTS if SHORTCUTS[option] == setting), ""):
            return f"{message}; use {short} {value}"
        return f"{message}; use --set {setting}={value}" if is_plain(setting) else f"{message}{hint(setting)}"
    if "--set" in options and (remedy := _as_setting_of_optimizer(key, _value_after(name, args))):
        return message + remedy
    close = closest(key, {option.lstrip("-") for option in options})  # dashes would make any two options alike
    return f"{message}; did you mean '--{close}'?" if close else message


def _as_setting_of_optimizer(key: str, value: str) -> str:
    from nnfs_cli.config import yaml
    from nnfs_cli.config.config import as_setting_of_optimizer

    with contextlib.suppress(yaml.YamlError):
        return as_setting_of_optimizer(key, {key: yaml.read(value.encode())[0]})
    return ""


def _value_after(option: str, args: Sequence[str]) -> str:
    """Return the value that follows an option, as the shell takes it, or VALUE if there is none."""
    for i, word in enumerate(args):
        if word.startswith(f"{option}="):
            return shlex.quote(word.partition("=")[2])
        if word == option and i + 1 < len(args) and not re.match(r"-\D", args[i + 1]):
            return shlex.quote(args[i + 1])
    return "VALUE"


def _describe_range(error: Any) -> str:
    """Return what a numeric option takes if its value is no such number, else the empty string."""
    details: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    if not details or not re.match("int|float|greater|less", details[0]["type"]):
        return ""
    noun = "a whole number" if re.search(r"\bint\b", getattr(error.__cause__, "title", "")) else "a number"
    bounds = {"at least": getattr(error.param, "min", None), "at most": getattr(error.param, "max", None)}
    allowed = [noun, *(f"{bound} {value:g}" for bound, value in bounds.items() if value is not None)]
    return f"{error.param.opts[-1]} takes {', '.join(allowed)}, found {_found(details[0].get('input'))}"


def _found(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[-+]?[0-9][0-9.]{0,30}", text) else shown(text)
