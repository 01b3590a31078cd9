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


MAX_FAULTS = 20  # faults of a config that are said at once


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a config: the path of keys and indices that leads to it, and a sentence."""

    path: tuple[str | int, ...]
    message: str
    at_key: bool = False  # the key itself is at fault, not its value
