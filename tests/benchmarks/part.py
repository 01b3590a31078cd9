"""What all parts of the benchmarks share: the machine they ran on, and the files of what they found."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).parent.parent.parent
RESULTS = ROOT / ".readme" / "benchmarks"
PREFIXES = ("OMP_", "OPENBLAS_", "MKL_", "XLA_", "NUMBA_", "TORCH")  # of variables by which a machine slows one down

Found = dict[str, Any]


class Part(Protocol):
    """A module that measures something. Its docstring begins with what that is."""

    PACKAGES: tuple[str, ...]  # whose versions belong to the figures

    @staticmethod
    def options(parser: argparse.ArgumentParser) -> None:
        """Add what can be asked of it."""

    @staticmethod
    def measured(given: argparse.Namespace) -> Found:
        """Measure; `given.quick` asks only whether it works, and writes no file, `given.turns` for so many turns."""

    @staticmethod
    def markdown(found: Found) -> str:
        """The tables of what was found."""


def installed(name: str) -> bool:
    """Whether a package is."""
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def circumstances(packages: tuple[str, ...]) -> Found:
    """The date, the machine and the versions."""
    from nnfs_cli.runs.environment import describe_environment

    environment = describe_environment()
    machine = {key: environment[key] for key in ("processor", "cores", "platform", "python")}
    machine["packages"] = {name: version(name) for name in packages if installed(name)}
    return {"date": datetime.now(UTC).date().isoformat(), "machine": machine}


def described(found: Found) -> str:
    """The same in words."""
    machine = found["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"Measured on {found['date']}: {machine['processor']}, {machine['cores']} cores,\n"
        f"Python {machine['python']}, {packages}.\n"
    )


def file_of(part: str) -> Path:
    """Where the last figures of a part are kept."""
    return RESULTS / f"{part}.json"


def read(part: str) -> Found:
    """The last figures of a part."""
    found: Found = json.loads(file_of(part).read_text(encoding="utf-8"))
    return found


def say(what: str) -> None:
    """Tell on stderr what is being measured."""
    print(what, "...", file=sys.stderr, flush=True)


@contextlib.contextmanager
def as_installed(**settings: str) -> Iterator[None]:
    """Take away the variables that tell a library how to calculate, and set others for a while."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        del os.environ[name]
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
