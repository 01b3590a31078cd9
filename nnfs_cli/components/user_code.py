"""Custom components: of Python files that the user names with --code, and of modules and notebooks that define them."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.abc
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

from pydantic import BaseModel

from nnfs_cli.components.component import Component
from nnfs_cli.components.moved_modules import new_name
from nnfs_cli.errors import ConfigError, UserError


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

    def __reduce__(self) -> tuple[object, ...]:
        """Run the file in the process that reads a copy, so that it knows the components that come after it."""
        return _run, (self.path, self.source)


LOADED: dict[str, CodeFile] = {}  # by the name of the module that each file is loaded as


def load_code(path: str | os.PathLike[str]) -> None:
    """Run a Python file, so that its components register, as `--code` does. Do nothing for a file that has run already.

    A file that has changed since then runs again, and its classes take the place of the earlier ones.
    Raises `UserError` with the line at fault if the file cannot run; then none of its components stay registered.

    >>> from pathlib import Path
    >>> from nnfs_cli import Layer, load_code
    >>> lines = "from nnfs_cli import ReLU", "class Mine(ReLU, name='mine'): ...", ""
    >>> written = Path("my_layers.py").write_text(chr(10).join(lines))
    >>> load_code("my_layers.py")
    >>> Layer.resolve("mine")
    Mine()
    """
    path = Path(path)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; --code takes a Python file") from None
    if path.suffix != ".py":
        raise UserError(f"{path} is not a Python file; --code takes a file that ends in .py")
    _run(path, source)


def _run(path: Path, source: bytes) -> CodeFile:
    """Run a file as `load_code` does, from its source."""
    code = CodeFile(path, source, hashlib.sha256(source).hexdigest())
    if code.sha256 in known_code().values():
        return code
    known = {file.path.name: (name, file) for name, file in LOADED.items()}
    name, same_name = known.get(path.name, (f"nnfs_code_{len(LOADED)}", code))
    if same_name.path.absolute() != path.absolute():
        raise UserError(f"{path}: --code names another file called {path.name}; rename one of them")
    earlier = sys.modules.get(name)
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = str(path)
    before = {family: dict(family.registered) for family in Component.families.values()}
    try:
        code.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if earlier is None:
            del sys.modules[name]
        else:
            sys.modules[name] = earlier
        for family, registered in before.items():
            family.registered.clear()
            family.registered.update(registered)
        raise UserError(_message(error, _line(error, path), path)) from None
    LOADED[name] = code
    return code


def describe_error(error: Exception) -> str | None:
    """Return the position and text of an error that a loaded file has caused, or None if no such file was involved."""
    lines = [(line, code.path) for code in LOADED.values() if (line := _line(error, code.path))]
    return _message(error, *lines[-1]) if lines else None


def code_files_of(value: object) -> dict[str, CodeFile]:
    """Return the loaded files that define components of this config, by file name."""
    modules = {type(part).__module__ for part in _components(value)}
    return {LOADED[name].path.name: LOADED[name] for name in sorted(modules) if name in LOADED}


def definitions_of(value: object) -> list[dict[str, str]]:
    """Return the `family`, `name`, `module` and `class` of each component of this config that Python defined elsewhere.

    That is neither in nnfs nor in a loaded file. Raises `ConfigError` for a class without a name of its own, which
    nothing that was written could be read back as.
    """
    found: dict[type[Component], dict[str, str]] = {}
    for part in _components(value):
        kind = type(part)
        if not kind.is_own() or kind.__module__ in LOADED:
            continue
        if "name" not in vars(kind):
            example = f'as in class {kind.__name__}(..., name="{kind.__name__.lower()}")'
            raise ConfigError(f"the {kind.family} {kind.__name__} needs a name, by which a run records it, {example}")
        where = {"family": kind.family, "name": kind.name, "module": kind.__module__, "class": kind.__qualname__}
        found[kind] = where
    return list(found.values())


def comes_from_files(value: object) -> bool:
    """Return whether all of the user's own components of this config come from loaded files.

    Another process can run these files. It must not import a module or notebook for its classes, which would do again
    whatever else that does.
    """
    return all(type(part).__module__ in LOADED for part in _components(value) if part.is_own())


def known_code() -> dict[str, str]:
    """Return the SHA-256 of the files that have defined components, loaded or imported, by file name."""
    files = {}
    kinds = [kind for family in Component.families.values() for kind in family.registered.imported() if kind.is_own()]
    for module in {kind.__module__ for kind in kinds} - {*LOADED}:
        if path := getattr(sys.modules.get(module), "__file__", None):
            with contextlib.suppress(OSError):
                files[Path(path).name] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return files | {code.path.name: code.sha256 for code in LOADED.values()}


def _components(value: object) -> Iterator[Component]:
    if isinstance(value, BaseModel):
        if isinstance(value, Component):
            yield value
        for inner in vars(value).values():
            yield from _components(inner)
    elif isinstance(value, tuple | list | Mapping):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _components(inner)


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
