"""The exceptions and warnings that nnfs raises on purpose.

The library raises them and never prints or exits; only the command line turns them into a message and an exit code.

    NnfsError
    ├── UserError            invalid input (exit code 2)
    │   ├── ConfigError      the YAML file or a --set option
    │   ├── DataError        a table, a row or a column
    │   ├── ExportError      a model, or a part of it, that a format cannot hold
    │   └── RunError         a run directory
    ├── DivergedError        training diverged (exit code 3)
    └── GradientError        a backward pass is wrong (exit code 3)

    NnfsWarning              a warning, which does not stop the command

Other exit codes: 1 internal error (any other exception), 4 a resource is not available (an OSError for a full disk, a
missing permission or a locked run; a MemoryError), 130 or 143 interrupted (KeyboardInterrupt or Terminated).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

ColumnProblem = Literal["empty cells", "not numbers", "dates"]


class NnfsError(Exception):
    """The root of the tree. Its text is the complete message for the user.

    >>> from nnfs_cli import NnfsError, train
    >>> try:
    ...     train("houses.yaml")
    ... except NnfsError as error:
    ...     print(error)
    houses.yaml: error: there is no such file
    """


class UserError(NnfsError):
    """Invalid input: an option, the config, the data or a run directory.

    >>> from nnfs_cli import UserError, cross_validate
    >>> try:
    ...     cross_validate("configs/iris.yaml", folds=1)
    ... except UserError as error:
    ...     print(error)
    cross-validation needs 2 folds or more, and 1 repeat or more; found 1 and 1
    """


class ConfigError(UserError):
    """One or more faults of a config, each with its position in the file.

    >>> from nnfs_cli import ConfigError, train
    >>> try:
    ...     train("configs/iris.yaml", epoch=20)
    ... except ConfigError as error:
    ...     print(error)
    epoch: error: there is no key 'epoch'; did you mean 'epochs'?
    """

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> Self:
        """Return one error for all the faults of settings that are not in a file, one in a line.

        >>> from nnfs_cli.errors import ConfigError, Fault
        >>> print(ConfigError.of([Fault(("layers", 0), "expected a list")]))
        layers.0: expected a list
        """
        return cls("\n".join(f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in faults))


class DataError(UserError):
    """A table that cannot be used. `problem` is set where preprocessing steps can solve the problem of a column.

    >>> from nnfs_cli import DataError, train
    >>> try:
    ...     train({"dataset": {"table": "price"}}, {"size": [50, 62], "price": [1.0, None]})
    ... except DataError as error:
    ...     print(error)
    the table, row 2: the target 'price' is empty; missing_target: drop leaves out such rows
    """

    def __init__(self, message: str, problem: ColumnProblem | None = None) -> None:
        super().__init__(message)
        self.problem = problem


class ExportError(UserError):
    """A model, or a part of it, that cannot be exported, or not to a format.

    >>> from nnfs_cli.errors import ExportError, UserError
    >>> issubclass(ExportError, UserError)
    True
    """


class RunError(UserError):
    """A run directory that is missing, incomplete, damaged or not made by nnfs.

    >>> from nnfs_cli import Run, RunError
    >>> try:
    ...     Run.open("runs/iris-7")
    ... except RunError as error:
    ...     print(error)
    there is no run directory runs/iris-7
    """


class DivergedError(NnfsError):
    """Training diverged: a loss, gradient or weight became infinite or NaN.

    >>> from nnfs_cli import DivergedError, train
    >>> try:
    ...     train("configs/diabetes.yaml", lr=1e30)
    ... except DivergedError as error:
    ...     print(error)
    training diverged: the loss is nan in epoch 1, batch 2, after 1 step, at lr 1e+30; ...
    """


class GradientError(NnfsError):
    """A layer's backward pass does not give the derivative of its forward pass.

    >>> from nnfs_cli.errors import GradientError
    >>> raise GradientError("layers.1 (sine): the gradient with respect to x is wrong")
    Traceback (most recent call last):
        ...
    nnfs_cli.errors.GradientError: layers.1 (sine): the gradient with respect to x is wrong
    """


class Terminated(KeyboardInterrupt):
    """The signal SIGTERM, which stops the work in the same way as Ctrl-C."""


class NnfsWarning(UserWarning):
    """A warning for the user. It does not stop the command.

    >>> import warnings
    >>> from nnfs_cli import NnfsWarning, train
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", NnfsWarning)
    ...     run = train("configs/breast_cancer.yaml", epochs=3)
    """


MAX_FAULTS = 20  # faults that one error reports


@dataclass(frozen=True)
class Fault:
    """One fault of a config: the keys and indices that lead to it, and a sentence about it."""

    path: tuple[str | int, ...]
    message: str
    at_key: bool = False  # the key is at fault, not its value
