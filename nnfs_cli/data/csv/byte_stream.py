"""Read the bytes of a CSV file as UTF-8: decompress them and change the encoding where needed."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable

from nnfs_cli.data.csv.layout import CsvLayout
from nnfs_cli.data.csv.text_checks import refuse_utf8
from nnfs_cli.data.file_source import STDIN
from nnfs_cli.errors import DataError
from nnfs_cli.system.remote.file import Location

BUFFER = 1 << 20  # bytes that are buffered when a pipe, a compressed file or another encoding is read


class ByteStream:
    """The content of a file in UTF-8, decompressed by its suffix. `name` is the name of the file in messages."""

    def __init__(self, path: Location, name: str, layout: CsvLayout) -> None:
        self.path, self.name, self.layout = path, name, layout
        self.compression = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower(), "")
        self._decoder = None if layout.is_utf8 else codecs.getincrementaldecoder(layout.encoding)()
        self._line, self._checked = 1, False
        self._ahead = b""
        self._read: Callable[[int], bytes]
        self._seek: Callable[[int, int], object] | None = None
        self._close: list[Callable[[], object]] = []

    def __enter__(self) -> ByteStream:
        if self.path == STDIN:
            self._read = RepeatableStdin.read
            return self
        plain = self.path.is_file() and not self.compression and self._decoder is None
        raw = self.path.open("rb", buffering=0 if plain else BUFFER)
        self._read, self._seek, self._close = raw.read, raw.seek if plain else None, [raw.close]
        if self.compression:
            import pyarrow as pa

            stream = pa.CompressedInputStream(raw, self.compression)
            self._read, self._close = stream.read, [stream.close, raw.close]
        return self

    def __exit__(self, *_: object) -> None:
        for close in self._close:
            close()

    def read(self, n: int) -> bytes:
        """Return about `n` bytes, and none at the end of the file."""
        ahead, self._ahead = self._ahead, b""
        return ahead + self._next(n) if ahead else self._next(n)

    def unread(self, data: bytes, end: int) -> None:
        """Let the last bytes that were read, `data[end:]`, be read again."""
        if self._seek is not None:
            self._seek(end - len(data), 1)
        else:
            self._ahead = data[end:]

    def _next(self, n: int) -> bytes:
        try:
            content = self._read(n)
        except OSError as error:
            if error.errno or not self.compression:
                raise
            kind = "gzip" if self.compression == "gzip" else "Zstandard"
            raise DataError(f"{self.name} is not a complete {kind} file: {str(error).splitlines()[0]}") from None
        if self._decoder is None:
            return content
        if not self._checked:
            refuse_utf8(content, self.name, self.layout)
            self._checked = not content.isascii()
        text = self._decoded(self._decoder, content)
        while content and not text:  # a part of a character
            content = self._read(n)
            text = self._decoded(self._decoder, content)
        self._line += text.count("\n")
        return text.encode()

    def _decoded(self, decoder: codecs.IncrementalDecoder, content: bytes) -> str:
        try:
            return decoder.decode(content, not content)
        except UnicodeError as error:
            line, encoding = self._line, self.layout.encoding
            if isinstance(error, UnicodeDecodeError):
                line += error.object[: error.start].decode(encoding, "ignore").count("\n")
            raise DataError(
                f"{self.name}, line {line}: this is not {encoding}; set  encoding  to the encoding of the file"
            ) from None


class RepeatableStdin:
    """The standard input. Its first bytes can be read twice, so that the header can be read before the rows."""

    ahead = b""
    repeats = False

    @classmethod
    def repeat_next_read(cls) -> None:
        """Make the next two calls of `read` return the same bytes."""
        cls.repeats = True

    @classmethod
    def read(cls, n: int) -> bytes:
        """Return about `n` bytes, and none at the end."""
        if cls.ahead:
            found, cls.ahead = cls.ahead, b""
            return found
        found = sys.stdin.buffer.read(n)
        if cls.repeats:
            cls.ahead, cls.repeats = found, False
        return found
