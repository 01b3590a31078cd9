"""Describe the environment of a run: versions, machine, threads, command line and git commit."""

from __future__ import annotations

import functools
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.system.threads import available_cores

PACKAGES = ("nnfs-cli", "numpy", "scipy", "scikit-learn", "pyarrow", "pydantic", "PyYAML", "numba")
KERNELS = ("OPENBLAS_CORETYPE", "MKL_ENABLE_INSTRUCTIONS")  # variables that choose the code of matrix products


def describe_environment(threads: int | None = None) -> dict[str, Any]:
    """Return versions, machine, BLAS, threads, command line and git commit as plain JSON without absolute paths.

    `threads` is the most threads that training may use; by default, the number of cores.
    """
    blas = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return {
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": available_cores(),
        "blas": {key: blas[key] for key in ("name", "version") if key in blas} | _kernels(),
        "threads": threads or available_cores(),
        "variables": {name: os.environ[name] for name in KERNELS if name in os.environ},
        "command": _command(),
        "git_commit": _git_commit(),
    }


def environment_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences that the bytes of a run may depend on, as in "numpy 2.4.6 (was 2.4.5)"."""
    changes = []
    for key in ("python", "packages", "machine", "processor", "blas", "variables"):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            names = [*new, *(name for name in old if name not in new)]
            different = [(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]
        else:
            different = [(key, old, new)] if old != new else []
        for name, was, found in different:
            label = name if key in ("python", "packages", "variables") or name == key else f"{key} {name}"
            changes.append(
                f"{label} {'is missing' if found is None else found} (was {'missing' if was is None else was})"
            )
    return changes


def _kernels() -> dict[str, str]:
    """Return the processor that the BLAS chose its kernels for, if it reports one."""
    from threadpoolctl import threadpool_info

    found = [str(library["architecture"]) for library in threadpool_info() if library.get("architecture")]
    return {"kernels": found[0]} if found else {}


@functools.cache  # of a search through all installed packages
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def _command() -> str:
    return shlex.join([os.path.basename(sys.argv[0]), *map(_without_absolute_path, sys.argv[1:])])


def _without_absolute_path(argument: str) -> str:
    """Return an argument whose path, also behind an =, is relative to the current folder."""
    option, equals, value = argument.rpartition("=")
    if not os.path.isabs(value):
        return argument
    try:
        return option + equals + os.path.relpath(value)
    except ValueError:  # another drive on Windows
        return option + equals + os.path.basename(value)


def _git_commit() -> str | None:
    """Return the commit that is checked out in the current folder, if it is under git.

    It does not check whether files have changed since, because git would then run programs that the folder names.
    """
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", "HEAD"],  # noqa: S607 - the git on the user's path is the one that is meant
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
