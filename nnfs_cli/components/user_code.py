"""Custom components: Python files that run only because the user names them with --code."""

from __future__ import annotations

import hashlib
import importlib.abc
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

from pydantic import BaseModel

from nnfs_cli.components.component import Component
from nnfs_cli.components.moved_modules import new_name
from nnfs_cli.errors import UserError


@dataclass(frozen=True)
class CodeFile(importlib.abc.InspectLoader):
    """A Python file given with --code. It runs from the source that was read and hashed, never from bytecode."""

    path: Path
    source: bytes
    sha256: str

    def get_source(self, fullname: str) -> str:
        """Return the source as text."""
        return self.source.decode()

    def get_code(self, fullname: str) -> CodeType:
        """Return the compiled source."""
        return self.source_to_code(self.source, str(self.path))


LOADED: dict[str, CodeFile] = {}  # by the name of the module that each file is loaded as


def load_code(path: Path) -> None:
    """Run a Python file, so that its components register. Do nothing for a file that has run already.

    Raises `UserError` with the line at fault if the file cannot run; then none of its components stay registered.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; --code takes a Python file") from None
    if path.suffix != ".py":
        raise UserError(f"{path} is not a Python file; --code takes a file that ends in .py")
    code = CodeFile(path, source, hashlib.sha256(source).hexdigest())
    if any(known.sha256 == code.sha256 for known in LOADED.values()):
        return
    if any(known.path.name == path.name for known in LOADED.values()):
        raise UserError(f"{path}: --code names another file called {path.name}; rename one of them")
    name = f"nnfs_code_{len(LOADED)}"
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = str(path)
    before = {family: dict(family.registered) for family in Component.families.values()}
    try:
        code.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        del sys.modules[name]
        for family, registered in before.items():
            family.registered.clear()
            family.registered.update(registered)
        raise UserError(_message(error, _line(error, path), path)) from None
    LOADED[name] = code


def describe_error(error: Exception) -> str | None:
    """Return the position and text of an error that a loaded file has caused, or None if no such file was involved."""
    lines = [(line, code.path) for code in LOADED.values() if (line := _line(error, code.path))]
    return _message(error, *lines[-1]) if lines else None


def code_files_of(value: object) -> dict[str, CodeFile]:
    """Return the loaded files that define components of this config, by file name."""
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


def _line(error: BaseException, path: Path) -> int | None:
    """Return the last line of the file that the error passed through, if any."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None


def _message(error: BaseException, line: int | None, path: Path) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    if isinstance(error, ModuleNotFoundError):
        text += new_name(error.name or "")
    return ": ".join(filter(None, [f"{path}:{line}" if line else str(path), type(error).__name__, text]))
