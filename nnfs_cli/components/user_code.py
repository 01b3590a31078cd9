"""A user's own components: Python files that are run because the user names them, by --code, and never otherwise."""

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
from nnfs_cli.errors import UserError


@dataclass(frozen=True)
class CodeFile(importlib.abc.InspectLoader):
    """A file of the user's own. What is run is the source that was read: no bytecode is taken for it, or left."""

    path: Path
    source: bytes
    sha256: str

    def get_source(self, fullname: str) -> str:
        """As text."""
        return self.source.decode()

    def get_code(self, fullname: str) -> CodeType:
        """Compiled."""
        return self.source_to_code(self.source, str(self.path))


LOADED: dict[str, CodeFile] = {}  # by the name of the module that a file became


def load_code(path: Path) -> None:
    """Run a Python file, so that the components that it declares register; once is enough.

    Raises `UserError` with the line at fault when it cannot be run. Then nothing of it is left registered.
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
        raise UserError(f"{path}: another file called {path.name} has been given; rename one of them")
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
        for family, members in before.items():
            family.registered.clear()
            family.registered.update(members)
        raise UserError(_complaint(error, _line(error, path), path)) from None
    LOADED[name] = code


def describe_error(error: Exception) -> str | None:
    """What to say of an error that comes from a loaded file: the place and the error; None when it does not."""
    places = [(line, code.path) for code in LOADED.values() if (line := _line(error, code.path))]
    return _complaint(error, *places[-1]) if places else None


def code_files_of(value: object) -> dict[str, CodeFile]:
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


def _line(error: BaseException, path: Path) -> int | None:
    """The line of the file where it went wrong, as far as it was there."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None


def _complaint(error: BaseException, line: int | None, path: Path) -> str:
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return ": ".join(filter(None, [f"{path}:{line}" if line else str(path), type(error).__name__, said]))
