"""A file is written completely, or its old content stays."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from nnfs_cli.system.files import write_atomically

posix = pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")


def test_the_file_is_complete_and_no_other_is_left(tmp_path: Path) -> None:
    content = os.urandom(3_000_001)

    def fill(file: BinaryIO) -> None:
        for start in range(0, len(content), 1000):
            file.write(content[start : start + 1000])

    write_atomically(tmp_path / "f", fill)
    assert (tmp_path / "f").read_bytes() == content
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_old_content_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def fill(file: BinaryIO) -> None:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"

    write_atomically(path, fill)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
@pytest.mark.parametrize("before", [None, b"old"])
def test_writer_that_raises_changes_nothing(tmp_path: Path, before: bytes | None, error: type[BaseException]) -> None:
    path = tmp_path / "f"
    if before is not None:
        path.write_bytes(before)

    def fill(file: BinaryIO) -> None:
        file.write(b"half of the new")
        raise error("stop")

    with pytest.raises(error, match="stop"):
        write_atomically(path, fill)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == ([("f", before)] if before else [])


def test_a_folder_of_that_name_stays_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises((IsADirectoryError, PermissionError)) as caught:
        write_atomically(tmp_path / "f", lambda file: file.write(b"new"))
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]
    assert ".tmp" not in str(caught.value.filename)


def test_missing_folder_is_reported_with_the_name_that_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(tmp_path / "gone" / "f", lambda file: file.write(b"new"))
    assert ".tmp" not in str(caught.value.filename)


@pytest.fixture(params=[0o022, 0o002, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@posix
def test_new_file_has_the_permissions_that_open_gives(tmp_path: Path, umask: int) -> None:
    with (tmp_path / "opened").open("wb"):
        pass
    write_atomically(tmp_path / "whole", lambda file: file.write(b"new"))
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "opened").stat().st_mode
    assert os.umask(umask) == umask


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644], ids=oct)
def test_file_that_is_replaced_keeps_its_permissions_as_with_open(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, lambda file: file.write(b"new"))
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_read_only_file_is_refused_as_it_would_be_with_open(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="the file is read-only") as caught:
        write_atomically(path, lambda file: file.write(b"new"))
    assert caught.value.filename == str(path)
    assert [*tmp_path.iterdir()] == [path]
    assert path.read_bytes() == b"old"
