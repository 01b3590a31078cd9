"""Write pages: the report of a run into the run, and any page to a file that is not somebody else's."""

from __future__ import annotations

from pathlib import Path

from nnfs_cli.errors import UserError
from nnfs_cli.report.page import MADE_BY
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.run_report import run_report
from nnfs_cli.system.files import require_folder_of, write_atomically
from nnfs_cli.system.wording import named

LOOKED_AT = 4_096  # bytes of a file that tell whether it is a page of nnfs


def write_report(facts: RunFacts, output: Path | None = None) -> Path:
    """Write the report of a run to its `report.html`, or to `output`, and return the path.

    Raises `BlockingIOError` if another process trains the run, and the errors of `write_page`.
    """
    html = run_report(facts)
    if output is not None:
        return write_page(html, output)
    try:
        with facts.run.writing():
            return facts.run.records.write_report(html)
    except BlockingIOError as error:
        why = f"{error.strerror}; --output FILE writes the report elsewhere"
        raise BlockingIOError(error.errno, why, error.filename) from None


def write_page(html: str, path: Path) -> Path:
    """Write a page as a whole, and return its path. Raises `UserError` if the file there is no page of nnfs."""
    if path == Path("-"):
        raise UserError("a page is written to a file, not to the terminal; give a name such as page.html")
    if path == Path():
        raise UserError("a page is written to a file; give a name such as page.html")
    if path.is_dir():
        raise UserError(f"{named(str(path))} is a folder; give the name of a file")
    require_folder_of(path)
    if path.exists():
        with path.open("rb") as file:
            begins = file.read(LOOKED_AT)
        if path.stat().st_size and MADE_BY.encode() not in begins:
            raise UserError(f"{named(str(path))} exists and is no page of nnfs; choose another file")
    write_atomically(path, lambda file: file.write(html.encode()))
    return path
