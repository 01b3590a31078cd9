"""Files that were made to do harm, or that broke on their way: a right answer or a clean refusal, quickly, in little
memory, with nothing changed, nothing run, nothing looked at elsewhere, and nothing that a terminal would obey.

A run directory, a config, a table may come from anyone. What is changed here is a good one of each; the strategies say
what is done to it.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import os
import pickle
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nnfs_cli.__main__ import main
from nnfs_cli.cli import app
from nnfs_cli.config.yaml import MAX_BYTES, dump, read
from nnfs_cli.errors import RunError
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import ROOT, Nnfs

Draw = Callable[..., Any]
Files = dict[str, bytes | None]  # what lies in a folder, by name; None for what is no plain file


PLAIN = settings(
    suppress_health_check=list(HealthCheck),
    phases=[phase for phase in Phase if phase != Phase.explain],  # it traces every line, and these tests measure time
)
ONE_IN = [6, pytest.param(1, marks=pytest.mark.slow)]  # cases that are tried
SOME, MANY = settings(PLAIN, max_examples=12), settings(PLAIN, max_examples=500)

SECONDS = 1.0  # that a command may take here
ROOM = 200 << 20  # bytes of memory that it may take beside what there was
SPACE = 1 << 30  # bytes of addresses that it gets, lest a mistake takes the machine down

ESCAPES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


# What a command may do


class Endless(BaseException):
    """A command that does not end."""


@contextmanager
def ending(seconds: float, clock: int = signal.ITIMER_REAL) -> Iterator[None]:
    """Break off what does not end by itself: `Endless` is no error that anybody here would catch."""
    heard = signal.SIGALRM if clock == signal.ITIMER_REAL else signal.SIGPROF

    def stop(number: int, frame: FrameType | None) -> None:
        raise Endless

    before = signal.signal(heard, stop)
    signal.setitimer(clock, seconds)
    try:
        yield
    except Endless:
        raise AssertionError("it does not end") from None
    finally:
        signal.setitimer(clock, 0)
        signal.signal(heard, before)


def in_memory(key: str) -> int:
    """What the kernel says that this process takes, or took at most, in bytes."""
    found = re.search(rf"^{key}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) << 10


@contextmanager
def walled(room: int) -> Iterator[None]:
    """Let this process have so many bytes of addresses more than it has, and no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (in_memory("VmSize") + room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def tree(folder: Path) -> Files:
    """Everything in a folder, byte for byte."""
    found: Files = {}
    for path in sorted(folder.rglob("*")):
        plain = path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 24
        found[path.relative_to(folder).as_posix()] = path.read_bytes() if plain else None
    return found


def lay(folder: Path, files: Files) -> None:
    """Make a folder hold just these files."""
    there = tree(folder)
    for name in sorted(there, reverse=True):
        if name not in files:
            path = folder / name
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    for name, content in files.items():
        if content is None:
            (folder / name).mkdir(exist_ok=True)
        elif there.get(name) != content:
            (folder / name).write_bytes(content)


@dataclass
class Asked:
    """What came of a command: what it said, what it took, and what lay in its folder before and after."""

    code: int
    out: str
    err: str
    seconds: float = 0.0
    memory: int = 0
    before: Files = field(default_factory=dict)
    after: Files = field(default_factory=dict)


class Victim:
    """A folder with good files, which commands are let loose on after something in it has been changed."""

    def __init__(self, folder: Path, good: Files, inside: Nnfs) -> None:
        self.folder, self.good, self.inside = folder, good, inside
        self.sealed = good

    def ask(self, *words: object, **changed: bytes | None) -> Asked:
        """Run a command on the good files but for those that are `changed`; again where the machine was busy."""
        for _ in range(3):
            lay(self.folder, self.good | changed)
            asked = self._ask(*words)
            if asked.seconds < SECONDS and asked.memory < ROOM:
                break
        return asked

    def _ask(self, *words: object) -> Asked:
        before, room = tree(self.folder), in_memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the most that was taken is counted anew
        begun = time.process_time()  # others may keep the machine busy
        with walled(SPACE), ending(60):
            done = self.inside(*words, cwd=self.folder)
        took = time.process_time() - begun
        memory = in_memory("VmHWM") - room
        return Asked(done.returncode, done.stdout, done.stderr, took, memory, before, tree(self.folder))


def assert_clean(asked: Asked, codes: tuple[int, ...] = (0, 2), reads: bool = True, most: int = 5_000) -> None:
    """Whatever it said, a command did so in plain letters, quickly, and changed nothing that it was not to change."""
    assert asked.code in codes, f"exit code {asked.code}: {asked.err}"
    assert "Traceback" not in asked.err
    assert not ESCAPES.search(asked.err), repr(asked.err)
    if asked.code:
        assert asked.out == ""
        assert asked.err
        assert len(asked.err) < most
    if asked.code == 2 or reads:
        assert asked.after == asked.before, sorted(
            name for name in {*asked.before, *asked.after} if asked.before.get(name, 0) != asked.after.get(name, 0)
        )
    assert asked.seconds < SECONDS
    assert asked.memory < ROOM, f"{asked.memory >> 20} MB"


# What is good


def table(rows: int = 24) -> bytes:
    """Numbers, words, a date and two targets; a gap in one of the columns."""
    rng = np.random.default_rng(0)
    lines = ["a,b,kind,town,day,y,price"]
    for i in range(rows):
        a = "" if i % 8 == 3 else f"{rng.normal():.3f}"
        kind, town, label = (
            ("red", "green", "blue")[i % 3],
            ("Ulm", "Köln", "Bonn", "Jena")[i % 4],
            ("no", "yes")[i % 2],
        )
        lines.append(f"{a},{rng.normal():.3f},{kind},{town},2024-{1 + i % 12:02}-{1 + i % 9:02},{label},{i / 7:.3f}")
    return "\n".join([*lines, ""]).encode()


CLASSES = """\
dataset: {csv: {path: t.csv, target: y, drop: [price]}}
split: 0.25
preprocessing:
  numbers: [impute, standardize]
  categories: {one_hot: {unseen: other}}
  dates: calendar
  columns: {town: embedding}
layers: [linear: 4, tanh, linear: 2, softmax]
loss: cross_entropy
optimizer: adam
epochs: 2
"""
NUMBERS = """\
dataset:
  csv:
    path: t.csv
    target: price
    drop: y
split: {validation: 0.25, test: 0.1}
preprocessing:
  numbers: [impute: mean, quantile: 8, min_max]
  columns:
    kind: target_mean
    town: {ordinal: [Bonn, Jena, Köln, Ulm]}
    day: {calendar: [trend, weekend]}
    b: [clip, robust]
layers:
  - linear: {units: 4, init: he_normal}
  - batch_norm
  - relu
  - linear: 1
loss: huber
optimizer: {sgd: {momentum: 0.9}}
epochs: 2
averaging: swa
early_stopping: {patience: 3}
"""
TOOLBOX = """\
name: toolbox
dataset: iris  # a comment
split: {validation: 0.2, test: 0.1, stratify: true}
layers:
  - linear: 5
  - residual: [linear: 5, gelu, dropout: 0.1]
  - sequential: [layer_norm, "relu"]
  - dense: {units: 3, activation: softmax}
preprocessing: {numbers: {views: [[robust, smooth_clip], piecewise_linear: 3]}}
loss: {cross_entropy: {label_smoothing: 0.1}}
class_weights: balanced
optimizer: {adamw: {weight_decay: 0.01}}
lr: 1e-2
schedule: {cosine: {warmup: 0.5}}
penalty: {l2: 0.001, l1: 0}
clip: {norm: 1.0}
epochs: 3
batch_size: 16
accumulate: 2
shuffle: yes
averaging: {ema: 0.9}
metrics: [accuracy, log_loss]
checkpoint: {monitor: val_accuracy, every: 2}
max_minutes: 1
threads: 1
memory_limit: 1 GB
log_every: 1
seed: 7
dtype: float64
"""
CONFIGS = {"classes": CLASSES, "numbers": NUMBERS, "toolbox": TOOLBOX}


@pytest.fixture
def configured(tmp_path: Path, inside: Nnfs) -> Victim:
    """A folder with a config c.yaml and the table it is about."""
    victim = Victim(tmp_path / "here", {"t.csv": table(), "c.yaml": CLASSES.encode()}, inside)
    victim.folder.mkdir(exist_ok=True)
    return victim


# What is done to bytes


@st.composite
def damaged(draw: Draw, good: bytes, bits: list[bytes]) -> bytes:
    """Bytes with a few of them changed, some of them to what such a file means something by."""
    content = good
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        end = min(at + draw(st.sampled_from([1, 1, 1, 2, 5, 20, 100])), len(content))
        to = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["insert", "put", "bit", "byte", "delete", "double", "end", "move", "lines"])):
            case "insert":
                content = content[:at] + draw(st.sampled_from(bits)) + content[at:]
            case "put":
                content = content[:at] + draw(st.sampled_from(bits)) + content[end:]
            case "bit" if at < len(content):
                content = content[:at] + bytes([content[at] ^ 1 << draw(st.integers(0, 7))]) + content[at + 1 :]
            case "byte":
                content = content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]
            case "delete":
                content = content[:at] + content[end:]
            case "double":
                content = content[:end] + content[at:]
            case "end":
                content = content[:at]
            case "move":
                content = (rest := content[:at] + content[end:])[:to] + content[at:end] + rest[to:]
            case _:
                lines = content.split(b"\n")
                i, j = (draw(st.integers(0, len(lines) - 1)) for _ in "12")
                lines[i], lines[j] = lines[j], draw(st.sampled_from([lines[i], b"", lines[j]]))
                content = b"\n".join(lines)
    return content


# What is done to values


NASTY: list[Any] = [
    None, True, False, 0, -1, 1, 2, 3, 7, 100, 1.5, -0.0, math.nan, math.inf, -math.inf, 1e300, 5e-324, -2.5, 2**31,
    2**63 - 1, 2**63, 2**64, 10**22, 10**99, 10**400, -(10**22), "", " ", "x", "yes", "iris", "csv", "relu", "number",
    "category", "date", "a", "b", "kind", "y", "price", "standardize", "2024-01-01", "1e5", "nan", "\0",
    "\x1b[31mred\x07", "[red]x[/red]", "{0}%s{x}", "\u202eabc", "a\r\nb", "\t", "é\u0301", "\U0001f600", "-", "/",
    "..", "../../../../etc/passwd", "/dev/zero", "/dev/stdin", "~", "*", "**", "?", "[", "con", "x" * 300,
    "x" * 70_000, [], {}, [[]], [{}], {"": None}, {"x": 1}, [None], [1], [1, 2, 3], ["a", "a"], [1.0, "x"],
    {"a": {"b": {"c": []}}}, [0] * 1000, [[0.0] * 3] * 3, {str(i): i for i in range(300)},
    [[[[[[[[[[[[[[[]]]]]]]]]]]]]]],
]  # fmt: skip
Way = tuple[Any, ...]  # the keys and indices that lead to a value


def ways(value: Any, way: Way = ()) -> Iterator[Way]:
    """To everything in a value, and to itself."""
    yield way
    if isinstance(value, dict | list | tuple):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from ways(child, (*way, key))


def at(value: Any, way: Way) -> Any:
    """What a way leads to."""
    for key in way:
        value = value[key]
    return value


def changed(value: Any, way: Way, change: Callable[[Any], Any]) -> Any:
    """The same but for what a way leads to."""
    if not way:
        return change(value)
    if isinstance(value, dict):
        return {key: changed(child, way[1:], change) if key == way[0] else child for key, child in value.items()}
    return [changed(child, way[1:], change) if i == way[0] else child for i, child in enumerate(value)]


def without(whole: Any, key: Any) -> Any:
    """A block or a list that lacks an entry."""
    if isinstance(whole, dict):
        return {name: value for name, value in whole.items() if name != key}
    return [value for i, value in enumerate(whole) if i != key]


def with_more(whole: Any, extra: Any) -> Any:
    """A block or a list that has an entry too many."""
    return {**whole, "x": extra} if isinstance(whole, dict) else [*whole, extra] if isinstance(whole, list) else extra


@st.composite
def bent_once(draw: Draw, value: Any, nasty: list[Any]) -> Any:
    ends = list(ways(value))
    way, extra = draw(st.sampled_from(ends)), draw(st.sampled_from(nasty))
    other = at(value, draw(st.sampled_from(ends)))
    changes: dict[str, Callable[[Any], Any]] = {
        "put": lambda _: extra,
        "other": lambda _: other,
        "add": lambda whole: with_more(whole, extra),
        "shorten": lambda whole: whole[:-1] if isinstance(whole, list | tuple | str) else None,
        "negative": lambda whole: -whole if isinstance(whole, int | float) else [whole],
        "list": lambda whole: [whole] * 3,
        "block": lambda whole: {"x": whole},
        "text": str,
    }
    match draw(st.sampled_from([*changes, *["put"] * 4, *["drop"] * 2, "rename"])):
        case "drop" | "rename" if not way:
            return extra
        case "drop":
            return changed(value, way[:-1], lambda whole: without(whole, way[-1]))
        case "rename":
            name = draw(st.sampled_from([text for text in nasty if isinstance(text, str)]))
            return changed(value, way[:-1], lambda whole: with_name(whole, way[-1], name))
        case how:
            return changed(value, way, changes[how])


def with_name(whole: Any, key: Any, name: str) -> Any:
    """A block with another name for an entry."""
    return {name if k == key else k: v for k, v in whole.items()} if isinstance(whole, dict) else whole


@st.composite
def bent(draw: Draw, value: Any, nasty: list[Any]) -> Any:
    """A value with a few things in it that do not belong there."""
    for _ in range(draw(st.integers(1, 3))):
        value = draw(bent_once(value, nasty))
    return value


# Configs


YAML_TEXTS = [
    ":", ": ", "- ", "\n", "\n  ", "\n- ", "\t", "{", "}", "[", "]", ",", "'", '"', "#", " #", "|\n", ">-\n", "|+9\n",
    "&a ", "*a", " &a [*a, *a]", "<<: *a\n", "<<: {epochs: 3}\n",
    "!!python/object/apply:os.system ['touch executed'] ", "!!binary aGk= ", "!!str ", "! ",
    "!<tag:yaml.org,2002:int> ", "%TAG ! tag:x,2000:\n---\n", "%YAML 1.1\n---\n", "---\n", "\n...\n", "\n---\n", "? ",
    "? [a]\n: b\n", "~", "null", ".nan", ".inf", "-.inf", "1e400", "9" * 40, "9" * 400, "0x" + "f" * 90, "0o777", "-1",
    "0", "00", "1_000", "12:30:45", "2024-01-01", "\x1b[31m", "\x07", "\0", "\x7f", "\x85", "\u2028", "\u202e",
    "\ufeff", "\ud800", "é", "\U0001f600", "\r", "\r\n", "[" * 30, "{a: " * 30, "- " * 30, "[" * 3000, "x" * 5000,
    '"\\U00110000"', '"\\ud800"', '"\\x1b[2J"', "[red]", "@", "`", "%", "linear", "csv", "1e-3", "\\", "99999",
]  # fmt: skip
YAML_BITS = [text.encode("utf-8", "surrogatepass") for text in YAML_TEXTS]
YAML_BITS += [b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc3", b"#" + b"x" * 1_000_001, b"\n# " * 200_000]


@st.composite
def configs(draw: Draw, good: list[str]) -> bytes:
    """A good config, damaged or bent, and written in one of the ways YAML has."""
    source = draw(st.sampled_from(good)).encode()
    if draw(st.booleans()):
        return draw(damaged(source, YAML_BITS))
    value = draw(bent(read(source)[0], NASTY))
    try:
        text = dump(value) if draw(st.booleans()) else json.dumps(value, ensure_ascii=draw(st.booleans()))
    except ValueError:  # no number of so many digits can be written
        text = json.dumps(str(value)[:100])
    return text.encode("utf-8", "surrogatepass")


def test_what_is_changed_here_is_good(runs: dict[str, Victim], configured: Victim) -> None:
    for config in CONFIGS.values():
        asked = configured.ask("check", "c.yaml", **{"c.yaml": config.encode()})
        assert asked.code == 0, asked.err
    for victim in runs.values():
        for command in [*READING, *WRITING]:
            asked = victim.ask(*command)
            assert asked.code == 0 or command == ["decide", RUN, "--threshold", "best_f1"], asked.err
            assert_clean(asked, reads=command in READING)
        lay(victim.folder, victim.sealed)
        assert victim.inside(*PREDICT, cwd=victim.folder).returncode == 0


def check_a_config(configured: Victim, config: bytes) -> None:
    asked = configured.ask("check", "c.yaml", "--json", **{"c.yaml": config})
    large = asked.code == 4 or (asked.code == 0 and json.loads(asked.out)["parameters"] > 100_000)
    if large and re.search(rb"[0-9]{5}|[eExX]", config):  # of a net that takes what was asked for
        assert asked.code == 0 or asked.err == "error: there is not enough memory\n"
        return
    assert_clean(asked, (0, 2, 3), most=100_000)  # a line for every fault; and a few steps are tried out


@SOME
@given(configs(list(CONFIGS.values())))
def test_changed_configs_are_valid_or_refused(configured: Victim, config: bytes) -> None:
    check_a_config(configured, config)


@pytest.mark.slow
@MANY
@given(configs(list(CONFIGS.values())))
def test_many_changed_configs_are_valid_or_refused(configured: Victim, config: bytes) -> None:
    check_a_config(configured, config)


LARGE = {  # as large as a config may be
    "unknown keys": lambda n: CLASSES + "".join(f"k{i}: 1\n" for i in range(n // 11)),
    "unknown layers": lambda n: CLASSES.replace("tanh", "tanh, " + ", ".join(["rleu"] * (n // 6))),
    "layers": lambda n: CLASSES.replace("tanh", "tanh, " + ", ".join(["relu"] * (n // 6))),
    "columns to drop": lambda n: CLASSES.replace(
        "drop: [price", "drop: [price," + ",".join(f"c{i}" for i in range(n // 8))
    ),
    "columns": lambda n: CLASSES.replace(
        "columns: {", "columns: {" + ", ".join(f"c{i}: one_hot" for i in range(n // 17)) + ", "
    ),
    "words": lambda n: NUMBERS.replace("[Bonn", "[" + ",".join(f"w{i}" for i in range(n // 8)) + ",Bonn"),
    "metrics": lambda n: CLASSES + "metrics: [" + ",".join(["accuracy"] * (n // 10)) + "]\n",
    "one word": lambda n: CLASSES + f"name: {'x' * n}\n",
    "one key": lambda n: CLASSES + f"? {'x' * n}\n: 1\n",
    "a list": lambda n: f"{CLASSES}x: [{'1,' * (n // 2)}]\n",
    "lists": lambda n: f"{CLASSES}x: [{'[],' * (n // 3)}]\n",
    "open lists": lambda n: "[" * 19 + "a, " * (n // 3),
    "comments": lambda n: CLASSES + "# x\n" * (n // 4),
    "lines": lambda n: "\n" * n + CLASSES,
    "colons": lambda n: "a: " + "b:" * (n // 2),
}


@pytest.mark.parametrize("size", [20_000, pytest.param(MAX_BYTES, marks=pytest.mark.slow)])
@pytest.mark.parametrize("what", LARGE)
def test_the_largest_configs_are_read_or_refused_soon(configured: Victim, what: str, size: int) -> None:
    """In some seconds of a processor, and with a message that somebody may read; also with few enough values."""
    config = LARGE[what](size - len(NUMBERS.encode()) - 1000).encode()
    assert len(config) <= MAX_BYTES
    lay(configured.folder, configured.good | {"c.yaml": config})
    begun = time.process_time()
    with ending(20, signal.ITIMER_PROF):
        done = configured.inside("check", "c.yaml", cwd=configured.folder)
    assert done.returncode in (0, 2), done.stderr[:1000]
    assert len(done.stderr) < 20_000
    assert time.process_time() - begun < 3


# Runs

RUN = "runs/c-1"


MADE: dict[str, Files] = {}  # by config: they are made once


def trained(folder: Path, config: str, inside: Nnfs, *then: list[str]) -> Files:
    """The files of a folder in which a config has been trained, and other commands done."""
    if config not in MADE:
        folder.mkdir()
        (folder / "t.csv").write_bytes(table())
        (folder / "c.yaml").write_text(config, encoding="utf-8")
        for words in (["train", "c.yaml", "-q"], *then):
            done = inside(*words, cwd=folder)
            assert done.returncode == 0, done.stderr
        MADE[config] = tree(folder)
    return MADE[config]


@pytest.fixture
def runs(tmp_path: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch) -> dict[str, Victim]:
    """Runs of two kinds, resumed and decided; each is unsealed unless `status.json` is given as it was."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    resume = ["resume", RUN, "--epochs", "3", "-q"]
    made = {
        "classes": trained(tmp_path / "1", CLASSES, inside, resume, ["decide", RUN, "--threshold", "0.4"]),
        "numbers": trained(tmp_path / "2", NUMBERS, inside, resume),
    }
    (tmp_path / "here").mkdir()
    victims = {}
    for name, files in made.items():
        status = json.loads(files[f"{RUN}/status.json"] or b"")
        unsealed = {f"{RUN}/status.json": json.dumps(status | {"sha256": {}}).encode()}
        victims[name] = Victim(tmp_path / "here", files | unsealed, inside)
        victims[name].sealed = files
    return victims


PREDICT: list[object] = ["predict", "--run", RUN, "--input", "t.csv"]
RESUME: list[object] = ["resume", RUN, "--epochs", "4", "-q"]
READING = [
    PREDICT,
    [*PREDICT, "--drift"],
    [*PREDICT, "--interval", "0.5"],
    [*PREDICT, "--on-error", "null", "--keep-all"],
    [*PREDICT, "--weights", "last", "--on-error", "skip"],
    ["verify", RUN, "-q"],
    ["card", RUN, "-q"],
]
WRITING = [
    ["evaluate", RUN],
    ["evaluate", RUN, "--json", "--split", "train"],
    ["evaluate", RUN, "--input", "t.csv"],
    ["evaluate", RUN, "--input", "t.csv", "--weights", "last"],
    ["decide", RUN, "--threshold", "best_f1"],
    ["resume", RUN, "--epochs", "4", "-q"],
    ["resume", RUN, "--epochs", "4", "--changed-data"],
]
COMMANDS = st.sampled_from([*READING, *WRITING])


# Records

RECORDS = [
    "data.json",
    "data.json",
    "status.json",
    "metrics.json",
    "decision.json",
    "calibration.json",
    "verdict.json",
    "environment.json",
]
RAW = [
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, "9" * 5000, "-" + "9" * 30, "1E400", "0.1e-400",
    "[" * 100_000, '{"a":' * 100_000, "[" * 500 + "]" * 500, '"\\ud800"', '"\\u0000\\u001b[2J\\u0007\\u202e"',
    '"' + "x" * 100_000 + '"', "nul", "01", "'x'", "[1,]", "{,}", "// x", '"\x1b[31m"', '"\x00"', '"\\x41"',
    "\ufeff{}", "[" + "0," * 50_000 + "0]", "", "\ud800",
]  # fmt: skip
MARKS = ["{", "}", "[", "]", ",", ":", '"', "\\", "-", "e9", "true", "null", "\n"]
JSON_BITS = [bit.encode("utf-8", "surrogatepass") for bit in [*RAW, *MARKS]]


@contextmanager
def every_digit() -> Iterator[None]:
    """Let whole numbers be written that are larger than Python would: who reads them has the usual limit."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


@st.composite
def records(draw: Draw, good: bytes) -> bytes:
    """A file of JSON, damaged or bent, with what JSON has no place for, or the same key twice."""
    if draw(st.sampled_from([True, False, False])):
        return draw(damaged(good, JSON_BITS))
    value = json.loads(good)
    if draw(st.booleans()):
        value = draw(bent(value, NASTY))
    raw: dict[str, str] = {}
    for i in range(draw(st.integers(0, 2))):
        way, mark = draw(st.sampled_from(list(ways(value)))), f"@{i}@"
        if way and isinstance(at(value, way[:-1]), dict) and draw(st.booleans()):
            value = changed(value, way[:-1], lambda whole, mark=mark: {**whole, mark: draw(st.sampled_from(NASTY))})
            raw[json.dumps(mark)] = json.dumps(way[-1])
        else:
            value = changed(value, way, lambda _, mark=mark: mark)
            raw[json.dumps(mark)] = draw(st.sampled_from(RAW))
    escaped, indent = draw(st.booleans()), draw(st.sampled_from([None, 2]))
    with every_digit():
        text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    for mark, instead in raw.items():
        text = text.replace(mark, instead)
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Case:
    """A run, what of it is changed to what, whether its seal is kept, and what it is asked."""

    kind: str
    name: str
    content: bytes
    sealed: bool
    command: list[str]


@st.composite
def recorded(draw: Draw, runs: dict[str, Victim]) -> Case:
    kind = draw(st.sampled_from(sorted(runs)))
    name = draw(st.sampled_from([name for name in RECORDS if f"{RUN}/{name}" in runs[kind].good]))
    good = runs[kind].good[f"{RUN}/{name}"]
    return Case(
        kind, name, draw(records(good or b"")), draw(st.sampled_from([False, False, False, True])), draw(COMMANDS)
    )


@st.composite
def respecified(draw: Draw, runs: dict[str, Victim]) -> Case:
    kind = draw(st.sampled_from(sorted(runs)))
    good = (runs[kind].good[f"{RUN}/spec.yaml"] or b"").decode()
    return Case(
        kind, "spec.yaml", draw(configs([good])), draw(st.sampled_from([False, False, False, True])), draw(COMMANDS)
    )


def ask_a_run(runs: dict[str, Victim], case: Case) -> Asked:
    """What a command makes of a run of which a file was changed."""
    victim = runs[case.kind]
    files = victim.sealed if case.sealed else victim.good
    asked = victim.ask(*case.command, **files | {f"{RUN}/{case.name}": case.content})
    # Every command reads these two, and verify reads all. A status may be one that was never sealed.
    read = case.name in ("spec.yaml", "data.json") or (case.command[0] == "verify" and case.name != "status.json")
    if case.sealed and read and case.content != files[f"{RUN}/{case.name}"]:
        assert asked.code == 2
        refusals = ("SHA-256", "should not have more than", f"has changed since training: {case.name} is changed")
        assert any(refusal in asked.err for refusal in refusals)
    assert_clean(asked, (0, 2, 3) if case.command[0] == "resume" else (0, 2), case.command in READING)
    if case.command[0] != "predict":  # whose output is data
        assert not ESCAPES.search(asked.out), repr(asked.out)
    return asked


@SOME
@given(st.data())
def test_changed_records_of_a_run_serve_or_are_refused(runs: dict[str, Victim], data: st.DataObject) -> None:
    ask_a_run(runs, data.draw(recorded(runs)))


@pytest.mark.slow
@MANY
@given(st.data())
def test_many_changed_records_of_a_run_serve_or_are_refused(runs: dict[str, Victim], data: st.DataObject) -> None:
    ask_a_run(runs, data.draw(recorded(runs)))


ANYTHING: list[Any] = [
    None,
    True,
    -1,
    1.5,
    2**31,
    10**22,
    10**400,
    "",
    "x",
    "2024-01-01",
    [],
    {},
    [[]],
    {"x": 1},
    ["a", 1],
]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classes", "numbers"])
@pytest.mark.parametrize(
    "words", [[*PREDICT, "--drift"], ["evaluate", RUN], ["resume", RUN, "--epochs", "4"]], ids=" ".join
)
def test_whatever_the_record_of_the_data_holds_at_any_place_it_serves_or_is_refused(
    runs: dict[str, Victim], kind: str, words: list[object]
) -> None:
    good = json.loads(runs[kind].good[f"{RUN}/data.json"] or b"")
    alike = {
        tuple(min(key, 1) if isinstance(key, int) and len(way) > 2 else key for key in way): way for way in ways(good)
    }
    failures = []
    for way in alike.values():
        for value in ANYTHING:
            with every_digit():
                content = json.dumps(changed(good, way, lambda _, value=value: value)).encode()
            try:
                ask_a_run(runs, Case(kind, "data.json", content, False, words))
            except AssertionError as error:
                failures.append(f"{way}={value!r:.40}: {error!s:.200}")
    assert not failures, "\n".join([*failures[:30], f"{len(failures)} cases"])


@SOME
@given(st.data())
def test_changed_specs_of_a_run_serve_or_are_refused(runs: dict[str, Victim], data: st.DataObject) -> None:
    ask_a_run(runs, data.draw(respecified(runs)))


@pytest.mark.slow
@MANY
@given(st.data())
def test_many_changed_specs_of_a_run_serve_or_are_refused(runs: dict[str, Victim], data: st.DataObject) -> None:
    ask_a_run(runs, data.draw(respecified(runs)))


def ask_for_data(runs: dict[str, Victim], where: str, make: Callable[[Path], object], *words: object) -> Asked:
    """A run whose spec says that its data, or some of it, lies where something else is."""
    victim = runs["classes"]
    spec = read(victim.good[f"{RUN}/spec.yaml"] or b"")[0]
    if where.startswith("split"):
        spec = changed(spec, ("split", "validation"), lambda _: "../../x.csv")
    else:
        spec = changed(
            spec, ("dataset", "csv", "path"), lambda _: "../../x.csv" if where == "data" else "../../x/**/*.csv"
        )
    lay(victim.folder, victim.good | {f"{RUN}/spec.yaml": dump(spec).encode()})
    make(victim.folder / ("x" if where == "pattern" else "x.csv"))
    with ending(8):
        done = victim.inside(*words, cwd=victim.folder)
    return Asked(done.returncode, done.stdout, done.stderr)


def in_circles(folder: Path) -> None:
    """Folders full of links to where they are."""
    folder.mkdir()
    for name in "abcdef":
        (folder / name).mkdir()
        for link in "ghi":
            (folder / name / link).symlink_to("..")


@pytest.mark.parametrize("words", [["evaluate", RUN], ["resume", RUN, "--epochs", "4"], ["verify", RUN]], ids=" ".join)
@pytest.mark.parametrize(
    ("where", "make"),
    [
        ("data", os.mkfifo),
        ("data", Path.mkdir),
        ("data", lambda path: path.symlink_to("/dev/zero")),
        ("split", os.mkfifo),
        ("split", Path.mkdir),
        ("split", lambda path: path.symlink_to("/dev/zero")),
        ("pattern", in_circles),
    ],
    ids=["pipe", "folder", "device", "split by a pipe", "split by a folder", "split by a device", "circles"],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of what is broken off
def test_data_that_never_ends_is_refused(
    runs: dict[str, Victim], where: str, make: Callable[[Path], object], words: list[object]
) -> None:
    """What a stranger's spec says of where the data lies."""
    asked = ask_for_data(runs, where, make, *words)
    assert asked.code == 2
    assert asked.out == ""
    assert "Traceback" not in asked.err


@pytest.mark.parametrize(
    "units", [2_000_000, 10**22, *(pytest.param(n, marks=pytest.mark.slow) for n in (3 * 10**7, 10**12))]
)
def test_a_spec_of_a_net_that_its_weights_are_too_few_for_is_refused(
    runs: dict[str, Victim], tmp_path: Path, units: int
) -> None:
    """Before there is any room made for it."""
    victim = runs["classes"]
    spec = (victim.good[f"{RUN}/spec.yaml"] or b"").replace(b"units: 4", b"units: %d" % units)
    scenes = []
    for i, words in enumerate((PREDICT, ["evaluate", RUN, "--input", "t.csv"], ["resume", RUN, "--epochs", "4"])):
        folder = tmp_path / "stage" / str(i)
        folder.mkdir(parents=True)
        lay(folder, victim.good | {f"{RUN}/spec.yaml": spec})
        scenes.append(Scene(folder, words))
    for scene, seen in zip(scenes, stage(scenes), strict=True):
        assert_refused(seen, str(scene.words))


# Inputs

CSV_BITS = [
    b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"'", b" ",
    b"-", b"\x1b[2J", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xae", b"[red]x[/red]", b"1e400", b"-1e308", b"nan",
    b"inf", b"0x1F", b"9" * 400, b"2024-02-30", b"=1+1", b"x" * 70_000, b'"' + b"long\n" * 3_000 + b'"', b",,,,,,,,",
    b"\n\n\n", b"a,b,kind,town,day,y,price\n", b"\xed\xa0\x80", b"," * 10_000, b"\n" * 10_000, b"PK\x03\x04", b"PAR1",
    b"\x1f\x8b\x08\x00", b"\x93NUMPY",
]  # fmt: skip
ROWS = st.one_of(damaged(table(), CSV_BITS), damaged(table(), CSV_BITS), st.binary(max_size=200))
ASKING = [
    PREDICT,
    [*PREDICT, "--on-error", "skip"],
    [*PREDICT, "--on-error", "null", "--keep-all", "--drift"],
    [*PREDICT, "--keep", "kind,town"],
    ["evaluate", RUN, "--input", "t.csv", "--json"],
]


def ask_about_rows(runs: dict[str, Victim], kind: str, content: bytes, words: list[object]) -> None:
    asked = runs[kind].ask(*words, **{"t.csv": content})
    assert_clean(asked, reads=words[0] == "predict", most=90_000)
    if asked.code == 0 and words == PREDICT:
        assert len(list(csv.reader(io.StringIO(asked.out)))) > 1
    if words[0] == "evaluate":
        assert not ESCAPES.search(asked.out), repr(asked.out)


@SOME
@given(st.sampled_from(["classes", "numbers"]), ROWS, st.sampled_from(ASKING))
def test_changed_rows_are_answered_or_refused(
    runs: dict[str, Victim], kind: str, content: bytes, words: list[object]
) -> None:
    ask_about_rows(runs, kind, content, words)


@pytest.mark.slow
@MANY
@given(st.sampled_from(["classes", "numbers"]), ROWS, st.sampled_from(ASKING))
def test_many_changed_rows_are_answered_or_refused(
    runs: dict[str, Victim], kind: str, content: bytes, words: list[object]
) -> None:
    ask_about_rows(runs, kind, content, words)


# Arrays

Arrays = dict[str, np.ndarray]
ZIP_BITS = [
    b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06" + bytes(18), b"PK\x06\x06" + b"\xff" * 52,
    b"PK\x06\x07" + b"\xff" * 16, b"PK\x07\x08", b"PK\x06\x07" + bytes(16), b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00",
    b"\xff" * 4, bytes(8), b"\xff" * 8, b"\x01\x00\x10\x00" + b"\xff" * 16, b"'|O'", b"'<f8'", b"True ", b"(-1,)",
    b"(4294967296,)", b"weight", b"../", b"/", b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x80\x04\x95",
    b"cos\nsystem\n(S'touch executed'\ntR.",
]  # fmt: skip
CALL = "__import__('os').system('touch executed')"
KINDS = ["|O", ">f4", "<f8", "<f2", "<i4", "<U1", "|S4", "|V4", "<c8", "<M8[s]", "|b1", "=f4", "f4", CALL]
SHAPES: list[object] = [
    (), (0,), (-1,), (1,), (2**31,), (2**62,), (2**32, 2**32), (10**22,), (1,) * 70, "(4, 2", "(True, 2)", "[4, 2]",
    "4", CALL,
]  # fmt: skip
FIELDS = {  # where in the parts of a zip file a number stands, and how long it is
    b"PK\x03\x04": [(4, 2), (6, 2), (8, 2), (10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)],
    b"PK\x01\x02": [
        (4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2),
        (36, 2), (38, 4), (42, 4)
    ],
    b"PK\x05\x06": [(4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)],
}  # fmt: skip


def arrays_in(content: bytes) -> Arrays:
    """The arrays of an npz file, as NumPy reads them."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def member(header: str, data: bytes, version: bytes = b"\x01\x00", length: int | None = None) -> bytes:
    """A file of an array, with whatever header."""
    text = header.encode("latin-1") + b"\n"
    n = (len(text) if length is None else length) & (0xFFFF if version[0] < 2 else 0xFFFFFFFF)
    return b"\x93NUMPY" + version + n.to_bytes(2 if version[0] < 2 else 4, "little") + text + data


def header(array: np.ndarray, **instead: object) -> str:
    """As it should be, but for what is put there `instead`."""
    entries = {"descr": repr(array.dtype.str), "fortran_order": "False", "shape": repr(array.shape)}
    return "{" + "".join(f"'{key}': {value}, " for key, value in (entries | instead).items()) + "}"


def saved(array: np.ndarray) -> bytes:
    """As it should be."""
    return member(header(array), array.tobytes())


def zipped(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    """A zip file of members, of which two may have the same name."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", compression) as archive:
        warnings.simplefilter("ignore", UserWarning)
        archive.comment = comment
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return file.getvalue()


@st.composite
def members(draw: Draw, good: Arrays) -> tuple[bytes, Arrays | None]:
    """A sound zip file, with something in it that should not be; and the arrays that it holds, if they are plain."""
    untouched = {f"{name}.npy": saved(array) for name, array in good.items()}
    files = dict(untouched)
    name = draw(st.sampled_from(sorted(good)))
    array, key = good[name], f"{name}.npy"
    more: list[tuple[str, bytes]] = []
    holds: Arrays | None = good
    compression, comment = zipfile.ZIP_STORED, b""
    match draw(st.sampled_from([
        "drop", "twice", "name", "extra", "kind", "shape", "order", "header", "code", "version", "length", "object",
        "numbers", "other numbers", "other numbers", "short", "long", "compressed", "comment", "shuffled", "swapped",
    ])):  # fmt: skip
        case "drop":
            del files[key]
            holds = None
        case "twice":
            more.append((key, draw(st.sampled_from([files[key], saved(array + array.dtype.type(1)), b""]))))
            holds = None
        case "name":
            names = [
                "",
                "x",
                "../x.npy",
                "/x.npy",
                key.upper(),
                f"./{key}",
                f"{key}/",
                f"{key}\0.npy",
                "\x1b[31m.npy",
                "x" * 60_000,
                name,
            ]
            files = {draw(st.sampled_from(names)) if k == key else k: v for k, v in files.items()}
            holds = None
        case "extra":
            extra = [
                "x.npy",
                "../executed",
                "/executed",
                "code/x.py",
                "sitecustomize.py",
                "\x1b[2J",
                "\u202e.npy",
                "dir/",
                "x" * 60_000,
                "",
            ]
            more.append(
                (
                    draw(st.sampled_from(extra)),
                    draw(st.sampled_from([b"", saved(array), b"import os; os.system('touch executed')"])),
                )
            )
            holds = None
        case "kind":
            files[key] = member(header(array, descr=repr(draw(st.sampled_from(KINDS)))), array.tobytes())
            holds = None
        case "shape":
            shape = draw(
                st.sampled_from([*SHAPES, array.shape[::-1], (*array.shape, 1), (array.size,), (1, *array.shape)])
            )
            files[key] = member(header(array, shape=shape), array.tobytes())
            holds = None
        case "order":
            files[key] = member(
                header(array, fortran_order=draw(st.sampled_from(["True", "1", "0", "None", CALL]))), array.tobytes()
            )
            holds = None
        case "header":
            text = header(array)
            wrongs = [
                "{}",
                "",
                "[]",
                "{" * 900,
                "\xff",
                text[:-1],
                text + "}",
                "\n" + text,
                "#" + text,
                f"{text};{CALL}",
            ]
            wrongs += [text.replace("descr", "desc"), text.replace("}", "'x': 1, }"), text.replace("{", "{**{}, ")]
            wrongs.append(text.replace(" ", ""))
            files[key] = member(draw(st.sampled_from(wrongs)), array.tobytes())
            holds = None
        case "code":
            texts = [
                CALL,
                f"{{'descr': {CALL}, 'fortran_order': False, 'shape': ()}}",
                f"[{CALL}][0]",
                f"f'{{{CALL}}}'",
                "-" * 1000 + "1",
            ]
            files[key] = member(draw(st.sampled_from(texts)), array.tobytes())
            holds = None
        case "version":
            version = draw(st.sampled_from([b"\x02\x00", b"\x03\x00", b"\x00\x00", b"\x01\x01", b"\xff\xff"]))
            files[key] = member(header(array), array.tobytes(), version)
            holds = None
        case "length":
            files[key] = member(
                header(array), array.tobytes(), length=draw(st.sampled_from([0, 1, 117, 1024, 1025, 65535]))
            )
            holds = None
        case "object":
            files[key] = member(
                header(array, descr="'|O'"),
                draw(st.sampled_from([b"cos\nsystem\n(S'touch executed'\ntR.", b"\x80\x04."])),
            )
            holds = None
        case "numbers" if array.dtype.kind == "f":
            worse = array.copy()
            worse.reshape(-1)[draw(st.integers(0, array.size - 1)) :] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
            files[key] = saved(worse)
            holds = {**good, name: worse}
        case "other numbers":
            other = np.zeros_like(array)
            other.reshape(-1)[:] = draw(st.integers(-3, 3)) if array.dtype.kind != "b" else draw(st.booleans())
            files[key] = saved(other)
            holds = {**good, name: other}
        case "short":
            files[key] = files[key][: draw(st.integers(0, len(files[key]) - 1))]
            holds = None
        case "long":
            files[key] += draw(st.sampled_from([b"\0", b"x" * 5, files[key], bytes(70_000)]))
            holds = None
        case "compressed":
            compression = draw(st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
            holds = None
        case "comment":
            comment = draw(st.sampled_from([b"hello", b"PK\x05\x06" + bytes(18), b"x" * 65_535, b"\x1b[2J"]))
        case "shuffled":
            files = {key: files[key] for key in draw(st.permutations(sorted(files)))}
        case _:
            other_key = draw(st.sampled_from(sorted(files)))
            files[key], files[other_key] = files[other_key], files[key]
            other_name = other_key.removesuffix(".npy")
            fits = (array.shape, array.dtype) == (good[other_name].shape, good[other_name].dtype)
            holds = {**good, name: good[other_name], other_name: array} if fits else None
    if files == untouched and not more and compression == zipfile.ZIP_STORED:  # what was drawn is what was there
        holds = good
    return zipped([*files.items(), *more], compression, comment), holds


@st.composite
def mislabelled(draw: Draw, good: bytes) -> bytes:
    """A zip file with numbers in it that say something else of where things are, how large, and how they are packed."""
    content = bytearray(good)
    for _ in range(draw(st.integers(1, 2))):
        mark = draw(st.sampled_from(list(FIELDS)))
        start = draw(st.sampled_from([found.start() for found in re.finditer(re.escape(mark), good)]))
        at_, size = draw(st.sampled_from(FIELDS[mark]))
        place = slice(start + at_, start + at_ + size)
        was, most = int.from_bytes(content[place], "little"), (1 << 8 * size) - 1
        number = draw(
            st.sampled_from(
                [
                    0,
                    1,
                    2,
                    6,
                    8,
                    9,
                    12,
                    14,
                    20,
                    45,
                    99,
                    was + 1,
                    was - 1,
                    was * 2,
                    most,
                    most - 1,
                    most // 2,
                    was ^ 1,
                    was | 8,
                ]
            )
        )
        content[place] = (number & most).to_bytes(size, "little")
    wrapped = draw(st.sampled_from([b"", b"", b"", b"", b"#!/bin/sh\ntouch executed\n", b"\0" * 1000, good]))
    behind = draw(
        st.sampled_from(
            [b"", b"", b"", b"", b"x", b"PK\x05\x06" + bytes(18), b"PK\x06\x06" + bytes(52) + b"PK\x06\x07" + bytes(16)]
        )
    )
    return wrapped + bytes(content) + behind


@st.composite
def archives(draw: Draw, good: bytes) -> tuple[bytes, Arrays | None]:
    """An npz file to which something was done, and the arrays it may be read as: none others."""
    arrays = arrays_in(good)
    match draw(st.sampled_from(["members", "members", "labels", "bytes"])):
        case "members":
            return draw(members(arrays))
        case "labels":
            return draw(mislabelled(good)), arrays
        case _:
            return draw(damaged(good, ZIP_BITS)), arrays


def taken(content: bytes, like: Arrays, folder: Path) -> Arrays | None:
    """What a run makes of a file of weights; None where it is refused."""
    run = RunDirectory(folder)
    (folder / "weights").mkdir(exist_ok=True, parents=True)
    (folder / "weights" / "best.npz").write_bytes(content)
    into = {name: np.full_like(array, 77) for name, array in like.items()}
    try:
        run.arrays.read_weights("best", into)
    except RunError:
        return None
    return into


def same(ours: Arrays, theirs: Arrays) -> bool:
    return ours.keys() == theirs.keys() and all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)


def ask_about_arrays(runs: dict[str, Victim], data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(runs)))
    victim = runs[kind]
    name = data.draw(st.sampled_from(["weights/best.npz", "weights/best.npz", "weights/last.npz", "state.npz"]))
    good = victim.good[f"{RUN}/{name}"] or b""
    content, holds = data.draw(archives(good))
    commands = {
        "weights/best.npz": [PREDICT, PREDICT, ["evaluate", RUN, "--input", "t.csv"], ["evaluate", RUN]],
        "weights/last.npz": [[*PREDICT, "--weights", "last"], ["evaluate", RUN, "--weights", "last"]],
        "state.npz": [["resume", RUN, "--epochs", "4", "-q"]],
    }
    sealed = data.draw(st.sampled_from([False, False, False, True]))
    asked = ask_a_run(runs, Case(kind, name, content, sealed, data.draw(st.sampled_from(commands[name]))))
    if sealed:
        return
    into = taken(content, arrays_in(good), victim.folder / "elsewhere")
    if into is not None:
        assert holds is not None
        assert same(into, holds)
    if name != "state.npz":
        senseless = "the net's output is not a finite number" in asked.err  # as where a variance is below 0
        assert (asked.code == 0 or senseless) == (into is not None)
    elif into is None:
        assert asked.code == 2 or any(np.isnan(array).any() for array in (holds or {}).values())


@SOME
@given(st.data())
def test_changed_arrays_of_a_run_are_taken_as_they_were_or_refused(
    runs: dict[str, Victim], data: st.DataObject
) -> None:
    ask_about_arrays(runs, data)


@pytest.mark.slow
@MANY
@given(st.data())
def test_many_changed_arrays_of_a_run_are_taken_as_they_were_or_refused(
    runs: dict[str, Victim], data: st.DataObject
) -> None:
    ask_about_arrays(runs, data)


def change_every_byte(folder: Path, masks: range | list[int]) -> None:
    """Every byte of a small file of weights, one after the other, is put together with each mask by exclusive or."""
    good = {"0.weight": np.array([[1.5, -2.0]], np.float32), "0.bias": np.array([0.25, 1e-3], np.float32)}
    run = RunDirectory.create(folder, "x")
    run.arrays.write_weights("best", good)
    path = run.path / "weights" / "best.npz"
    content = bytearray(path.read_bytes())
    refused = 0
    for place in range(len(content)):
        for mask in masks:
            content[place] ^= mask
            path.write_bytes(content)
            content[place] ^= mask
            into = {name: np.full_like(array, 77) for name, array in good.items()}
            try:
                run.arrays.read_weights("best", into)
            except RunError:
                refused += 1
            else:
                assert same(into, good), (place, mask)
    assert refused > 100


def test_a_changed_bit_anywhere_in_weights_is_refused_or_does_not_matter(tmp_path: Path) -> None:
    change_every_byte(tmp_path, [0x01])


@pytest.mark.slow
def test_every_change_of_a_byte_of_weights_is_refused_or_does_not_matter(tmp_path: Path) -> None:
    change_every_byte(tmp_path, range(1, 256))


STATES = {
    "i": [-1, -(2**63), 0, 10**6, 2**63 - 1, -(2**32), 1, 2, 2**31, 2**62],
    "f": [np.nan, np.inf, -1.0, 1e308, -np.inf, -1e308, 0.0, 1e-320],
    "b": [True, False],
}


def assert_no_state_does_harm(runs: dict[str, Victim], kind: str, most: int) -> None:
    """One that is whole, and written by somebody who wants a training not to end, or to end badly."""
    good = arrays_in(runs[kind].good[f"{RUN}/state.npz"] or b"")
    failures = []
    for name, array in good.items():
        for number in STATES[array.dtype.kind][:most]:
            with np.errstate(over="ignore"):
                state = {**good, name: np.full_like(array, number)}
            content = zipped([(f"{key}.npy", saved(one)) for key, one in state.items()])
            try:
                ask_a_run(runs, Case(kind, "state.npz", content, False, ["resume", RUN, "--epochs", "4", "-q"]))
            except AssertionError as error:
                failures.append(f"{name}={number}: {error!s:.300}")
    assert not failures, "\n".join(failures)


def test_a_state_of_numbers_that_make_no_sense_ends_or_is_refused(runs: dict[str, Victim]) -> None:
    assert_no_state_does_harm(runs, "numbers", 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_states_of_many_numbers_that_make_no_sense_end_or_are_refused(runs: dict[str, Victim], kind: str) -> None:
    assert_no_state_does_harm(runs, kind, 10)


# A stage: commands in other processes than this one, with a limit, or with Python's own audit

FOLLOWED = (
    "open", "exec", "compile", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.startfile", "os.listdir",
    "os.scandir", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate",
    "os.utime", "subprocess.Popen", "socket.", "pickle.", "ctypes.dlopen", "shutil.", "urllib.", "code.", "pdb.",
    "webbrowser.",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """A command in a folder."""

    folder: Path
    words: list[object]


@dataclass
class Seen:
    """What came of it; what it took of a processor and of memory, or else what the audit has heard that it did."""

    code: int
    out: str
    err: str
    seconds: float = 0.0
    memory: int = 0
    events: list[list[str]] = field(default_factory=list)  # each a name, and what it is about


def stage(scenes: list[Scene], audited: bool = False) -> list[Seen]:
    """Let every command have a gigabyte of addresses and a minute, and say what it did."""
    temporary = scenes[0].folder.parent / "tmp"
    temporary.mkdir()
    job = {"path": [path for path in sys.path if path], "play": audit.__name__ if audited else limit.__name__}
    job["scenes"] = [[str(scene.folder), [*map(str, scene.words)]] for scene in scenes]
    done = subprocess.run(
        [sys.executable, "-P", "-c", PLAY],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=60 + 60 * len(scenes),
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "TMPDIR": str(temporary)},
    )
    assert done.returncode == 0, done.stderr
    return [Seen(**seen) for seen in json.loads(done.stdout)]


PLAY = """
import json, sys

job = json.load(sys.stdin)
sys.path[:] = job["path"]
from tests.runs import test_hostile_files

play = getattr(test_hostile_files, job["play"])
json.dump(play(job["scenes"]), sys.stdout)
"""


def limit(scenes: list[tuple[str, list[str]]]) -> list[dict[str, Any]]:
    """Play each scene in a process that is left to it, and has everything loaded but what is loaded when needed."""
    import nnfs_cli.workflows  # noqa: F401 - once for all

    return [_limited(Path(folder), words) for folder, words in scenes]


def _limited(folder: Path, words: list[str]) -> dict[str, Any]:
    """One of them: its exit code is -9 when it does not end."""
    room, said = in_memory("VmRSS"), [folder.parent / f"{folder.name}.{name}" for name in ("out", "err")]
    process = os.fork()
    if not process:
        code: Any = 1
        try:
            os.chdir(folder)
            for number, file in ((0, Path(os.devnull)), *enumerate(said, 1)):
                os.dup2(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), number)
            resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
            sys.argv = ["nnfs", *words]
            main()
        except SystemExit as end:
            code = end.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    until = time.monotonic() + 60
    while not (ended := os.wait4(process, os.WNOHANG))[0]:
        if time.monotonic() > until:
            os.kill(process, signal.SIGKILL)
            until = math.inf
        time.sleep(0.002)
    _, status, used = ended
    out, err = (file.read_text(errors="replace") for file in said)
    seconds, memory = used.ru_utime + used.ru_stime, (used.ru_maxrss << 10) - room
    return {"code": os.waitstatus_to_exitcode(status), "out": out, "err": err, "seconds": seconds, "memory": memory}


def audit(scenes: list[tuple[str, list[str]]]) -> list[dict[str, Any]]:
    """Play all scenes in this process, with a hook that hears of all that Python does; it stays for good."""
    events: list[list[str]] = []
    hearing = False

    def hear(event: str, about: tuple[Any, ...]) -> None:
        nonlocal hearing
        if hearing and event.startswith(FOLLOWED):
            hearing = False  # of what is done here
            events.append([event, _about(event, about)])
            hearing = True

    sys.addaudithook(hear)
    resource.setrlimit(resource.RLIMIT_AS, (2 * SPACE, 2 * SPACE))
    seen = []
    for folder, words in scenes:
        os.chdir(folder)
        events.clear()
        try:
            with ending(60):
                hearing = True
                done = CliRunner().invoke(app, words, prog_name="nnfs")
                hearing = False
            seen.append({"code": done.exit_code, "out": done.stdout, "err": done.stderr, "events": [*events]})
        except AssertionError:
            hearing = False
            seen.append({"code": -9, "out": "", "err": "", "events": [*events]})
    return seen


def _about(event: str, about: tuple[Any, ...]) -> str:
    """What an event is about: where a file really is, however it was named."""
    what = about[0] if about else ""
    if event == "exec":
        return str(getattr(what, "co_filename", what))
    if event == "compile":
        return f"{about[1]}: {str(what)[:200]!r}"
    if isinstance(what, str | bytes | os.PathLike) and event.startswith(("open", "os.", "shutil.")):
        return os.path.realpath(os.fsdecode(what))
    return str(what)


# More than there is room for


def zeros(size: int) -> bytes:
    """So many zeros, deflated: the same block again and again, each as if nothing had been before."""
    block = 1 << 22
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    return packed * (size // block) + packer.flush()


def zip_bomb(names: list[str], start: bytes, says: int) -> bytes:
    """A zip file in which all members are the same four gigabytes of zeros behind a `start`, and say how many."""
    small = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = small.compress(start) + small.flush(zlib.Z_FULL_FLUSH) + zeros(1 << 32)
    directory = b""
    numbers = struct.pack("<HHHIII", 8, 0, 33, 0, len(packed), says)
    for name in names:
        directory += b"PK\x01\x02" + struct.pack("<HHH", 20, 20, 0) + numbers
        directory += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0) + name.encode()
    body = b"PK\x03\x04" + struct.pack("<HH", 20, 0) + numbers + struct.pack("<HH", len(names[0]), 0)
    body += names[0].encode() + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(names), len(names), len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end


def bombs(good: Arrays) -> Iterator[tuple[str, bytes]]:
    """Files of arrays, each by what it does: four gigabytes are announced, or packed into some megabytes."""
    names, first = [f"{name}.npy" for name in good], next(iter(good))
    large = member(header(good[first], shape=((1 << 32) // good[first].itemsize,)), b"\0" * 64)
    yield "shape", zipped([(f"{name}.npy", large if name == first else saved(array)) for name, array in good.items()])
    content = bytearray(zipped([(f"{name}.npy", saved(array)) for name, array in good.items()]))
    place = content.index(b"PK\x01\x02")
    content[place + 20 : place + 28] = struct.pack("<II", 0xFFFF_FFF0, 0xFFFF_FFF0)
    yield "size", bytes(content)
    yield "deflated", zip_bomb(names, large, (1 << 32) - 1)
    yield "lying", zip_bomb(names, saved(good[first])[:-4], len(saved(good[first])))


ARRAYS = {
    "weights/best.npz": PREDICT,
    "weights/last.npz": ["evaluate", RUN, "--weights", "last"],
    "background.npz": [*PREDICT, "--explain"],
    **{key: ["resume", RUN, "--epochs", "4"] for key in ("state.npz", "probes.npz", "snapshots.npz")},
}
RECORDED = {
    "data.json": PREDICT,
    "status.json": PREDICT,
    "spec.yaml": PREDICT,
    "decision.json": ["evaluate", RUN],
    "calibration.json": [*PREDICT, "--interval", "0.5"],
    "metrics.json": ["verify", RUN],
    "environment.json": ["resume", RUN, "--epochs", "4"],
}


OTHERS = ("lists", "zeros", "digits")


def assert_refused(seen: Seen, why: str, codes: tuple[int, ...] = (2,), seconds: float = 3.0, room: int = ROOM) -> None:
    assert seen.code in codes, (why, seen)
    assert seen.out == "", why
    assert seen.err.strip(), why
    assert "Traceback" not in seen.err, (why, seen)
    assert not ESCAPES.search(seen.err), (why, seen)
    assert len(seen.err) < 5_000, why
    assert seen.seconds < seconds, (why, seen)
    assert seen.memory < room, (why, seen)


@pytest.mark.parametrize("one_in", ONE_IN)
def test_a_bomb_among_the_arrays_of_a_run_is_refused(runs: dict[str, Victim], tmp_path: Path, one_in: int) -> None:
    """Arrays of four gigabytes: that are announced, that are packed into a few megabytes, that are not there."""
    victim, scenes, n = runs["classes"], {}, itertools.count()
    for name, words in ARRAYS.items():
        good = arrays_in(victim.good[f"{RUN}/{name}"] or b"")
        for what, content in [*bombs(good), ("sparse", b"")]:
            if next(n) % one_in:
                continue
            folder = tmp_path / "stage" / f"{what}-{Path(name).stem}"
            folder.mkdir(parents=True)
            lay(folder, victim.good)
            (folder / RUN / name).write_bytes(content)
            if what == "sparse":
                os.truncate(folder / RUN / name, 1 << 32)
            scenes[f"{what} {name}"] = Scene(folder, words)
    for what, seen in zip(scenes, stage([*scenes.values()]), strict=True):
        assert_refused(seen, what)
        assert Path(what.split()[1]).name in seen.err


@pytest.mark.parametrize("bomb", ["four gigabytes", *(pytest.param(b, marks=pytest.mark.slow) for b in OTHERS)])
def test_a_record_of_a_run_that_would_take_gigabytes_is_refused(
    runs: dict[str, Victim], tmp_path: Path, bomb: str
) -> None:
    """What data.json remembers may be large; all others are small."""
    victim, scenes = runs["classes"], {}
    log = {"epochs.csv": ["verify", RUN]} if bomb == "four gigabytes" else {}  # else its whole lines are none
    for name, words in {**RECORDED, **log}.items():
        folder = tmp_path / "stage" / name
        folder.mkdir(parents=True)
        lay(folder, victim.good)
        path = folder / RUN / name
        match bomb:
            case "four gigabytes":
                os.truncate(path, 1 << 32)
            case "zeros":
                os.truncate(path, 250_000_000)
            case "lists":
                path.write_bytes(b'{"format":2,"state":"finished","a":[' + b"[]," * 4_000_000 + b"[]]}")
            case _:
                path.write_bytes(b'{"format":' + b"9" * 60_000_000 + b"}")
        if name == "environment.json":
            status = folder / RUN / "status.json"
            status.write_text(json.dumps({**json.loads(status.read_text()), "resumed": []}))  # which is asked first
        scenes[name] = Scene(folder, words)
    failures = []
    for name, seen in zip(scenes, stage([*scenes.values()]), strict=True):
        try:
            large = name == "data.json"
            assert_refused(seen, name, (2, 4) if large else (2,), room=SPACE if large else ROOM)
            assert name in seen.err or large
        except AssertionError as error:
            failures.append(f"{name}: {error}")
    assert not failures, "\n".join(failures)


def test_a_bomb_that_is_called_data_is_refused(runs: dict[str, Victim], tmp_path: Path) -> None:
    """`dataset: npz`, and the input of predict. What it holds may be what it says, and too much for the machine."""
    X, y = np.zeros((8, 2), np.float32), np.arange(8) % 2
    config = "dataset: {npz: d.npz}\nlayers: [linear: 2, softmax]\nloss: cross_entropy\nepochs: 1\nsplit: 0\n"
    file = io.BytesIO()
    np.savez(file, X=X, y=y)
    trained_on = {"c.yaml": config.encode(), "d.npz": file.getvalue()}
    names = member("{'descr': '<U1000000', 'fortran_order': False, 'shape': (2000,), }", b"")
    large = member(header(X, shape=(1 << 29, 2)), b"")
    files = {
        "shape": zipped([("X.npy", large), ("y.npy", saved(y))]),
        "deflated": zip_bomb(["X.npy", "y.npy"], large, (1 << 32) - 1),
        "names": zipped([("X.npy", saved(X)), ("y.npy", saved(y)), ("feature_names.npy", names)]),
        "sparse": b"",
    }
    victim = runs["classes"]
    lay(victim.folder, {**trained_on})
    assert victim.inside("train", "c.yaml", "-q", cwd=victim.folder).returncode == 0
    good, scenes = tree(victim.folder), {}
    for what, content in files.items():
        for words in (["check", "c.yaml"], ["train", "c.yaml"], ["evaluate", RUN, "--input", "d.npz"]):
            folder = tmp_path / "stage" / f"{what}-{words[0]}"
            folder.mkdir(parents=True)
            lay(folder, good)
            (folder / "d.npz").write_bytes(content)
            if what == "sparse":
                os.truncate(folder / "d.npz", 1 << 32)
            scenes[f"{what} {words[0]}"] = Scene(folder, words)
    for what, seen in zip(scenes, stage([*scenes.values()]), strict=True):
        assert_refused(seen, what, (2, 4), 10.0)


# What is run, and what is looked at

TOUCH = "open('{0}', 'w').close()"  # what was not to be run leaves a file


class Payload:
    """What runs something where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (TOUCH.format(self.mark),)


def pickled(mark: Path) -> bytes:
    """An array of objects that, when they are unpickled, run something."""
    file = io.BytesIO()
    np.save(file, np.array([Payload(mark)], object), allow_pickle=True)
    return file.getvalue()


def with_code(mark: Path) -> bytes:
    """A script of Python that leaves its mark."""
    return f"{TOUCH.format(mark)}\n".encode()


def of_python(mark: Path) -> bytes:
    """A Parquet file with a column whose type is to be unpickled."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = {"a": ["1", "2"], "b": ["1", "2"], "kind": ["red"] * 2, "town": ["Ulm"] * 2, "day": ["2024-01-01"] * 2}
    about = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(Payload(mark)),
    }
    table = pa.table(rows)
    schema = pa.schema(
        [pa.field(name, pa.string(), metadata=about) for name in rows], {b"pandas": pickle.dumps(Payload(mark))}
    )
    out = io.BytesIO()
    parquet.write_table(table.cast(schema), out)
    return out.getvalue()


class Theatre:
    """A folder with a good run for every scene, and things outside of it that are nobody's business."""

    def __init__(self, victim: Victim, folder: Path) -> None:
        self.victim, self.folder = victim, folder
        self.outside = folder / "outside"
        self.outside.mkdir(parents=True)
        lay(self.outside, victim.good)
        (self.outside / "secret.txt").write_text("a,b\nTopSecret,1\n")
        self.mark = self.outside / "executed"
        self.scenes: list[Scene] = []
        self.refused: set[int] = set()  # scenes that may not go well

    def scene(self, words: list[object], *changes: Callable[[Path], object], refused: bool = False) -> None:
        """Add one, in which something has been changed: its run, or its folder."""
        folder = self.folder / "stage" / f"{len(self.scenes)}"
        folder.mkdir(parents=True)
        lay(folder, self.victim.good)
        for change in changes:
            change(folder)
        if refused:
            self.refused.add(len(self.scenes))
        self.scenes.append(Scene(folder, words))


def instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Put something else where a file or a folder is."""

    def change(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.parent.mkdir(exist_ok=True)
        make(path)

    return change


def text(name: str, content: str | bytes) -> Callable[[Path], None]:
    """Put a text there."""
    return instead(name, lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode()))


def rewritten(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change what a JSON file holds."""

    def rewrite(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        change(content)
        (folder / name).write_text(json.dumps(content))

    return rewrite


USED: dict[str, list[object]] = {  # what lies in a run, and a command that cannot do without
    "spec.yaml": PREDICT, "data.json": PREDICT, "status.json": PREDICT, "decision.json": PREDICT, "weights": PREDICT,
    "weights/best.npz": PREDICT, "weights/last.npz": ["evaluate", RUN, "--weights", "last"], "lock": ["evaluate", RUN],
    "evaluation": ["evaluate", RUN], "evaluation/validation": ["evaluate", RUN],
    "evaluation/validation/confusion.csv": ["evaluate", RUN], "epochs.csv": ["verify", RUN, "-q"],
    **dict.fromkeys(("metrics.json", "state.npz", "probes.npz", "snapshots.npz"), RESUME),
     "calibration.json": [*PREDICT, "--interval", "0.5"], "background.npz": [*PREDICT, "--explain"],
}  # fmt: skip
UNUSED = ["config.yaml", "code", "environment.json", "verdict.json"]
TAGS = [
    "!!python/object/apply:os.system ['touch {0}']", "!!python/object/new:os.system ['touch {0}']",
    "!!python/name:os.system", "!!python/module:os", "!!python/object/apply:subprocess.Popen [['touch', '{0}']]",
    "!!python/tuple [1]", "!!set {{a}}",
    "!!python/object/new:type {{args: [z, !!python/tuple [], {{extend: !!python/name:exec }}], listitems: \"{1}\"}}",
]  # fmt: skip
FORMULAS = [
    "=cmd|'/c calc'!A1",
    '=HYPERLINK("http://x")',
    "@SUM(1)",
    "+1+1",
    "\t=1",
    "{{7*7}}",
    "$(touch executed)",
    "`id`",
]
ELSEWHERE = ["../../../outside/secret.txt", "/etc/passwd", "weights/../../../../outside/secret.txt"]


def add_other_kinds_of_files(theatre: Theatre) -> None:
    """Links, devices, pipes and folders where a file or a folder of a run is."""
    for name in [*USED, *UNUSED]:
        inner = f"{RUN}/{name}"
        kinds: list[Callable[[Path], object]] = [
            lambda path, to=theatre.outside / inner: path.symlink_to(to),
            os.mkfifo,
        ]
        kinds += (
            [lambda path: path.symlink_to("/dev/zero")] if name in ("data.json", "weights/best.npz", "lock") else []
        )
        kinds += [Path.mkdir] if "." in name else []
        for make in kinds:
            theatre.scene(USED.get(name, PREDICT), instead(inner, make), refused=name in USED)


def add_code_in_arrays(theatre: Theatre) -> None:
    """Pickled objects, headers that call something, and members that are to be unpacked elsewhere."""
    mark = theatre.mark
    weights = arrays_in(theatre.victim.good[f"{RUN}/weights/best.npz"] or b"")
    first, *others = weights
    array, calling = weights[first], f"exec({TOUCH.format(mark)!r})"
    rest = [(f"{name}.npy", saved(weights[name])) for name in others]
    config = text("d.yaml", "dataset: {npz: d.npz}\nlayers: [linear: 2, softmax]\nloss: cross_entropy\nepochs: 1\n")
    for hostile in (
        pickled(mark),
        member(header(array, descr=calling), array.tobytes()),
        member(header(array, shape=calling), array.tobytes()),
        member(calling, b""),
        member(header(array, descr="'|O'"), pickle.dumps(Payload(mark))),
    ):
        content = zipped([(f"{first}.npy", hostile), *rest])
        theatre.scene(PREDICT, text(f"{RUN}/weights/best.npz", content), refused=True)
        theatre.scene(RESUME, text(f"{RUN}/state.npz", content), refused=True)
        data = text("d.npz", zipped([("X.npy", hostile), ("y.npy", saved(np.arange(4)))]))
        theatre.scene(["train", "d.yaml"], data, config, refused=True)
        theatre.scene(["predict", "--run", RUN, "--input", "d.npz"], data, refused=True)
    for extra in ("../executed", f"{mark}", "sitecustomize.py", "../../../outside/executed", "code/x.py", "numpy.py"):
        content = zipped([(f"{first}.npy", saved(array)), *rest, (extra, with_code(mark))])
        theatre.scene(PREDICT, text(f"{RUN}/weights/best.npz", content), refused=True)
    theatre.scene(PREDICT, text(f"{RUN}/weights/best.npz", pickled(mark)), refused=True)
    theatre.scene(RESUME, text(f"{RUN}/state.npz", pickle.dumps(Payload(mark))), refused=True)
    theatre.scene(["predict", "--run", RUN, "--input", "rows.parquet"], text("rows.parquet", of_python(mark)))


def add_code_in_texts(theatre: Theatre) -> None:
    """Tags of YAML, the user's own components that a run names, modules with the names of others, formulas."""
    mark = theatre.mark
    for tag in TAGS:
        line = tag.format(mark, TOUCH.format(mark))
        theatre.scene(PREDICT, text(f"{RUN}/spec.yaml", CLASSES.replace("epochs: 2", f"epochs: {line}")), refused=True)
        theatre.scene(["train", "c.yaml"], text("c.yaml", f"{CLASSES}name: {line}\n"), refused=True)
    evil = {"evil.py": "0" * 64, "../../evil.py": "0" * 64, str(mark): "0" * 64}
    names = ("sitecustomize", "usercustomize", "numpy", "yaml", "json", "conftest", "nnfs_cli", "evil")
    scripts = [f"{place}{name}.py" for place in ("", f"{RUN}/", f"{RUN}/code/", f"{RUN}/weights/") for name in names]
    for words in (PREDICT, ["evaluate", RUN], RESUME, ["verify", RUN, "-q"]):
        theatre.scene(words, rewritten(f"{RUN}/data.json", lambda data: data.update(code=evil)), refused=True)
        theatre.scene(words, *(text(name, with_code(mark)) for name in scripts))
    for cell in FORMULAS:
        rows = table().replace(b"red", f'"{cell.replace(chr(34), chr(34) * 2)}"'.encode())
        theatre.scene([*PREDICT, "--keep-all"], text("t.csv", rows))
    theatre.scene(["train", "c.yaml"], text("t.csv", rows))
    theatre.scene(["init", "t.csv", "--target", "y"], text("t.csv", rows))


def add_names_of_other_files(theatre: Theatre) -> None:
    """Paths that lead out of a run, wherever it says what something is called."""
    theatre.scene(PREDICT, rewritten(f"{RUN}/data.json", lambda data: data.update(name="../../../outside/secret.txt")))
    for name in (*ELSEWHERE, str(theatre.outside / "secret.txt")):
        seal = {"sha256": {name: "0" * 64}}
        theatre.scene(RESUME, rewritten(f"{RUN}/status.json", lambda status, seal=seal: status.update(seal)))
        theatre.scene([*PREDICT, "--weights", name], refused=True)
        theatre.scene([*PREDICT, "--weights", f"../{name}"], refused=True)
        theatre.scene(RESUME, text(f"{RUN}/spec.yaml", f"{CLASSES}name: {name}\n"), refused=True)


@pytest.mark.parametrize("one_in", ONE_IN)
def test_nothing_in_a_hostile_file_is_run_and_nothing_elsewhere_is_looked_at(
    runs: dict[str, Victim], tmp_path: Path, one_in: int
) -> None:
    """By what Python itself says: no code but that of the program and its libraries, no file but those in the folder.

    Each command is in a folder of its own, with the run, and the input that is given.
    """
    theatre = Theatre(runs["classes"], tmp_path)
    for add in (add_other_kinds_of_files, add_code_in_arrays, add_code_in_texts, add_names_of_other_files):
        add(theatre)
    assert len(theatre.scenes) > 120
    before = tree(theatre.outside)
    failures = []
    some = theatre.scenes[::one_in]
    for i, scene, seen in zip(itertools.count(0, one_in), some, stage(some, audited=True), strict=False):
        try:
            assert_harmless(scene, seen, theatre, i in theatre.refused)
        except AssertionError as error:
            good = theatre.victim.good
            changed_here = [name for name, content in tree(scene.folder).items() if good.get(name, 0) != content]
            failures.append(f"{i}: {scene.words} {changed_here}: {error!s:.500}")
    assert tree(theatre.outside) == before
    assert not failures, "\n".join([*failures[:30], f"{len(failures)} scenes"])


OURS = [
    Path(sys.prefix),
    Path(sys.base_prefix),
    ROOT / "nnfs_cli",
    *map(Path, ("/proc", "/sys", "/usr/lib", "/usr/share/zoneinfo")),
]
LIBRARIES = [str(path.resolve()) for path in OURS] + [str(Path(os.__file__).parent.resolve())]


def assert_harmless(scene: Scene, seen: Seen, theatre: Theatre, refused: bool) -> None:
    """Nothing was run, or looked at, that is not the program's own or lies in the scene's folder."""
    assert seen.code in ((2,) if refused else (0, 2)), seen
    assert "TopSecret" not in seen.out + seen.err
    assert not ESCAPES.search(seen.err)
    assert seen.events
    here = str(scene.folder.resolve())
    for event, about in seen.events:
        if event == "subprocess.Popen":
            assert about in ("git", "uname")
        elif event == "ctypes.dlopen":
            assert about.startswith((*LIBRARIES, "lib")) or about == "None", about
        elif event == "exec":
            assert about.startswith(("<", *LIBRARIES)), about
        elif event == "compile":
            assert str(theatre.mark) not in about or about.startswith("<unknown>"), about  # NumPy reads it as a literal
        elif event in WITHIN:
            known = (f"{here}/", str(scene.folder.parent.resolve() / "tmp"), *LIBRARIES)
            assert about.startswith(known) or about in (here, *DEVICES) or about.isdecimal(), (event, about)
            assert not (about.startswith(here) and about.endswith((".py", ".pyc"))), (event, about)
        else:
            raise AssertionError((event, about))
    assert not theatre.mark.exists()
    assert not (scene.folder / "executed").exists()


DEVICES = {"/dev/null", "/dev/urandom"}
WITHIN = {f"os.{name}" for name in ("listdir", "scandir", "remove", "rename", "mkdir", "rmdir", "chmod", "truncate")}
WITHIN |= {"open", "shutil.rmtree"}


def test_what_lies_among_the_weights_is_looked_at_before_a_run_is_trained(
    runs: dict[str, Victim], tmp_path: Path
) -> None:
    """A file of weights that no training has left, whose digest would be kept at the end."""
    path, scenes = f"{RUN}/weights/epoch-1.npz", {}
    kinds: dict[str, Callable[[Path], object]] = {
        "link": lambda path: path.symlink_to("/dev/zero"),
        "pipe": os.mkfifo,
        "folder": Path.mkdir,
        "giant": lambda path: (path.touch(), os.truncate(path, 1 << 33)),
    }
    for kind, make in kinds.items():
        folder = tmp_path / "stage" / kind
        folder.mkdir(parents=True)
        lay(folder, runs["classes"].good)
        instead(path, make)(folder)
        scenes[kind] = Scene(folder, RESUME)
    before = {kind: tree(scene.folder) for kind, scene in scenes.items()}
    for (kind, scene), seen in zip(scenes.items(), stage([*scenes.values()]), strict=True):
        assert_refused(seen, kind)
        assert tree(scene.folder) == before[kind], kind


def test_modules_in_the_current_folder_are_not_those_that_are_loaded(runs: dict[str, Victim]) -> None:
    """A stranger's folder, in which somebody asks a run: the command as it is installed."""
    victim = runs["classes"]
    lay(victim.folder, victim.good)
    for name in ("sitecustomize", "usercustomize", "numpy", "yaml", "json", "typing", "nnfs_cli", "pyarrow", "rich"):
        (victim.folder / f"{name}.py").write_bytes(with_code(victim.folder / "executed"))
    command = [Path(sys.executable).parent / "nnfs", *PREDICT]
    done = subprocess.run(command, cwd=victim.folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert not (victim.folder / "executed").exists()


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
@pytest.mark.parametrize("command", ["train", "resume", "verify"])
def test_a_repository_in_the_current_folder_runs_nothing(runs: dict[str, Victim], command: str) -> None:
    """git runs what a repository's own configuration says, when it looks for changed files."""
    victim = runs["classes"]
    lay(victim.folder, victim.good)

    def git(*words: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@x"]
        subprocess.run(["git", *who, *words], cwd=victim.folder, check=True, capture_output=True)

    git("init")
    git("add", "t.csv", "c.yaml")
    git("commit", "-m", "x")
    git("config", "core.fsmonitor", "touch executed; false")
    git("config", "filter.x.clean", "touch executed; cat")
    (victim.folder / ".gitattributes").write_text("* filter=x\n")
    os.utime(victim.folder / "t.csv")
    words = {"train": ["c.yaml", "-q"], "resume": [RUN, "--epochs", "4", "-q"], "verify": [RUN, "-q"]}
    done = victim.inside(command, *words[command], cwd=victim.folder)
    assert done.returncode == 0, done.stderr
    assert not (victim.folder / "executed").exists()


# What a terminal would obey

SIGNS = ["\x1b[31m", "\x1b]0;x\x07", "\r", "\x9b2J", "\u202e", "\x08\x08", "[red]x[/red]", "\x7f", "\u2028", "{0}%s"]


@pytest.fixture
def signs(tmp_path: Path) -> Path:
    """A folder with a table in which every name, word and label holds what a terminal would obey."""
    rng = np.random.default_rng(0)
    names = [f"n{SIGNS[0]}", f"m{SIGNS[1]}[red]", f"k{SIGNS[2]}{SIGNS[3]}", f"d{SIGNS[4]}", f"y{''.join(SIGNS)}"]
    rows: list[list[object]] = [names]
    for i in range(40):
        word, label = f"w{SIGNS[i % 10]}", f"l{SIGNS[(i % 4) * 2]}{SIGNS[(i % 4) * 2 + 1]}"
        rows.append([rng.normal(), rng.normal() if i % 9 else "", word, f"2024-01-{1 + i % 28:02}", label])
    with (tmp_path / "t.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    spec = {
        "dataset": {"csv": {"path": "t.csv", "target": names[-1]}},
        "split": {"validation": 0.2, "test": 0.2, "stratify": True},
        "preprocessing": {
            "numbers": ["impute", "standardize"],
            "categories": "one_hot",
            "dates": "calendar",
        },
        "layers": [{"linear": 4}, "softmax"],
        "loss": "cross_entropy",
        "class_weights": {f"l{SIGNS[i]}{SIGNS[i + 1]}": 1.0 + i for i in (0, 2, 4, 6)},
        "metrics": ["accuracy", "f1", "recall"],
        "epochs": 2,
    }
    (tmp_path / "c.yaml").write_text(dump(spec), encoding="utf-8")
    return tmp_path


def assert_plain(done: subprocess.CompletedProcess[str], codes: tuple[int, ...] = (0,)) -> None:
    assert done.returncode in codes, done.stderr
    assert not ESCAPES.search(done.stderr), repr(done.stderr)
    assert not ESCAPES.search(done.stdout), repr(done.stdout)


def test_what_a_table_holds_is_shown_and_not_obeyed(signs: Path, inside: Nnfs) -> None:
    target = f"y{''.join(SIGNS)}"
    assert_plain(inside("init", "t.csv", "--target", target, "--output", "i.yaml", cwd=signs))
    assert_plain(inside("check", "i.yaml", cwd=signs))
    assert_plain(inside("check", "c.yaml", cwd=signs))
    assert_plain(inside("check", "c.yaml", "--json", cwd=signs))
    assert_plain(inside("train", "c.yaml", cwd=signs))
    assert_plain(inside("evaluate", RUN, cwd=signs))
    assert_plain(inside("evaluate", RUN, "--json", cwd=signs))
    assert_plain(inside("evaluate", RUN, "--input", "t.csv", cwd=signs))
    assert_plain(inside("resume", RUN, "--epochs", "3", "--json", cwd=signs))
    assert_plain(inside("verify", RUN, cwd=signs))
    done = inside("predict", "--run", RUN, "--input", "t.csv", "--drift", cwd=signs)
    assert not ESCAPES.search(done.stderr), repr(done.stderr)
    assert "[red]" in inside("evaluate", RUN, cwd=signs).stdout


@pytest.mark.parametrize("one_in", ONE_IN)
def test_a_wrong_cell_and_a_missing_column_are_shown_and_not_obeyed(signs: Path, inside: Nnfs, one_in: int) -> None:
    assert inside("train", "c.yaml", "-q", cwd=signs).returncode == 0
    with (signs / "t.csv").open(encoding="utf-8", newline="") as file:
        good = list(csv.reader(file))
    wrong = f"{''.join(SIGNS)}!"
    for i in (0, 2, 4):
        other_cell = [[*row[:i], wrong, *row[i + 1 :]] if j == 3 else row for j, row in enumerate(good)]
        other_name = [[*row[:i], wrong, *row[i + 1 :]] if j == 0 else row for j, row in enumerate(good)]
        more = [[*row, wrong] if j in (0, 3) else row for j, row in enumerate(good)]
        kinds = (other_cell, other_name, more)
        for rows in kinds if one_in == 1 else [kinds[i // 2]]:
            with (signs / "t.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
            for words in (["train", "c.yaml"], ["check", "c.yaml"], ["evaluate", RUN, "--input", "t.csv"]):
                assert_plain(inside(*words, cwd=signs), (0, 2, 3))
            assert_plain(inside("init", "t.csv", "--target", wrong, "--force", cwd=signs), (0, 2))
            for options in (["--on-error", "null", "--drift"], ["--keep", f"{wrong},x"], []):
                done = inside("predict", "--run", RUN, "--input", "t.csv", *options, cwd=signs)
                assert done.returncode in (0, 2)
                assert not ESCAPES.search(done.stderr), repr(done.stderr)


@pytest.mark.parametrize("one_in", ONE_IN)
def test_what_a_config_holds_is_shown_and_not_obeyed(signs: Path, inside: Nnfs, one_in: int) -> None:
    """In each of its places, and in names of files on the command line."""
    good, sign = read((signs / "c.yaml").read_bytes())[0], "".join(SIGNS)
    changes: list[Callable[[Any], Any]] = [lambda _: sign, lambda value: {sign: value}]
    for i, way in enumerate(ways(good)):
        for change in changes if one_in == 1 else [changes[i % 2]]:
            (signs / "c.yaml").write_text(dump(changed(good, way, change)), encoding="utf-8")
            assert_plain(inside("check", "c.yaml", cwd=signs), (0, 2, 3))
    assert_plain(inside("check", "c.yaml", "--set", f"{sign}={sign}", cwd=signs), (2,))
    for sign in SIGNS:
        (signs / "c.yaml").write_text(f"dataset: iris\n{sign}: {sign}\n\t{sign}", encoding="utf-8")
        assert_plain(inside("check", "c.yaml", cwd=signs), (2,))
        assert_plain(inside("check", f"{sign}.yaml", cwd=signs), (2,))
        assert_plain(inside("evaluate", f"runs/{sign}", cwd=signs), (2,))


@pytest.mark.parametrize("one_in", ONE_IN)
def test_what_a_run_holds_is_shown_and_not_obeyed(runs: dict[str, Victim], one_in: int) -> None:
    """In every text of its records, one after the other."""
    victim, sign, failures = runs["classes"], "".join(SIGNS), []
    for name, words in RECORDED.items():
        if not name.endswith(".json"):
            continue
        good = json.loads(victim.good[f"{RUN}/{name}"] or b"")
        alike = {tuple("" if isinstance(key, int) else key for key in way): way for way in ways(good)}
        for way in [*alike.values()][::one_in]:
            content = json.dumps(changed(good, way, lambda _: f"x{sign}"), ensure_ascii=False).encode()
            try:
                ask_a_run(runs, Case("classes", name, content, False, words))
            except AssertionError as error:
                failures.append(f"{name} {way}: {error!s:.300}")
    assert not failures, "\n".join([*failures[:10], f"{len(failures)} cases"])
