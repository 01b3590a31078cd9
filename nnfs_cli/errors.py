"""The exceptions and warnings that nnfs raises on purpose.

The library raises them and never prints or exits; only the command line turns them into a message and an exit code.

    NnfsError
    ├── UserError            invalid input (exit code 2)
    │   ├── ConfigError      the YAML file or a --set option
    │   ├── DataError        a table, a row or a column
    │   └── RunError         a run directory
    └── DivergedError        training diverged (exit code 3)

    NnfsWarning              a warning, which does not stop the command

Other exit codes: 1 internal error (any other exception), 4 a resource is not available (an OSError for a full disk, a
missing permission or a locked run; a MemoryError), 130 or 143 interrupted (KeyboardInterrupt or Terminated).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnProblem = Literal["empty cells", "not numbers", "dates"]


class NnfsError(Exception):
    """The root of the tree. Its text is the complete message for the user."""


class UserError(NnfsError):
    """Invalid input: an option, the config, the data or a run directory."""


class ConfigError(UserError):
    """One or more faults of a config, each with its position in the file."""


class DataError(UserError):
    """A table that cannot be used. `problem` is set where preprocessing steps can solve the problem of a column."""

    def __init__(self, message: str, problem: ColumnProblem | None = None) -> None:
        super().__init__(message)
        self.problem = problem


class RunError(UserError):
    """A run directory that is missing, incomplete, damaged or not made by nnfs."""


class DivergedError(NnfsError):
    """Training diverged: a loss, gradient or weight became infinite or NaN."""


class Terminated(KeyboardInterrupt):
    """The signal SIGTERM, which stops the work in the same way as Ctrl-C."""


class NnfsWarning(UserWarning):
    """A warning for the user. It does not stop the command."""


MAX_FAULTS = 20  # faults that one error reports


@dataclass(frozen=True)
class Fault:
    """One fault of a config: the keys and indices that lead to it, and a sentence about it."""

    path: tuple[str | int, ...]
    message: str
    at_key: bool = False  # the key is at fault, not its value
