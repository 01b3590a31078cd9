"""`status.json`: how a run stands, how it was resumed, and the SHA-256 of its files, its own included.

Files fall into three groups. Some are written once, before training, and recorded then. Some are written by training
and recorded when it ends. Some are written later, by commands such as `nnfs evaluate` or `nnfs report`, and recorded
together with that, see `StatusFile.replace`. A status with its own digest is called sealed: it records all files. A run
of an earlier release has no such status; its next writer records all files as it finds them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from nnfs_cli.errors import RunError
from nnfs_cli.runs.checked_files import CheckedFiles, Digests, json_bytes
from nnfs_cli.system.files import make_folder

Status = Literal["running", "finished", "interrupted", "diverged", "failed"]
NAME = "status.json"
KEYS = {"state", "begun", "since", "sha256", "resumed"}
WEIGHTS = re.compile("best|last|epoch-[1-9][0-9]*")
RECORDED = re.compile(
    r"(config|spec)\.yaml|(data|environment|metrics|calibration|verdict|decision|explanation|export|status)\.json|epochs\.csv|report\.html"
    r"|(state|spread|blend|background|probes|snapshots)\.npz"
    rf"|weights/({WEIGHTS.pattern})\.npz|evaluation/[^/]+/confusion\.csv|code/[^/]+"
)


class StatusFile:
    """The status of a run directory. Methods raise `RunError` if the file is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = CheckedFiles(path)
        self._read: tuple[bytes, dict[str, Any]] = b"", {}  # the last content read, and its parsed form

    def read(self) -> dict[str, Any]:
        """Return the status; it is empty if there is none."""
        if not self._files.locate(NAME).exists():
            return {}
        content = self._files.read(NAME)
        if content != self._read[0]:
            self._read = content, self._checked(content)
        return dict(self._read[1])

    def stamp(self) -> tuple[int, ...]:
        """Return numbers that change whenever the status is written: a cheap way to notice a change."""
        try:
            about = (self.path / NAME).stat()
        except FileNotFoundError:
            return ()
        return about.st_ino, about.st_size, about.st_mtime_ns

    def set(self, state: Status) -> None:
        """Record the state of the run, the time when it began, and the digests of the files that are final in it."""
        self._set(state, self.lineage())

    def add_session(self, session: Mapping[str, Any]) -> None:
        """Record that training continues: from which `epoch` and `step`, to how many `epochs`, when and where.

        Earlier sessions that made no step are dropped.
        """
        make_folder(self._files.locate_folder("weights"))
        self._set("running", [*(past for past in self.lineage() if past["step"] < session["step"]), session])

    def lineage(self) -> list[dict[str, Any]]:
        """Return the sessions in which the run was resumed, see `add_session`; empty if it never was."""
        sessions = self.read().get("resumed", [])
        wanted = {"epoch": int, "step": int, "epochs": int, "environment": dict}
        if not isinstance(sessions, list) or not all(
            isinstance(session, dict) and all(isinstance(session.get(key), kind) for key, kind in wanted.items())
            for session in sessions
        ):
            raise RunError(f"{self.path} is damaged: its status.json holds no valid record of its resumptions")
        return sessions

    def recorded(self, name: str) -> Digests:
        """Return the digests that a file may have.

        If all digests are recorded, a file without a digest was added by somebody else.
        """
        if name == NAME:
            return ()
        status = self.read()
        digests = _as_tuple(status.get("sha256", {}).get(name))
        added = _is_sealed(status) and _is_final(name, status["state"]) and not name.startswith("code/")
        return digests or ((None,) if added else ())

    def changed(self) -> list[str]:
        """Return the names of all files that are not as they were left: changed, missing or added."""
        sha256 = self.read().get("sha256", {})
        names = sorted({*sha256, *self._present()} - {NAME})
        return [name for name in names if (digests := self.recorded(name)) and self._files.digest(name) not in digests]

    def replace(self, contents: Mapping[str, bytes | None]) -> None:
        """Replace some files, or delete those with None, and record their digests.

        Two files cannot be replaced at the same moment. So both the old and the new digests are recorded first, and the
        old ones are dropped at the end: whenever the process is killed, each file matches a recorded digest.
        """
        status = self.read()
        state = status.get("state")
        sha256: dict[str, Any] = status.get("sha256", {})
        if adopts := state and not _is_sealed(status):
            sha256 = self._add_digests(sha256, state)
        new = {
            name: None if content is None else hashlib.sha256(content).hexdigest()
            for name, content in contents.items()
            if state and _is_final(name, state)
        }
        both = {name: [*(_as_tuple(sha256.get(name)) or [None]), digest] for name, digest in new.items()}
        changes = any(len(set(digests)) > 1 for digests in both.values())
        if changes:
            self._write({**status, "sha256": {**sha256, **both}})
        for name, content in contents.items():
            if content is None:
                self._files.remove(name)
            else:
                make_folder(self._files.locate(name).parent)
                self._files.write(name, content)
        if changes or adopts:
            self._write({**status, "sha256": {**sha256, **new}})

    def _set(self, state: Status, sessions: Sequence[Mapping[str, Any]]) -> None:
        now, before = datetime.now(UTC).isoformat(timespec="milliseconds"), self.read()
        kept = {
            name: digest if isinstance(digest, str) else self._files.digest(name)
            for name, digest in before.get("sha256", {}).items()
            if _is_final(name, "running")
        }
        sha256 = self._add_digests(kept, state, not _is_sealed(before), code=not before)
        status = {"state": state, "begun": before.get("begun", now), "since": now, "sha256": sha256}
        self._write({**status, "resumed": sessions} if sessions else status)

    def _add_digests(
        self, recorded: Mapping[str, Any], state: str, all_files: bool = True, code: bool = False
    ) -> dict[str, Any]:
        """Return recorded digests, with the current ones of the other files that are final in a state.

        Without `all_files` only files that training has written are added. Files of code are only recorded when a run
        is made: later they may come from anyone, and are not even opened.
        """
        others = [name for name in self._present() if name not in recorded and _is_final(name, state)]
        if not all_files:
            others = [name for name in others if not _is_final(name, "running")]
        if not code:
            others = [name for name in others if not name.startswith("code/")]
        return {**recorded, **{name: self._files.digest(name) for name in others}}

    def _present(self) -> Iterator[str]:
        """Yield the names of the files whose digests are to be recorded, in a fixed order."""
        weights, evaluation, code = map(self._files.locate_folder, ("weights", "evaluation", "code"))
        for folder in (self.path, weights, *_folders_in(evaluation), code):
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                name = path.relative_to(self.path).as_posix()
                if name != NAME and RECORDED.fullmatch(name) and path.is_file():
                    yield name

    def _write(self, status: Mapping[str, Any]) -> None:
        sha256 = {name: digest for name, digest in status["sha256"].items() if digest is not None}
        self._files.write(NAME, _sealed({**status, "sha256": sha256}))

    def _checked(self, content: bytes) -> dict[str, Any]:
        status = self._files.parse_json(NAME, content)
        digests = status.setdefault("sha256", {})
        if status.get("state") not in get_args(Status) or not isinstance(status.setdefault("begun", ""), str):
            raise RunError(f"{self.path} is damaged: its status.json holds no valid state")
        if not isinstance(digests, dict) or not all(map(_is_digest, digests.values())):
            raise RunError(f"{self.path} is damaged: its status.json holds no valid digests")
        unknown = [key for key in status if key not in KEYS]
        unknown += [name for name in digests if not RECORDED.fullmatch(name)]
        if unknown:
            raise RunError(f"{self.path / NAME} is damaged: it has an entry {unknown[0]!r:.80}")
        try:
            sound = not _is_sealed(status) or _sealed(status) == content
        except (ValueError, RecursionError):  # it cannot be written again, so nnfs did not write it
            sound = False
        if not sound:
            found = "its SHA-256 is not the one that it records; restore it from a copy"
            raise RunError(f"{self.path / NAME} is damaged or was changed: {found}")
        return status


def _folders_in(folder: Path) -> list[Path]:
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if path.is_dir() and not path.is_symlink()]


def _is_final(name: str, state: str) -> bool:
    """Return whether training in this state does not write the file."""
    untouched = ("config.yaml", "spec.yaml", "data.json", "environment.json", "decision.json")
    return state != "running" or name in untouched or name.startswith("code/")


def _is_digest(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(each is None or isinstance(each, str) for each in value)
    )


def _as_tuple(digests: str | Sequence[str | None] | None) -> Digests:
    if digests is None or isinstance(digests, str):
        return (digests,) if digests else ()
    return tuple(digests)


def _is_sealed(status: Mapping[str, Any]) -> bool:
    """Return whether the status has its own digest, and so those of all other final files."""
    return NAME in status.get("sha256", {})


def _sealed(status: Mapping[str, Any]) -> bytes:
    """Return the text of a status with its own digest, which is that of the text without it."""
    sha256 = {name: digest for name, digest in status["sha256"].items() if name != NAME}
    digest = hashlib.sha256(json_bytes({**status, "sha256": sha256})).hexdigest()
    return json_bytes({**status, "sha256": {**sha256, NAME: digest}})
