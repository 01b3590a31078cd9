"""Machine code is only loaded from files that nobody but this user can have written."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli.system import files
from nnfs_cli.system.machine_code import cache, loader
from nnfs_cli.system.machine_code.kernel import Device, Floats, device, kernel

CODE = bytes(range(256)) * 20
OTHER = os.getuid() + 1 if hasattr(os, "getuid") else 0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes, links and pipes are those of other systems")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, in a home that is safe whatever the umask of the tests is."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    tmp_path.chmod(0o700)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


def kept() -> Path:
    """The file of some code in the cache."""
    cache.write("a", CODE)
    assert cache.read("a") == CODE
    return cache.folder() / "a"


def test_code_that_was_written_is_read_by_its_name() -> None:
    assert cache.read("a") is None
    file = kept()
    assert cache.read("b") is None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_the_cache_works_whatever_new_files_are_open_to(umask: int) -> None:
    before = os.umask(umask)
    try:
        kept()
    finally:
        os.umask(before)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "only a digest": lambda file: file.write_bytes(file.read_bytes()[: cache.DIGEST]),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\0"),
    "a bit": lambda file: file.write_bytes(file.read_bytes()[:-1] + bytes([file.read_bytes()[-1] ^ 1])),
    "digest of the code alone": lambda file: file.write_bytes(hashlib.sha256(CODE).digest() + CODE),
    "another name": lambda file: (cache.write("b", CODE), (file.parent / "b").replace(file)),
    "the group writes the file": lambda file: file.chmod(0o620),
    "all write the file": lambda file: file.chmod(0o602),
    "the group writes the folder": lambda file: file.parent.chmod(0o770),
    "all write the folder": lambda file: file.parent.chmod(0o707),
    "all write the folder above": lambda file: file.parent.parent.chmod(0o777),
    "all write the home": lambda file: file.parent.parent.parent.chmod(0o777),
    "a link": lambda file: (file.rename(file.with_name("c")), file.symlink_to("c")),
    "a link to nowhere": lambda file: (file.unlink(), file.symlink_to("c")),
    "a pipe": lambda file: (file.unlink(), os.mkfifo(file)),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "no permission": lambda file: file.chmod(0o000),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_cannot_be_trusted_is_never_read(damage: Callable[[Path], object]) -> None:
    file = kept()
    damage(file)
    assert cache.read("a") is None or (os.getuid() == 0 and file.stat().st_mode & 0o777 == 0)


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name.split()[-1] not in {"folder", "above", "home"}])
def test_what_cannot_be_trusted_is_replaced(damage: str) -> None:
    file = kept()
    DAMAGES[damage](file)
    cache.write("a", CODE)
    assert cache.read("a") == CODE
    assert stat.S_ISREG(file.lstat().st_mode)


def test_a_folder_of_another_name_is_left_alone() -> None:
    file = kept()
    DAMAGES["a folder"](file)
    cache.write("a", CODE)
    assert file.is_dir()
    assert [each.name for each in file.parent.iterdir()] == ["a"]


@pytest.mark.parametrize("owned", ["file", "folder", "home"])
def test_what_belongs_to_another_user_is_never_read(owned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = kept()
    theirs = {"file": file, "folder": file.parent, "home": file.parent.parent}[owned].stat().st_ino

    def as_if(stat_: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def found(*arguments: object, **named: object) -> os.stat_result:
            status = stat_(*arguments, **named)
            return os.stat_result([*status[:4], OTHER, *status[5:]]) if status.st_ino == theirs else status

        return found

    for name in ("stat", "lstat", "fstat"):
        monkeypatch.setattr(os, name, as_if(getattr(os, name)))
    assert cache.read("a") is None


def test_a_link_to_a_safe_folder_leads_to_the_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept()
    (home.parent / "link").symlink_to(home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home.parent / "link"))
    assert cache.read("a") == CODE
    home.parent.chmod(0o777)
    assert cache.read("a") is None


def test_a_folder_for_all_where_nobody_moves_the_files_of_others_is_safe(home: Path) -> None:
    home.chmod(0o1777)
    kept()


def test_a_group_of_the_user_alone_may_write_above_the_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = kept()
    home.chmod(0o770)
    assert (cache.read("a") == CODE) == (home.stat().st_gid == os.getuid())
    assert file.exists()


@pytest.mark.parametrize("named", ["", "cache", "./cache", "~/cache"])
def test_a_relative_place_is_ignored(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    monkeypatch.setenv("HOME", str(tmp_path))
    kept()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".cache", "home"]


@pytest.mark.parametrize("value", [None, "relative", "/nowhere/at/all"])
def test_without_a_home_nothing_is_kept(value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(*_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME")
    if value is None:
        monkeypatch.setattr(Path, "home", no_home)
    else:
        monkeypatch.setenv("HOME", value)
        monkeypatch.setattr(Path, "mkdir", lambda *_, **__: (_ for _ in ()).throw(PermissionError()))
    cache.write("a", CODE)
    assert cache.read("a") is None
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_full_disk_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    kept()

    def full(path: Path, write: Callable[..., object]) -> None:
        def fill(file: object) -> None:
            write(file)
            raise OSError(28, "No space left on device")

        files.write_atomically(path, fill)

    monkeypatch.setattr(cache, "write_atomically", full)
    cache.write("b", CODE)
    assert [path.name for path in cache.folder().iterdir()] == ["a"]
    assert cache.read("b") is None


def test_a_folder_that_cannot_be_written_to_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    file = kept()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(file))

    for name in ("unlink", "mkdir", "open"):
        monkeypatch.setattr(Path, name, refuse)
    cache.write("b", CODE)
    assert cache.read("a") == CODE


def test_readers_and_writers_at_once_see_all_or_nothing() -> None:
    codes = [bytes([i]) * 100_000 for i in range(3)]
    end, seen = time.monotonic() + 0.5, set()

    def write(code: bytes) -> None:
        while time.monotonic() < end:
            cache.write("a", code)

    writers = [threading.Thread(target=write, args=[code]) for code in codes]
    for writer in writers:
        writer.start()
    while time.monotonic() < end:
        seen.add(cache.read("a"))
    for writer in writers:
        writer.join()
    assert seen <= {*codes, None}
    assert cache.read("a") in codes
    assert [path.name for path in cache.folder().iterdir()] == ["a"]


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_writes_leaves_all_or_nothing() -> None:
    code = "from nnfs_cli.system.machine_code import cache\nwhile 1:\n cache.write('a', bytes(10_000_000))"
    for delay in np.random.default_rng(0).uniform(0.3, 1.0, 8):
        process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ})
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert cache.read("a") in {None, bytes(10_000_000)}


# The key


HALF = 0.5


@device
def halved(x: float) -> float:
    """Return half of x."""
    return x * HALF


@kernel
def halve(lo: int, hi: int, x: Floats) -> None:
    """Halve all numbers."""
    for i in range(lo, hi):
        x[i] = halved(x[i])


def key(of: Device[..., None] = halve, dtype: str = "float32") -> str:
    """The name of a kernel's code."""
    loader._surroundings.cache_clear()
    found = loader._key(of, np.dtype(dtype))
    loader._surroundings.cache_clear()
    return found


def test_the_key_names_all_that_decides_about_the_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from nnfs_cli.system.machine_code import target

    keys = [key(), key(dtype="float64")]
    assert key() == keys[0]
    for owner, name, value in [
        (sys.modules[__name__], "HALF", 0.25),
        (sys.modules[__name__], "halved", Device(lambda x: x + HALF)),
        (sys.modules[__name__], "halved", Device(halved.function, any_order=True)),
        (halve, "kinds", ("d*",)),
        (target, "processor", lambda: "another"),
        (np, "__version__", "9"),
        (sys, "version", "9"),
        (loader.importlib.metadata, "version", lambda name: "9" if name == "numba" else "1"),
        (loader.importlib.metadata, "version", lambda name: "9" if name == "llvmlite" else "1"),
        *[(Path, "read_bytes", lambda path, of=name: (path.name == of, 1)[0].to_bytes()) for name in loader.COMPILER],
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, value)
            keys.append(key())
    assert len(set(keys)) == len(keys)


SETTINGS = {"half": 0.5}


@kernel
def halve_by_settings(lo: int, hi: int, x: Floats) -> None:
    """Read a value that no key can name."""
    for i in range(lo, hi):
        x[i] = x[i] * SETTINGS["half"]


def test_a_kernel_that_reads_what_its_key_cannot_name_is_refused() -> None:
    with pytest.raises(TypeError, match="halve_by_settings reads SETTINGS, which is of type dict"):
        key(halve_by_settings)


def test_every_kernel_has_a_key_that_names_all_that_it_reads() -> None:
    from nnfs_cli.training import compiled

    modules = [module for name, module in sys.modules.items() if name.startswith(compiled.__name__)]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, Device)}
    assert len(found) > 50
    for each in found:
        assert key(each)
        assert each.function.__defaults__ is None
        assert each.function.__closure__ is None
        assert not any(hasattr(constant, "co_code") for constant in each.function.__code__.co_consts)
