"""A user's own components: Python files that are run because the user names them, by --code, and never otherwise."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from nnfs_cli.errors import UserError


@dataclass(frozen=True)
class Code:
    """A file that was loaded."""

    path: Path
    source: bytes
    sha256: str


LOADED: dict[str, Code] = {}  # by the name of the module that a file became


def load_code(path: Path) -> None:
    """Run a Python file, so that the components that it declares register; once is enough.

    Raises `UserError` with the line at fault when it cannot be run.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; --code takes a Python file") from None
    code = Code(path, source, hashlib.sha256(source).hexdigest())
    if any(known.sha256 == code.sha256 for known in LOADED.values()):
        return
    name = f"nnfs_code_{len(LOADED)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} is not a Python file; --code takes a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UserError(f"{_place(error, path)}: {type(error).__name__}: {error}") from None
    LOADED[name] = code


def code_of(value: object) -> dict[str, Code]:
    """The loaded files that a config's components come from, by their names."""
    modules = {type(part).__module__ for part in _models(value)}
    return {LOADED[name].path.name: LOADED[name] for name in sorted(modules) if name in LOADED}


def _models(value: object) -> Iterator[BaseModel]:
    if isinstance(value, BaseModel):
        yield value
        for _, inner in value:
            yield from _models(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _models(inner)


def _place(error: Exception, path: Path) -> str:
    """Where in the file it went wrong, as far as it was there."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)
