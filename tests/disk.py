"""Watch every file operation in a folder, to refuse one of them or to simulate a power loss.

`Watch` stands between Python and the system. What is asked for goes on to the system as ever; before, it can be refused
with an error, which names what the system's own error would name, and after, it is told as an `Operation`.

`Disk` makes of such operations what a disk holds at each moment: all that was asked for, and what of it is safe. The
data of a file is safe once the file was flushed (fsync), and what stands in a folder once the folder was.
"""

from __future__ import annotations

import builtins
import functools
import io
import json
import os
import random
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

import pytest

from nnfs_cli.components import user_code
from nnfs_cli.config import config as spec
from nnfs_cli.config import yaml
from nnfs_cli.runs import environment
from nnfs_cli.system import files
from nnfs_cli.training.callbacks.checkpoint import Checkpoint

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WRITING = ("create", "open", "truncate", "write", "fsync", "close", "replace", "unlink", "mkdir", "rmdir", "chmod")
READING = ("open to read", "read", "look", "list")
LOCKING = ("lock",)
BY_NAME = ("create", "open", "replace", "unlink", "mkdir", "rmdir", "chmod", "open to read", "look", "list")
UNKNOWN = ("link", "symlink", "truncate", "mkfifo", "mknod", "pwrite", "pwritev", "writev", "utime", "fdatasync")
BUFFER = 8192

Tree = Mapping[str, bytes | None]  # contents by the paths of files; None is a folder


@dataclass(frozen=True)
class Operation:
    """What the system was asked for. Paths are below the folder that is watched, which is "" itself."""

    kind: str  # of `WRITING`, `READING` or `LOCKING`
    path: str
    handle: int = 0  # of an open file or folder, never used twice
    to: str = ""  # the new name
    at: int = 0  # where it is written, or how long the file becomes
    data: bytes = b""


@dataclass(frozen=True)
class Handle:
    """An open file or folder."""

    path: str
    number: int
    writes: bool


class Raw(io.FileIO):
    """A file without a buffer that is watched."""

    def __init__(self, watch: Watch, file: str, mode: str, handle: Handle) -> None:
        self._watch, self._handle = watch, handle
        super().__init__(file, mode)

    def write(self, data: Any) -> int:
        at = os.lseek(self.fileno(), 0, os.SEEK_CUR)
        return self._watch.write(self._handle, at, bytes(data), super().write)

    def truncate(self, size: int | None = None) -> int:
        size = self.tell() if size is None else size
        self._watch.ask("truncate", self._handle, at=size)
        super().truncate(size)
        self._watch.tell("truncate", self._handle, at=size)
        return size

    def readinto(self, buffer: Any) -> int | None:
        self._watch.ask("read", self._handle)
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self._watch.ask("read", self._handle)
        return super().readall()

    def read(self, size: int | None = -1) -> bytes | None:
        self._watch.ask("read", self._handle)
        return super().read(size)

    def close(self) -> None:
        if not self.closed:
            number = self.fileno()
            super().close()
            self._watch.closed(number)


class Watch:
    """Sees what is done in a folder, within `with`, and refuses what `ask` has the number of an error for.

    Nothing is really flushed to the disk: what is safe is known by what is told, and the disk need not be waited for.
    """

    def __init__(
        self,
        folder: Path,
        ask: Callable[[Operation], int | None] = lambda operation: None,
        tell: Callable[[Operation], object] = lambda operation: None,
    ) -> None:
        self.folder = os.path.realpath(folder)
        self._ask, self._tell = ask, tell
        self._handles: dict[int, Handle] = {}  # by their descriptors
        self._opened = 0
        self._real: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._patch = pytest.MonkeyPatch()
        self._put(io, "open", self._open_file)
        self._patch.setattr(builtins, "open", self._open_file)
        self._real_file = self._real["open"]
        for name in ("open", "close", "read", "write", "ftruncate", "fsync", "replace"):
            self._put(os, name, getattr(self, f"_{name}"))
        self._put(os, "rename", self._replace)
        for name in ("unlink", "mkdir", "rmdir", "chmod"):
            self._put(os, name, self._by_name(name, name))
        self._put(os, "remove", self._by_name("remove", "unlink"))
        for name, kind in {"stat": "look", "listdir": "list", "scandir": "list"}.items():
            self._put(os, name, self._by_name(name, kind))
        for name in UNKNOWN:
            if hasattr(os, name):
                self._put(os, name, self._unknown(name))
        if fcntl is not None:
            self._put(fcntl, "flock", self._flock)
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.undo()

    def ask(self, kind: str, what: Handle | str, names: tuple[Any, ...] = (), **more: Any) -> None:
        """Raise the error with which it is refused, if it is, as the system would: an open file has no name for it."""
        path, handle = (what.path, what.number) if isinstance(what, Handle) else (what, 0)
        number = self._ask(Operation(kind, path, handle, **more))
        if number is not None:
            told = [os.fspath(name) if isinstance(name, os.PathLike) else name for name in names]
            raise OSError(number, os.strerror(number), *([told[0], None, told[1]] if told[1:] else told))

    def tell(self, kind: str, what: Handle | str, **more: Any) -> None:
        """It was done."""
        path, handle = (what.path, what.number) if isinstance(what, Handle) else (what, 0)
        self._tell(Operation(kind, path, handle, **more))

    def write(self, handle: Handle, at: int, data: bytes, write: Callable[[bytes], int]) -> int:
        """Write all; where it is refused, the first half."""
        try:
            self.ask("write", handle, at=at, data=data)
        except OSError:
            self._write_some(handle, at, data[: len(data) // 2], write)
            raise
        self._write_some(handle, at, data, write)
        return len(data)

    def _write_some(self, handle: Handle, at: int, data: bytes, write: Callable[[bytes], int]) -> None:
        assert write(data) == len(data)
        self.tell("write", handle, at=at, data=data)

    def closed(self, descriptor: int) -> None:
        """It is closed, which it is although that may be refused."""
        handle = self._handles.pop(descriptor, None)
        if handle is not None and handle.writes:
            self.tell("close", handle)
            self.ask("close", handle)

    def _put(self, module: Any, name: str, instead: Any) -> None:
        self._real[name] = getattr(module, name)
        self._patch.setattr(module, name, instead)

    def _below(self, path: Any, dir_fd: int | None = None) -> str | None:
        """The path below the folder; None where it is not."""
        if isinstance(path, int):
            return self._handles[path].path if path in self._handles else None
        whole = os.fsdecode(path)
        if dir_fd is not None and not os.path.isabs(whole):
            if dir_fd not in self._handles:
                return None
            whole = os.path.join(self.folder, self._handles[dir_fd].path, whole)
        whole = os.path.abspath(whole)
        if whole == self.folder:
            return ""
        return Path(whole).relative_to(self.folder).as_posix() if whole.startswith(self.folder + os.sep) else None

    def _handle(self, path: str, writes: bool) -> Handle:
        self._opened += 1
        return Handle(path, self._opened, writes)

    def _asked_to_open(self, path: str, given: Any, writes: bool, creates: bool) -> tuple[str, Handle]:
        kind = "open to read"
        if writes:
            kind = "create" if creates and not os.path.lexists(os.path.join(self.folder, path)) else "open"
        self.ask(kind, path, (given,))
        return kind, self._handle(path, writes)

    def _opened_it(self, kind: str, handle: Handle, descriptor: int, empties: bool) -> None:
        self._handles[descriptor] = handle
        self.tell(kind, handle)
        if kind == "open" and empties:
            self.tell("truncate", handle)

    def _open_file(self, file: Any, mode: str = "r", buffering: int = -1, *texts: Any, **options: Any) -> Any:
        path = None if isinstance(file, int) else self._below(file)
        if path is None:
            return self._real_file(file, mode, buffering, *texts, **options)
        binary = mode.replace("b", "").replace("t", "")
        kind, handle = self._asked_to_open(path, file, binary != "r", binary[0] in "wxa")
        raw = Raw(self, os.fspath(file), binary, handle)
        self._opened_it(kind, handle, raw.fileno(), binary[0] == "w")
        if buffering == 0:
            return raw
        whole = io.BufferedRandom if "+" in mode else io.BufferedReader if binary == "r" else io.BufferedWriter
        buffered = whole(raw, BUFFER)  # type: ignore[arg-type]
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *texts, **options)

    def _open(self, file: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        path = self._below(file, dir_fd)
        if path is None:
            return int(self._real_os_open(file, flags, mode, dir_fd))
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR))
        kind, handle = self._asked_to_open(path, file, writes, bool(flags & os.O_CREAT))
        descriptor = int(self._real_os_open(file, flags, mode, dir_fd))
        self._opened_it(kind, handle, descriptor, bool(flags & os.O_TRUNC))
        return descriptor

    def _real_os_open(self, file: Any, flags: int, mode: int, dir_fd: int | None) -> Any:
        return self._real["open"](file, flags, mode, **({} if dir_fd is None else {"dir_fd": dir_fd}))

    def _close(self, descriptor: int) -> None:
        self._real["close"](descriptor)
        self.closed(descriptor)

    def _read(self, descriptor: int, size: int) -> bytes:
        if descriptor in self._handles:
            self.ask("read", self._handles[descriptor])
        return bytes(self._real["read"](descriptor, size))

    def _write(self, descriptor: int, data: Any) -> int:
        real = self._real["write"]
        if descriptor not in self._handles:
            return int(real(descriptor, data))
        at = os.lseek(descriptor, 0, os.SEEK_CUR)
        return self.write(self._handles[descriptor], at, bytes(data), lambda part: real(descriptor, part))

    def _ftruncate(self, descriptor: int, size: int) -> None:
        if descriptor in self._handles:
            self.ask("truncate", self._handles[descriptor], at=size)
        self._real["ftruncate"](descriptor, size)
        if descriptor in self._handles:
            self.tell("truncate", self._handles[descriptor], at=size)

    def _fsync(self, descriptor: int) -> None:
        if descriptor in self._handles:
            self.ask("fsync", self._handles[descriptor])
            self.tell("fsync", self._handles[descriptor])
        else:
            self._real["fsync"](descriptor)

    def _flock(self, descriptor: int, how: int) -> None:
        if descriptor in self._handles:
            self.ask("lock", self._handles[descriptor])
        self._real["flock"](descriptor, how)

    def _replace(self, old: Any, new: Any, **options: Any) -> None:
        path, to = self._below(old), self._below(new)
        if path is not None:
            assert to is not None
            assert not options
            self.ask("replace", path, (old, new), to=to)
            if os.path.lexists(new):
                self._real["unlink"](new)  # else some disks would flush the new one now, which takes its time
        else:
            assert to is None
        self._real["replace"](old, new, **options)
        if path is not None:
            self.tell("replace", path, to=to)

    def _by_name(self, name: str, kind: str) -> Callable[..., Any]:
        def call(path: Any = ".", *more: Any, dir_fd: int | None = None, **options: Any) -> Any:
            below = self._below(path, dir_fd)
            if dir_fd is not None:
                options["dir_fd"] = dir_fd
            if below is not None:
                self.ask(kind, below, (path,))
            result = self._real[name](path, *more, **options)
            if below is not None:
                self.tell(kind, below)
            return result

        return call

    def _unknown(self, name: str) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            for path in given:
                if isinstance(path, int | str | bytes | os.PathLike) and self._below(path) is not None:
                    raise AssertionError(f"os.{name} is not among the operations that are known here")
            return self._real[name](*given, **options)

        return call


@dataclass
class File:
    """What a file holds, what of it is safe, and the changes since: where, and what; None cuts it off there."""

    data: bytearray = field(default_factory=bytearray)
    safe: bytes = b""
    waiting: list[tuple[int, bytes | None]] = field(default_factory=list)

    def change(self, at: int, data: bytes | None) -> None:
        """Write there, or let the file end there."""
        _change(self.data, at, data)
        self.waiting.append((at, data))

    def flush(self) -> None:
        """From here on it is safe."""
        self.safe, self.waiting = bytes(self.data), []


@dataclass
class Folder:
    """What stands in a folder, what of it is safe, and the changes since: those of a renaming together."""

    entries: dict[str, File | Folder] = field(default_factory=dict)
    safe: dict[str, File | Folder] = field(default_factory=dict)
    waiting: list[dict[str, File | Folder | None]] = field(default_factory=list)

    def change(self, names: dict[str, File | Folder | None]) -> None:
        """Let names stand for something, or nothing."""
        _rename(self.entries, names)
        self.waiting.append(names)

    def flush(self) -> None:
        """From here on it is safe."""
        self.safe, self.waiting = dict(self.entries), []


def _change(content: bytearray, at: int, data: bytes | None) -> None:
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    if data is None:
        del content[at:]
    else:
        content[at : at + len(data)] = data


def _rename(entries: dict[str, File | Folder], names: dict[str, File | Folder | None]) -> None:
    for name, entry in names.items():
        if entry is None:
            entries.pop(name, None)
        else:
            entries[name] = entry


class Disk:
    """What a disk holds, by the operations so far."""

    def __init__(self, tree: Tree) -> None:
        """Begin with files that are safe."""
        self.root = Folder()
        self._open: dict[int, File | Folder] = {}
        for path in sorted(tree):
            content, (folder, name) = tree[path], self._place(path)
            folder.entries[name] = Folder() if content is None else File(bytearray(content), content)
            folder.safe = dict(folder.entries)

    def apply(self, operation: Operation) -> None:
        """One more."""
        kind, path = operation.kind, operation.path
        if kind == "create":
            folder, name = self._place(path)
            folder.change({name: File()})
        if kind in ("create", "open", "open to read"):
            self._open[operation.handle] = self._find(path)
        elif kind in ("write", "truncate"):
            file = self._open[operation.handle]
            assert isinstance(file, File)
            file.change(operation.at, operation.data if kind == "write" else None)
        elif kind == "fsync":
            self._open[operation.handle].flush()
        elif kind == "mkdir":
            folder, name = self._place(path)
            folder.change({name: Folder()})
        elif kind in ("unlink", "rmdir"):
            folder, name = self._place(path)
            folder.change({name: None})
        elif kind == "replace":
            folder, name = self._place(path)
            other, to = self._place(operation.to)
            assert other is folder
            folder.change({to: folder.entries[name], name: None})
        else:
            assert kind in ("close", "chmod", "look", "list")

    def _find(self, path: str) -> File | Folder:
        if not path:
            return self.root
        folder, name = self._place(path)
        return folder.entries[name]

    def _place(self, path: str) -> tuple[Folder, str]:
        above, _, name = path.rpartition("/")
        folder = self._find(above)
        assert isinstance(folder, Folder)
        return folder, name

    def left(self, loss: Loss) -> dict[str, bytes | None]:
        """The tree that is there after a loss of power."""
        return dict(_left(self.root, "", loss))


class Loss:
    """What a loss of power leaves: here, all that was asked for, as when only the process is killed."""

    def begin(self, moment: int) -> None:
        """It is lost now."""

    def data(self, file: File) -> bytes:
        """Of a file."""
        return bytes(file.data)

    def entries(self, folder: Folder) -> dict[str, File | Folder]:
        """Of a folder."""
        return folder.entries


class OfAllUnsafe(Loss):
    """What was not flushed is gone."""

    def data(self, file: File) -> bytes:
        return file.safe

    def entries(self, folder: Folder) -> dict[str, File | Folder]:
        return folder.safe


class OfUnsafeData(Loss):
    """Names are kept, as by a journal of names alone; the data of files that was not flushed is gone."""

    def data(self, file: File) -> bytes:
        return file.safe


class OfZeros(Loss):
    """Names and lengths are kept; the data of files that was not flushed is zeros."""

    def data(self, file: File) -> bytes:
        content = bytearray(file.safe)
        for at, data in file.waiting:
            _change(content, at, None if data is None else bytes(len(data)))
        return bytes(content)


class OfUnsafeNames(Loss):
    """Names that were not flushed are gone; the data of the others is kept."""

    def entries(self, folder: Folder) -> dict[str, File | Folder]:
        return folder.safe


class OfNewNames(Loss):
    """Files that were made are gone, unless they were renamed: what it says of a name may be there before its file."""

    def entries(self, folder: Folder) -> dict[str, File | Folder]:
        entries = dict(folder.safe)
        for names in folder.waiting:
            if len(names) > 1:
                _rename(entries, names)
        return entries


class ByChance(Loss):
    """Some of what was not flushed is gone: any change of names, any change of data, and the ends of some writes."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.begin(0)

    def begin(self, moment: int) -> None:
        self._rng = random.Random(f"{self._seed} {moment}")  # noqa: S311 - no secret

    def data(self, file: File) -> bytes:
        content = bytearray(file.safe)
        for at, data in file.waiting:
            chance = self._rng.random()
            if chance < 0.5:
                _change(content, at, data)
            elif chance < 0.6 and data is not None:
                _change(content, at, data[: len(data) // 2])
        return bytes(content)

    def entries(self, folder: Folder) -> dict[str, File | Folder]:
        entries = dict(folder.safe)
        for names in folder.waiting:
            if self._rng.random() < 0.5:
                _rename(entries, names)
        return entries


def _left(folder: Folder, above: str, loss: Loss) -> Iterable[tuple[str, bytes | None]]:
    for name, entry in loss.entries(folder).items():
        path = f"{above}{name}"
        if isinstance(entry, File):
            yield path, loss.data(entry)
        else:
            yield path, None
            yield from _left(entry, f"{path}/", loss)


def tree_of(folder: Path) -> dict[str, bytes | None]:
    """What is in a folder."""
    paths = sorted(folder.rglob("*"))
    return {path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes() for path in paths}


def plant(tree: Tree, folder: Path) -> None:
    """Let a folder hold just that."""
    folder.mkdir(exist_ok=True)
    there = tree_of(folder)
    for path in reversed(there):
        if there[path] is not None and tree.get(path) != there[path]:
            (folder / path).unlink()
        elif there[path] is None and tree.get(path, b"") is not None:
            (folder / path).rmdir()
    for path in sorted(tree):
        content = tree[path]
        if content is None:
            (folder / path).mkdir(exist_ok=True)
        elif content != there.get(path):
            (folder / path).write_bytes(content)


def content_of(write: Callable[[BinaryIO], object]) -> bytes:
    """What it writes."""
    content = io.BytesIO()
    write(content)
    return content.getvalue()


def put_instead(patch: pytest.MonkeyPatch, name: str, other: Callable[..., Any]) -> None:
    """Let whoever calls a function of `nnfs_cli.system.files` call another."""
    function = getattr(files, name)
    for module in [module for key, module in sys.modules.items() if key.startswith("nnfs_cli.")]:
        if getattr(module, name, None) is function:
            patch.setattr(module, name, other)


def prepare(patch: pytest.MonkeyPatch) -> None:
    """Let a training of a few steps write its state at each, and keep a file of code, which does nothing.

    What no disk has a part in is quickened.
    """
    patch.setattr(Checkpoint, "seconds_between_writes", -1.0)
    patch.setattr(Checkpoint, "share", float("inf"))
    code = user_code.CodeFile(Path("parts.py"), b"# nothing\n", "0")
    patch.setitem(user_code.LOADED, "parts", code)
    training = sys.modules["nnfs_cli.workflows.train"]  # not the function of that name
    patch.setattr(training, "code_files_of", lambda spec: {"parts.py": code})
    patch.setattr(environment, "_git_commit", lambda: None)
    for name in ("_processor", "_kernels"):
        patch.setattr(environment, name, functools.cache(getattr(environment, name)))
    patch.setattr(yaml, "read", functools.cache(yaml.read))
    dumped = functools.cache(lambda text: yaml.dump(json.loads(text)))
    patch.setattr(spec, "dump", lambda settings: dumped(json.dumps(settings)))
