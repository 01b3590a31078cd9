"""Read the start and the end of a CSV file as text, and check that all of it is in its encoding."""

from __future__ import annotations

import codecs
from typing import Any, NamedTuple

from nnfs_cli.errors import DataError
from nnfs_cli.inspection import windows_text
from nnfs_cli.system.remote.file import Location, RemoteFile

SAMPLE = 1 << 18  # bytes of the start of a file that are examined
TAIL = 1 << 16  # characters of its end
BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class CsvText(NamedTuple):
    """Whole lines from the start and the end of a file; both are the whole file if it is short.

    `encoding` is None for UTF-8, and `evidence` tells why another one was chosen.
    """

    start: str
    end: str
    encoding: str | None
    evidence: str = ""


def read_text(path: Location, encoding: str | None = None) -> CsvText:
    """Read a file in this encoding, or without one in UTF-8, or in UTF-16 if it begins with the mark for it.

    Where it is not UTF-8, but certainly cp1252, it is read so. Raises `DataError` when the file is in another encoding
    or no text.
    """
    n_lines, tail = 0, ""
    with _open(path) as file:
        block = file.read(SAMPLE)
        marked = next((name for mark, name in BOMS.items() if block.startswith(mark)), None)
        encoding = encoding or marked
        if encoding is None:
            _refuse_other_formats(path.name, block)
        decoder, whole = _decoder(path.name, encoding), len(block) < SAMPLE
        try:
            start: str = decoder.decode(block, final=whole)
            tail = start
            while block and not whole:
                n_lines += block.count(b"\n")
                block = file.read(1 << 22)
                tail = (tail + decoder.decode(block, final=not block))[-TAIL:]
        except UnicodeDecodeError as error:
            if encoding is not None:
                raise DataError(f"{path.name} is not encoded in {encoding}: {error.reason}") from None
            with _open(path) as again:
                found = windows_text.evidence(iter(lambda: again.read(1 << 22), b""))
            if found:
                return read_text(path, windows_text.NAME)._replace(evidence=found)
            line = 1 + n_lines + error.object[: error.start].count(b"\n")
            raise DataError(
                f"{path.name}, line {line}: this is not UTF-8. Read a file from Windows with --encoding cp1252, or name"
                " another encoding there, or save the file as UTF-8"
            ) from None
    start = start.removeprefix("\ufeff")
    if whole:
        return CsvText(start, start, encoding)
    return CsvText(start[: start.rfind("\n") + 1], tail[tail.find("\n") + 1 :], encoding)


def _open(path: Location) -> Any:
    """Open the file and decompress it if it is compressed."""
    import pyarrow as pa

    try:
        if isinstance(path, RemoteFile):
            packed = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower())
            return pa.CompressedInputStream(path.open(), packed) if packed else path.open()
        return pa.input_stream(str(path))
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, pa.ArrowException):
            raise DataError(f"{path}: {error.strerror or error}") from None
        raise DataError(f"{path.name} cannot be read: {error}") from None


def _refuse_other_formats(name: str, start: bytes) -> None:
    if b"\0" in start[:1000]:
        raise DataError(f"{name} seems to be encoded in UTF-16. Read it with --encoding utf-16, or save it as UTF-8")
    if start.startswith(b"PAR1"):
        raise DataError(f"{name} is a Parquet file. Rename it so that its name ends in .parquet")


def _decoder(name: str, encoding: str | None) -> Any:
    try:
        return codecs.getincrementaldecoder(encoding or "utf-8-sig")()
    except LookupError:
        raise DataError(
            f"{name}: there is no encoding '{encoding}'. Common ones are utf-8, cp1252, latin-1 and utf-16"
        ) from None
