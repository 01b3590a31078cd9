"""Word the usage errors that Typer raises: an unknown command or option, or a value that an option does not take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import typer

from nnfs_cli.system.wording import closest, did_you_mean, shown

UsageError: type[Any] = typer.BadParameter.__bases__[0]  # click's class; Typer may bundle click under another name


def describe(error: Any, args: Sequence[str], commands: Sequence[str]) -> str:
    """Return the message of a usage error. `args` are the words after `nnfs`, and `commands` its commands."""
    message = " ".join(error.format_message().replace("Value error, ", "").rstrip(".").split())
    if message.startswith("No such command "):
        name = message.removeprefix("No such command ").partition("'")[2].partition("'")[0]
        return f"there is no command '{name}'{did_you_mean(name, commands)}"
    if type(error).__name__ == "NoSuchOption":
        return _describe_unknown_option(error, args)
    return _describe_range(error) or message[:1].lower() + message[1:]


def _describe_unknown_option(error: Any, args: Sequence[str]) -> str:
    """Suggest `--set` for a key of the config, else the option that is spelt alike."""
    from nnfs_cli.cli.declared_names import settings_of

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
    close = closest(key, {option.lstrip("-") for option in options})  # dashes would make any two options alike
    return f"{message}; did you mean '--{close}'?" if close else message


def _value_after(option: str, args: Sequence[str]) -> str:
    """Return the value that follows an option, as the shell takes it, or VALUE if there is none."""
    import shlex

    for i, word in enumerate(args):
        if word.startswith(f"{option}="):
            return shlex.quote(word.partition("=")[2])
        if word == option and i + 1 < len(args) and not args[i + 1].startswith("--"):
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
