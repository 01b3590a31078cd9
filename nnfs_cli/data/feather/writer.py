"""Write tables as Feather files."""

from __future__ import annotations

from typing import Any, BinaryIO

from nnfs_cli.data.arrow_writer import ArrowWriter


class FeatherWriter(ArrowWriter):
    """A writer of Feather files of version 2, which are Arrow IPC files, compressed by LZ4 as pandas does."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._writer: Any = None

    def close(self) -> None:
        """Write the footer of the file."""
        if self._writer is not None:
            self._writer.close()

    def _begin(self, schema: Any) -> None:
        import pyarrow as pa

        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writer = pa.ipc.new_file(pa.PythonFile(self.file, "w"), schema, options=options)

    def _write(self, table: Any) -> None:
        self._writer.write_table(table)
