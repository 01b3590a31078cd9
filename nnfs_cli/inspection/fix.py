"""Change the text of a config as findings or diagnoses suggest, and keep its comments, its order and its encoding."""

from __future__ import annotations

import codecs
import contextlib
import difflib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnfs_cli.config import yaml
from nnfs_cli.config.document import Document
from nnfs_cli.config.edit import edited
from nnfs_cli.config.yaml import YamlError
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.split import Split
from nnfs_cli.errors import NnfsError
from nnfs_cli.inspection.load_config import complete
from nnfs_cli.system.files import write_atomically

MAIN = {"preprocessing": Preprocessing.main or "", "split": Split.main or ""}  # what a bare value of a section sets

Edits = Mapping[str, Any] | Mapping[yaml.Path, Any]  # values of keys by dotted names or paths; None removes a key


@dataclass(frozen=True)
class Fix:
    """The text of a config before and after, and the names of the changes between them."""

    before: str
    after: str
    applied: tuple[str, ...]

    @property
    def difference(self) -> Iterator[str]:
        """The lines that differ, each after a - or a +; a changed line stands below its old form."""
        old, new = self.before.splitlines(), self.after.splitlines()
        for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag != "equal":
                pairs = itertools.zip_longest((f"-{line}" for line in old[a:b]), (f"+{line}" for line in new[c:d]))
                in_pairs = [line for pair in pairs for line in pair if line is not None]
                yield from in_pairs if b - a == d - c else sorted(in_pairs, key=lambda line: line[0] == "+")

    def write(self, path: Path) -> None:
        """Replace the file that holds the text before by the text after; line ends and byte order mark stay as before.

        Raises `OSError` if that is not possible; then the file is as before.
        """
        old, new = path.read_bytes(), self.after
        if b"\r\n" in old:
            new = new.replace("\n", "\r\n")
        mark = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
        write_atomically(path, lambda file: file.write(mark + new.encode()))


def text_of_config(path: Path) -> str:
    """Return the text of a config, with plain line ends and without a byte order mark."""
    return path.read_text(encoding="utf-8-sig")


def fix(text: str, folder: Path, changes: Sequence[tuple[str, Edits]]) -> Fix:
    """Apply changes, each with a name, to the text of a config in `folder`.

    A change of what an earlier one has changed is left out, and so is one with which the config would not load.
    """
    changes = list(_apart(changes))
    with contextlib.suppress(NnfsError, YamlError):  # all at once, since loading may read the table
        return _applied(text, folder, changes)
    done: list[tuple[str, Edits]] = []
    for change in changes:
        with contextlib.suppress(NnfsError, YamlError):
            _applied(text, folder, [*done, change])
            done.append(change)
    return _applied(text, folder, done)


def _apart(changes: Iterable[tuple[str, Edits]]) -> Iterator[tuple[str, Edits]]:
    """Yield the changes that give no other value to a key of an earlier one, or to what is in it or around it."""
    taken: dict[tuple[str, ...], Any] = {}
    for name, edits in changes:
        values = {tuple(k.split(".") if isinstance(k, str) else map(str, k)): value for k, value in edits.items()}
        if not any(a[: len(b)] == b[: len(a)] and (a != b or values[a] != taken[b]) for a in values for b in taken):
            taken |= values
            yield name, edits


def _applied(text: str, folder: Path, changes: Iterable[tuple[str, Edits]]) -> Fix:
    """Apply all changes. Raises `YamlError`, `ConfigError` or `DataError` if the config would not load then."""
    after, applied = text, []
    for name, edits in changes:
        before, after = after, edited(after, edits, MAIN)
        applied += [name] if after != before else []
    if after != text:
        complete(Document.parse(after.encode(), "the fixed config", folder))
    return Fix(text, after, tuple(applied))
