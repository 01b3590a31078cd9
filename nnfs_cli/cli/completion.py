"""Complete what a user types in a shell: configs, tables, runs, components, settings, topics of the guide.

A completion must be quick: it neither imports NumPy nor lists more than `MAX_ENTRIES` files of a folder.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

TABLES = (".csv", ".csv.gz", ".csv.zst", ".parquet", ".feather", ".arrow", ".jsonl", ".jsonl.gz", ".xlsx", ".npz")
MAX_ENTRIES = 500  # files and folders that are read from one folder, and offered in one completion
_cut = ""  # the beginning of the word that bash cuts off, such as "optimizer="


def rejoin_words() -> None:
    """Join the words that bash has cut at `=`: ``--set optimizer = ad`` becomes ``--set optimizer=ad``.

    Bash replaces only the text after the last `=`. The text before it is kept in `_cut` and left out of the answers.
    """
    global _cut
    _cut = ""
    words, index = os.environ.get("COMP_WORDS", "").split("\n"), os.environ.get("COMP_CWORD", "")
    if not index.isdecimal() or "=" not in words:
        return
    joined: list[str] = []
    current = len(words)
    for i, word in enumerate(words):
        if joined and (word == "=" or words[i - 1] == "="):
            joined[-1] += word
        else:
            joined.append(word)
        if i == int(index):
            current = len(joined) - 1
    if current < len(joined) and "=" in joined[current]:
        option, equals, rest = joined[current].partition("=")
        if option.startswith("--"):  # as in --set=lr=1, which is an option and its value
            joined[current : current + 1] = [option, rest]
            current += 1
        before, equals, last = joined[current].rpartition("=")
        _cut, joined[current] = before + equals, last
    os.environ["COMP_WORDS"] = "\n".join(word or "''" for word in joined)
    os.environ["COMP_CWORD"] = str(current)


def complete_config(incomplete: str) -> list[str]:
    """Return the YAML files whose paths begin with `incomplete`, except those in run directories."""
    return _files(incomplete, (".yaml", ".yml"))


def complete_table(incomplete: str) -> list[str]:
    """Return the tables whose paths begin with `incomplete`."""
    return _files(incomplete, TABLES)


def complete_run(incomplete: str) -> list[str]:
    """Return the run directories in `runs`, in the current folder and in the folder of `incomplete`.

    Those in `runs` are found by their names, too: `nnfs evaluate houses-1` is short for `runs/houses-1`.
    """
    from nnfs_cli.errors import NnfsError
    from nnfs_cli.runs.directory import RunDirectory

    found = []
    for folder in dict.fromkeys((Path("runs"), Path(), Path(incomplete), Path(incomplete).parent)):
        for path in _entries(folder):
            short = bool(incomplete) and folder == Path("runs") and path.name.startswith(incomplete)
            if (short or path.as_posix().startswith(incomplete)) and path.is_dir():
                with contextlib.suppress(NnfsError, OSError):
                    opened = RunDirectory.open(path).path
                    found.append(opened.name if short else opened.as_posix())
    return list(dict.fromkeys(found))


def complete_component(incomplete: str) -> list[str]:
    """Return the names of components, families and blocks of settings."""
    from nnfs_cli.cli.declared_names import families, settings_of
    from nnfs_cli.system.wording import plural

    blocks = [key for key in settings_of("") if settings_of(key)]
    names = {"config", *blocks, *map(plural, families()), *(name for names in families().values() for name in names)}
    return sorted(name for name in names if name.startswith(incomplete) and " " not in name)


def complete_metric(incomplete: str) -> list[str]:
    """Return the metrics that may come next in a list with commas."""
    from nnfs_cli.cli.declared_names import families

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in families()["metric"] if name.startswith(last.lstrip())]


def complete_tracker(incomplete: str) -> list[str]:
    """Return the trackers that `--track` may name."""
    from nnfs_cli.cli.declared_names import families

    return [name for name in families()["tracker"] if name.startswith(incomplete)]


def complete_fixes(incomplete: str) -> list[str]:
    """Return the kinds of suggested changes that may come next in a list with commas."""
    from nnfs_cli.inspection.suggestion import KINDS

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{kind}" for kind in KINDS if kind.startswith(last) and kind not in before.split(",")]


def complete_threshold(incomplete: str) -> list[str]:
    """Return the words that a threshold may be, besides a number."""
    return [word for word in ("best_f1", "best_accuracy", "none") if word.startswith(incomplete)]


def complete_run_filter(incomplete: str) -> list[str]:
    """Return the keys of `--filter`, and after `state=` the states that a run may be in."""
    from nnfs_cli.runs.overview import STATES
    from nnfs_cli.runs.selection import FILTERS

    states = [f"state={state}" for state in STATES]
    keys = [f"{key}=" for key in FILTERS]
    word = _cut + incomplete
    return [text.removeprefix(_cut) for text in (states if "=" in word else keys) if text.startswith(word)]


def complete_topic(incomplete: str) -> list[str]:
    """Return the topics of the guide."""
    from nnfs_cli.guide import topics

    return [topic for topic in topics() if topic.startswith(incomplete)]


def complete_assignment(incomplete: str) -> list[str]:
    """Return settings for `--set`, or values after a `=`: the value in the config, components, choices and the default.

    If only one setting matches, its values are returned too, because a shell adds a space after a single answer.
    """
    from nnfs_cli.cli.declared_names import settings_of, values_of

    word = _cut + incomplete
    key, equals, _ = word.partition("=")
    if not equals:
        owner, dot, _ = key.rpartition(".")
        keys = [f"{owner}{dot}{name}" for name in settings_of(owner) if f"{owner}{dot}{name}".startswith(key)]
        if len(keys) != 1:
            return [f"{name}=" for name in keys]
        key = keys[0]
    answers = [f"{key}={value}" for value in dict.fromkeys(["", *_value_in_config(key), *values_of(key)])]
    return [answer.removeprefix(_cut) for answer in answers if answer.startswith(word) and answer != _cut]


def _value_in_config(key: str) -> list[str]:
    """Return the plain value of a top-level key in the config on the command line, if it has one."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    for config in re.findall(r"\S+\.ya?ml\b", line):
        with contextlib.suppress(OSError, ValueError):
            text = Path(config).read_text(encoding="utf-8")
            return re.findall(rf"(?m)^{re.escape(key)}: *([\w.+-]+) *(?:#.*)?$", text)
    return []


def _files(incomplete: str, endings: tuple[str, ...]) -> list[str]:
    """Return the files with one of the endings in the folder of `incomplete` or at most two folders below."""
    folder = Path(incomplete[: incomplete.rfind("/") + 1])
    return [path for path in _below(folder, endings, 2) if path.startswith(incomplete)][:MAX_ENTRIES]


def _below(folder: Path, endings: tuple[str, ...], depth: int) -> Iterator[str]:
    entries = _entries(folder)
    if any(entry.name == "weights" for entry in entries):  # a run directory
        return
    for entry in entries:
        if entry.name.endswith(endings):
            yield entry.as_posix()
        elif depth and entry.is_dir():
            yield from _below(entry, endings, depth - 1)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))[:MAX_ENTRIES]
    except OSError:
        return []
