"""How a CSV file is written: the delimiter, the encoding, the header, and the lines that are no rows."""

from __future__ import annotations

import codecs
from dataclasses import dataclass


@dataclass(frozen=True)
class CsvLayout:
    """How the cells of a CSV file are arranged and encoded."""

    delimiter: str = ","
    encoding: str = "utf-8"
    header: tuple[str, ...] | None = None  # the names of the columns, for a file without a header line
    skip_rows: int = 0  # lines before the header
    comment: str | None = None  # how the lines begin that are comments
    skip_footer: tuple[str, ...] = ()  # how the rows at the end begin that sum up the others

    @property
    def is_utf8(self) -> bool:
        """Whether the bytes need no conversion to UTF-8."""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")

    @property
    def has_single_bytes(self) -> bool:
        """Whether each byte is a character, so that a file in another encoding is read without an error."""
        return len(bytes(range(256)).decode(self.encoding, "replace")) == 256
