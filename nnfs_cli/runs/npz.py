"""Arrays by name in an npz file: written without copies, and read only where everything is as it is expected to be.

The reader allocates nothing that a file asks for, and interprets nothing that it holds: it fills arrays that are there
already, and a header of a member is compared with the one that there should be.
"""

from __future__ import annotations

import errno
import struct
import zipfile
from collections.abc import Mapping
from typing import IO, BinaryIO

import numpy as np

from nnfs_cli.arrays import Array

MAGIC = b"\x93NUMPY\x01\x00"
CHUNK = 1 << 20  # bytes that are read at a time


def write_arrays(file: IO[bytes], arrays: Mapping[str, Array]) -> None:
    """What `numpy.savez` writes; of contiguous arrays no copies are made on the way."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                array = np.asarray(array, order="C")
                np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
                member.write(_bytes(array))


def most_bytes(arrays: Mapping[str, Array]) -> int:
    """How large a file with these arrays may be."""
    return 1_024 + sum(array.nbytes + 1_024 + 2 * len(name.encode()) for name, array in arrays.items())


def read_arrays(file: BinaryIO, into: Mapping[str, Array]) -> None:
    """Fill the arrays `into`, which say what names, shapes and types are expected.

    Raises `ValueError` with what is wrong unless the file holds exactly these, stored as they are, and whole.
    """
    try:
        _read(file, into)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, struct.error, UnicodeError) as error:
        if isinstance(failed := error.__context__, OSError) and not _before_the_beginning(failed):
            raise failed from None  # which zipfile takes for damage
        raise ValueError(f"it is not a whole npz file of plain arrays ({error})") from None
    except OSError as error:
        if error.errno and not _before_the_beginning(error):
            raise
        raise ValueError("it is not a whole npz file of plain arrays") from None


def _before_the_beginning(error: OSError) -> bool:
    """Whether a place was asked for that no file has."""
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
            array = into[name.removesuffix(".npy")]
            header = _header(array)
            if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 0x1:
                raise ValueError(f"{name} is compressed or encrypted; it should be stored as it is")
            with archive.open(member) as content:
                start = content.read(len(MAGIC) + 2)
                length = int.from_bytes(start[len(MAGIC) :], "little")
                if not start.startswith(MAGIC) or length > 1_024:
                    raise ValueError(f"{name} is no array of the format 1.0")
                if (found := content.read(length)).rstrip(b" \n") != header:
                    raise ValueError(f"{name} should be {header.decode()}, found {found[:200]!r}")
                if member.file_size != len(start) + length + array.nbytes:
                    raise ValueError(f"{name} has {member.file_size:,} bytes, which are not those of its array")
                filled = array if array.flags.c_contiguous else np.empty_like(array, order="C")
                target, at = _bytes(filled), 0
                while at < len(target):
                    piece = content.read(min(CHUNK, len(target) - at))
                    if not piece:
                        raise ValueError(f"{name} ends early")
                    target[at : at + len(piece)] = piece
                    at += len(piece)
                if content.read(1):  # at the end the check sum is looked at
                    raise ValueError(f"{name} does not end with its array")
                if filled is not array:  # of a net among others
                    array[...] = filled


def _header(array: Array) -> bytes:
    """What says the array's type and shape, without the spaces behind it."""
    return f"{{'descr': {array.dtype.str!r}, 'fortran_order': False, 'shape': {array.shape!r}, }}".encode()


def _bytes(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
