"""The optional packages, each with the extra that installs it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from nnfs_cli.errors import UserError

EXTRAS = {
    "fast": "numba",
    "excel": "python-calamine and openpyxl",
    "sql": "adbc-driver-postgresql",
    "duckdb": "duckdb",
    "export": "mini-racer, onnx and onnxruntime",
    "tensorboard": "tensorboardX",
    "mlflow": "mlflow",
    "tune": "optuna and cmaes",
    "serve": "fastapi and uvicorn",
}


@contextlib.contextmanager
def needed(extra: str, purpose: str) -> Iterator[None]:
    """Turn a missing package in the block into a `UserError` that says which extra installs it.

    >>> with needed("excel", "reading sales.xlsx"):
    ...     import a_package_that_is_not_installed
    Traceback (most recent call last):
        ...
    nnfs_cli.errors.UserError: reading sales.xlsx needs python-calamine and openpyxl: pip install 'nnfs-cli[excel]'
    """
    try:
        yield
    except ModuleNotFoundError:
        raise UserError(f"{purpose} needs {EXTRAS[extra]}: {install(extra)}") from None


def install(extra: str) -> str:
    """Return the command that installs an extra."""
    return f"pip install 'nnfs-cli[{extra}]'"
