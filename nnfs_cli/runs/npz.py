"""Write arrays to an npz file without copies, and read them only if the file is exactly what is expected.

The reader allocates nothing that a file asks for and interprets nothing in it: it fills existing arrays, and compares
each header with the expected one.
"""

from __future__ import annotations

import contextlib
import errno
import math
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, BinaryIO

import numpy as np

from nnfs_cli.arrays import Array, Shape

MAGIC = b"\x93NUMPY\x01\x00"
NUMBERS = rb"\{'descr': '(?P<dtype><[fi](?P<size>[48]))', 'fortran_order': False, "
HEADER = re.compile(NUMBERS + rb"'shape': \((?P<shape>(?:[0-9]{1,18}(?:, ?|(?=\)))){0,64})\), \} *\n")
MOST_ARRAYS = 20_000
BYTES_AT_ONCE = 1 << 20


def write_arrays(file: IO[bytes], arrays: Mapping[str, Array]) -> None:
    """Write what `numpy.savez` writes, without copies of contiguous arrays."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                array = np.asarray(array, order="C")
                np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
                member.write(_bytes(array))


def most_bytes(arrays: Mapping[str, Array]) -> int:
    """Return the largest size in bytes of a file with these arrays."""
    return 1_024 + sum(array.nbytes + 1_024 + 2 * len(name.encode()) for name, array in arrays.items())


def array_forms(file: BinaryIO) -> dict[str, tuple[str, Shape]]:
    """Return the dtype and the shape that each array of a file claims to have, by name.

    Raises `ValueError` unless they are numbers, and together no larger than the file.
    """
    with _damage_as_value_error():
        return _forms(file)


def _forms(file: BinaryIO) -> dict[str, tuple[str, Shape]]:
    size, forms, total = file.seek(0, 2), {}, 0
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > MOST_ARRAYS:
            raise ValueError(f"it holds {len(members):,} arrays")
        for member in members:
            with archive.open(member) as content:
                found = HEADER.match(content.read(len(MAGIC) + 2 + 1_024)[len(MAGIC) + 2 :])
            if found is None or not member.filename.endswith(".npy"):
                raise ValueError(f"{member.filename[:80]!r} is not an array of numbers")
            shape = tuple(int(axis) for axis in found["shape"].decode().split(",") if axis.strip())
            total += math.prod(shape) * int(found["size"])
            if total > size:
                raise ValueError("its arrays do not fit in the file")
            forms[member.filename.removesuffix(".npy")] = found["dtype"].decode(), shape
    file.seek(0)
    return forms


def read_arrays(file: BinaryIO, into: Mapping[str, Array]) -> None:
    """Fill the arrays `into`; their names, shapes and types are the expected ones.

    Raises `ValueError` unless the file holds exactly these arrays, complete and not compressed.
    """
    with _damage_as_value_error():
        _read(file, into)


def read_count(file: BinaryIO, name: str) -> int:
    """Return one whole number (int64, without axes) of a file that may hold other arrays.

    Raises `ValueError` unless it is there, complete and not compressed.
    """
    count = np.zeros((), np.int64)
    with _damage_as_value_error(), zipfile.ZipFile(file) as archive:
        try:
            _fill(archive, archive.getinfo(f"{name}.npy"), count)
        except KeyError:
            raise ValueError(f"it lacks {name!r}") from None
    return int(count)


@contextlib.contextmanager
def _damage_as_value_error() -> Iterator[None]:
    """Turn what `zipfile` raises for a damaged file into a `ValueError`; an error of the disk stays one."""
    try:
        yield
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, struct.error, UnicodeError) as error:
        if isinstance(failed := error.__context__, OSError) and not _before_the_beginning(failed):
            raise failed from None  # a failure of the disk, which zipfile reports as damage
        raise ValueError(f"it is not a complete npz file of plain arrays ({error})") from None
    except OSError as error:
        if error.errno and not _before_the_beginning(error):
            raise
        raise ValueError("it is not a complete npz file of plain arrays") from None


def _before_the_beginning(error: OSError) -> bool:
    """Return whether a negative position was asked for."""
    return error.errno == errno.EINVAL


def _read(file: BinaryIO, into: Mapping[str, Array]) -> None:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        expected = {f"{name}.npy" for name in into}
        for what, wrong in (("lacks", expected - set(names)), ("should not hold", set(names) - expected)):
            if wrong:
                raise ValueError(f"it {what} {min(wrong)[:80]!r}")
        if len(names) > len(expected):
            raise ValueError("it holds an array twice")
        for member, name in zip(members, names, strict=True):
            _fill(archive, member, into[name.removesuffix(".npy")])


def _fill(archive: zipfile.ZipFile, member: zipfile.ZipInfo, array: Array) -> None:
    """Fill one array from a member of a file."""
    name, header = member.filename, _header(array)
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 0x1:
        raise ValueError(f"{name} is compressed or encrypted; it should be stored")
    with archive.open(member) as content:
        start = content.read(len(MAGIC) + 2)
        length = int.from_bytes(start[len(MAGIC) :], "little")
        if not start.startswith(MAGIC) or length > 1_024:
            raise ValueError(f"{name} is not an array of format 1.0")
        if (found := content.read(length)).rstrip(b" \n") != header:
            raise ValueError(f"{name} should be {header.decode()}, found {found[:200]!r}")
        if member.file_size != len(start) + length + array.nbytes:
            raise ValueError(f"{name} has {member.file_size:,} bytes, which is not the size of its array")
        filled = array if array.flags.c_contiguous else np.empty_like(array, order="C")
        target, at = _bytes(filled), 0
        while at < len(target):
            piece = content.read(min(BYTES_AT_ONCE, len(target) - at))
            if not piece:
                raise ValueError(f"{name} ends early")
            target[at : at + len(piece)] = piece
            at += len(piece)
        if content.read(1):  # reading to the end also checks the checksum
            raise ValueError(f"{name} does not end with its array")
        if filled is not array:  # the array is a view that is not contiguous
            array[...] = filled


def _header(array: Array) -> bytes:
    """Return the header of an array, without the spaces at its end."""
    return f"{{'descr': {array.dtype.str!r}, 'fortran_order': False, 'shape': {array.shape!r}, }}".encode()


def _bytes(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
