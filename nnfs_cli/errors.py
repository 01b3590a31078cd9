"""Everything that can go wrong and is not a bug of ours.

The library raises these and never prints or exits; the command line alone turns them into a message and an exit code.

    NnfsError
    ├── UserError            what was given cannot work (exit code 2)
    │   ├── ConfigError      the YAML file or a --set
    │   ├── DataError        a table, a row, a column
    │   └── RunError         a run directory
    └── DivergedError        training left the finite numbers (exit code 3)

    NnfsWarning              worth knowing, and no reason to stop

What the machine refuses, such as a full disk, a missing permission or a run that another process is writing, stays an
OSError (exit code 4). An interruption is a KeyboardInterrupt (130), or a Terminated (143).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class NnfsError(Exception):
    """The root of the tree; its text is the whole message for the user."""


class UserError(NnfsError):
    """What the user gave cannot work: a flag, the config, the data or a run directory."""


class ConfigError(UserError):
    """One or more faults of a config, each with its place."""


class DataError(UserError):
    """A table that cannot be used as it is."""


class RunError(UserError):
    """A run directory that is missing, incomplete or not one of ours."""


class DivergedError(NnfsError):
    """A loss or a gradient became infinite or not a number."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends the work as Ctrl-C does."""


class NnfsWarning(UserWarning):
    """Something the user should know that does not stop the work."""


MOST = 20  # faults of a config that are said at once


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a config: the path of keys and indices that leads to it, and a sentence."""

    path: tuple[str | int, ...]
    message: str
    at_key: bool = False  # the key itself is at fault, not its value


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, if there is one."""
    if len(word) > 100:
        return None
    spellings = {name.lower(): name for name in known}
    return next((spellings[match] for match in difflib.get_close_matches(word.lower(), spellings, 1, 0.6)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'relu'?"`` when a known word is close to ``word``, else the empty string."""
    close = closest(word, known)
    return f"; did you mean {named(close)}?" if close else ""


def listing(words: Iterable[str], conjunction: str = "and") -> str:
    """Return ``"a, b and c"``."""
    words = list(words)
    return " ".join([", ".join(words[:-1]), conjunction, words[-1]]) if len(words) > 1 else "".join(words)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``"1 class"`` or ``"1,024 rows"``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def named(name: str) -> str:
    """A name as a message shows it: in quotes, in one line, and not without end."""
    return shown(name, 80)


def shown(value: object, most: int = 40) -> str:
    """A found value as a message shows it, with no more than so many characters of a text."""
    match value:
        case bool():
            return str(value).lower()
        case None:
            return "nothing"
        case str():
            escaped = "".join(c if c.isprintable() else repr(c)[1:-1] for c in value[:most])
            return f"'{escaped}{'...' if len(value) > most else ''}'"
        case dict():
            return "a block of settings"
        case list() | tuple():
            return "a list"
        case _:
            return str(value)
