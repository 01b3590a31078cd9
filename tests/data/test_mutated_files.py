"""Damaged files: a right answer or one clear message, and never silently shifted rows.

What is right is said by Python's own `csv` module in its strict mode, and by a grammar of cells that stands here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.data.csv import blocks as csv_blocks
from nnfs_cli.data.csv.writer import CsvWriter
from nnfs_cli.data.file_source import source_for
from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, UserError
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.prediction.batch_predict import BatchPredictor, OnError
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import EXAMPLES, Nnfs

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

NAMES = ["n", "full", "kind", "town", "note", "day", "y"]
LARGEST = {"n": 3e39, "full": 1e41}  # that come out of standardize within the range of float32; few are near
KINDS = ("plain", "fine", "rough")  # any other word is an error
PREPROCESSING = {
    "columns": {
        "n": ["impute", "standardize"],
        "full": "standardize",
        "kind": "one_hot",
        "town": {"one_hot": {"unseen": "other"}},
        "note": {"hashing": 16},
        "day": "calendar",
    }
}


# What is right


@dataclass(frozen=True)
class Writing:
    """The notation of a file."""

    delimiter: str = ","
    decimal: str = "."
    line_end: str = "\n"
    mark: bytes = b""

    @property
    def settings(self) -> dict[str, str]:
        return {"delimiter": self.delimiter, "decimal": self.decimal}


WRITINGS = {
    "plain": Writing(),
    "windows": Writing(line_end="\r\n", mark=b"\xef\xbb\xbf"),
    "german": Writing(";", ",", mark=b"\xef\xbb\xbf"),
    "tabs, old line ends": Writing("\t", line_end="\r"),
}


@dataclass
class Right:
    """The content of a file. With a `problem` it is not a table; `faults` are the lines and columns of faulty rows."""

    problem: str = ""
    names: list[str] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)  # that rows begin on
    ragged: set[int] = field(default_factory=set)
    unnamed: set[str] = field(default_factory=set)  # names by place, of columns that may be left out or be refused

    def column(self, name: str, rows: list[int]) -> list[str | None]:
        """The cells of some rows; None for a gap."""
        j = self.names.index(name)
        return [self.cells[i][j] or None for i in rows]

    @property
    def rows(self) -> list[int]:
        return [i for i in range(len(self.cells)) if i not in self.ragged]

    def faults(self, decimal: str) -> dict[int, set[str]]:
        """The columns that make rows unusable; none for a row with a wrong number of cells."""
        found: dict[int, set[str]] = {i: set() for i in self.ragged}
        for name, check in CHECKS.items():
            for i, cell in zip(self.rows, self.column(name, self.rows), strict=True):
                value = check(cell, decimal)
                if value is NotImplemented or (name in LARGEST and abs(value or 0) > LARGEST[name]):
                    found.setdefault(i, set()).add(name)
        return found


def number(cell: str | None, decimal: str) -> Any:
    if cell is None:
        return None
    if cell in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return float(cell.lower() == "true")
    text = cell.strip(" \t")
    if decimal != ".":
        text = "?" if "." in text else text.replace(decimal, ".")
    value = float(text) if re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", text) else np.inf
    return value if np.isfinite(value) else NotImplemented


def number_without_gaps(cell: str | None, decimal: str) -> Any:
    return NotImplemented if cell is None else number(cell, decimal)


def day(cell: str | None, decimal: str) -> Any:
    """The instant, in UTC."""
    if cell is None:
        return None
    time = r"[ T](\d\d)(?::(\d\d)(?::(\d\d)(\.\d{1,6})?)?)?(?:Z|([-+]\d\d)(?::?(\d\d))?)?"
    found = re.fullmatch(rf"(\d{{4}}-\d\d-\d\d)(?:{time})?", cell.strip(), re.ASCII)
    if found is None:
        return NotImplemented
    date, hour, minute, second, rest, ahead, ahead_minutes = found.groups(default="0")
    offset = timedelta(hours=int(ahead), minutes=int(ahead[0].replace("0", "+") + ahead_minutes))
    try:
        whole = datetime.fromisoformat(date).replace(hour=int(hour), minute=int(minute), second=int(second))
        return whole + timedelta(seconds=float(rest)) - offset
    except ValueError:
        return NotImplemented


def kind(cell: str | None, decimal: str) -> Any:
    return cell if cell in KINDS else NotImplemented


CHECKS: dict[str, Callable[[str | None, str], Any]] = {
    "n": number,
    "full": number_without_gaps,
    "kind": kind,
    "day": day,
}


def right(content: bytes, writing: Writing, needed: list[str]) -> Right:
    """The right reading of a file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Right("not UTF-8")
    if "\0" in text:
        return Right("a zero byte")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=writing.delimiter, strict=True)
    csv.field_size_limit(1 << 30)
    records, lines, line = [], [], 1
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        return Right(f"quotes: {error}")
    if len(records) < 2:
        return Right("no rows")
    unnamed = {f"Unnamed: {j}" for j, name in enumerate(records[0]) if not name.strip()}
    header = [name if name.strip() else f"Unnamed: {j}" for j, name in enumerate(records[0])]
    if len(set(header)) < len(header):
        return Right("names")
    if missing := set(needed) - set(header):
        return Right(f"lacks {missing}")
    ragged = {i for i, record in enumerate(records[1:]) if len(record) != len(header)}
    return Right("", header, records[1:], lines[1:], ragged, unnamed)


def as_table(found: Right, rows: list[int], decimal: str) -> Table:
    """The rows that the net should get, read without the reader under test."""
    columns: dict[str, Any] = {}
    for name in NAMES[:-1]:
        cells = found.column(name, rows)
        if name in LARGEST:
            columns[name] = np.array([np.nan if cell is None else number(cell, decimal) for cell in cells])
        elif name == "day":
            columns[name] = np.array([day(cell, decimal) for cell in cells], "datetime64[us]")
        else:
            columns[name] = Texts.of(cells)
    return Table("right", columns)


# What is damaged


def good_rows(decimal: str) -> list[list[str]]:
    """A table with columns of all kinds; its second row has a gap in every column that accepts one."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(24):
        row = [
            f"{rng.normal() * 10:.2f}",
            str(int(rng.integers(1000))),
            KINDS[i % 3],
            str(rng.choice(["Ulm", "Köln", 'the "Ländle"', "a, b; c\td"])),
            ["", "short", "two\nlines", "x" * 40, '"'][i % 5],
            f"2024-{1 + i % 12:02}-{1 + i:02}" + (" 12:30:00" if i % 4 == 0 else ""),
            ["no", "yes", "perhaps"][int(rng.integers(3))],
        ]
        rows.append(row if i != 1 else ["", row[1], row[2], "", "", "", row[6]])
    for row in rows:
        row[0] = row[0].replace(".", decimal)
    return rows


NASTY = [
    "", '""', " ", "1e400", "-1e308", "inf", "-Infinity", "nan", "NA", "0x1F", "1_000", "1 000", "\uff11", " 7 ", "7\t",
    "1.", ".5", "1,5", "1.5", "1.000,5", "--1", "+3", "1e", "true", "FALSE", "tRUE", "fine", "-0", "00012", "9" * 400,
    "2024-02-30", "2024-01-31 25:00", "2024-1-1", "20240131", "2024-01-31T08:15", "0001-01-01", "0." + "3" * 400, "@x",
    "=1+1", "\x1b[31mred", "\x7f", "\u2028", "\x85", "\x0c", "\x1c", "\ufeff", "a\nb", "a\r\nb", '"', '"x', 'x"',
    'x"y"z', '"x"y', ",", ";", ",,", "x" * 70_000, '"' + "long\n" * 3_000 + '"',
]  # fmt: skip
BYTES = [
    b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\xff", b"\xe4", b"\xef\xbb\xbf", b"'",
    b" ", b"\\", b"\x1b[2J", b"\x0b", b"\xc2\x85", b"\xe2\x80\xa8", b"1", b"-", b"\xed\xa0\x80",
]  # fmt: skip
TO_CELLS = ["raw", "cell", "raw", "cell", "swap", "drop", "add", "double", "blank", "order", "name"]
TO_BYTES = ["insert", "insert", "delete", "double", "truncate", "move", "line end"]


def written(rows: list[list[str]], writing: Writing, raw: dict[tuple[int, int], str]) -> bytes:
    """The rows as bytes; `raw` cells are written unchanged, without added quotes."""
    special = re.compile(f'["\r\n{writing.delimiter}]')
    lines = []
    for i, row in enumerate(rows):
        cells = [f'"{cell.replace(chr(34), chr(34) * 2)}"' if special.search(cell) else cell for cell in row]
        lines.append(writing.delimiter.join(raw.get((i, j), cell) for j, cell in enumerate(cells)))
    return writing.mark + writing.line_end.join([*lines, ""]).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Damaged:
    """A file to read, and the size of blocks in bytes."""

    writing: Writing
    content: bytes
    block: int

    def __repr__(self) -> str:
        return f"{self.content[:2000]!r} in blocks of {self.block}"


@st.composite
def damaged(draw: Callable[..., Any], writings: list[str], cells: int, places: int) -> Damaged:
    """Draw a good file with at most this many changed cells, and then at most this many changed bytes."""
    writing = WRITINGS[draw(st.sampled_from(writings))]
    rows = [list(NAMES), *good_rows(writing.decimal)[: draw(st.integers(1, 24))]]
    raw: dict[tuple[int, int], str] = {}
    for _ in range(draw(st.integers(0, cells))):
        (i, j), (k, m) = (draw(st.tuples(st.integers(0, len(rows) - 1), st.integers(0, len(NAMES) - 1))) for _ in "12")
        if j >= len(rows[i]) or m >= min(len(rows[k]), len(rows[0])) or j >= len(rows[0]):
            continue
        match draw(st.sampled_from(TO_CELLS)):
            case "raw":
                raw[i, j] = draw(st.sampled_from(NASTY))
            case "cell":
                rows[i][j] = draw(st.sampled_from(NASTY))
            case "swap":
                rows[i][j], rows[k][m] = rows[k][m], rows[i][j]
            case "drop":
                del rows[i][j]
            case "add":
                rows[i].insert(j, draw(st.sampled_from(["", "1", "x"])))
            case "double":
                rows.insert(k, list(rows[i]))
            case "blank":
                rows.insert(k, [])
            case "order" if all(len(row) == len(NAMES) for row in rows):
                for row in rows:
                    row[j], row[m] = row[m], row[j]
            case _:
                rows[0][j] = draw(st.sampled_from(["", " ", rows[0][m], f"{rows[0][j]} ", "N", "prediction", "=n"]))
    content = written(rows, writing, raw)
    for _ in range(draw(st.integers(0, places))):
        at = draw(st.integers(0, len(content)))
        end = min(at + draw(st.sampled_from([1, 1, 2, 5, 40])), len(content))
        match draw(st.sampled_from(TO_BYTES)):
            case "insert":
                content = content[:at] + draw(st.sampled_from(BYTES)) + content[at:]
            case "delete":
                content = content[:at] + content[end:]
            case "double":
                content = content[:end] + content[at:]
            case "truncate":
                content = content[:at]
            case "move":
                content = content[:at] + content[end:] + content[at:end]
            case _:
                lines = content.split(b"\n", 3)
                content = draw(st.sampled_from([b"\r", b"\r\n", b"\n\n", b"\n \n"])).join(lines)
    return Damaged(writing, content, draw(st.sampled_from([4 << 20, 4 << 20, 40, 150])))


CELLS = damaged(list(WRITINGS), 3, 0)
PLACES = damaged(list(WRITINGS), 0, 3)
BOTH = damaged(list(WRITINGS), 2, 2)
MANY = settings(max_examples=2 * EXAMPLES // 3, suppress_health_check=list(HealthCheck))


# A net that is asked


def config(folder: Path, writing: Writing, **more: Any) -> Path:
    spec = {
        "dataset": {"csv": {"path": "t.csv", "target": "y", **writing.settings}},
        "split": 0,
        "preprocessing": PREPROCESSING,
        "layers": [{"linear": 8}, "tanh", {"linear": 3}, "softmax"],
        "loss": "cross_entropy",
        "epochs": 1,
        **more,
    }
    path = folder / "c.yaml"
    path.write_text(dump(spec), "utf-8")
    return path


class Asked:
    """A net that was trained on good files, and a folder for damaged ones."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.runs: dict[Writing, RunDirectory] = {}
        self.predictors: dict[Writing, Predictor] = {}

    def lay(self, file: Damaged) -> Path:
        path = self.folder / "t.csv"
        path.write_bytes(file.content)
        self.monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", file.block)
        return path

    def predictor(self, writing: Writing) -> Predictor:
        if writing not in self.predictors:
            good = written([NAMES, *good_rows(writing.decimal)], writing, {})
            self.lay(Damaged(writing, good, 1 << 22))
            experiment = workflows.prepare(Config.load(config(self.folder, writing)))
            self.runs[writing] = workflows.begin(experiment, self.folder / "runs")
            workflows.train(experiment, self.runs[writing])
            self.predictors[writing] = workflows.restore(self.runs[writing])
        return self.predictors[writing]

    def answers(self, file: Damaged, on_error: OnError) -> tuple[list[list[str]], BatchPredictor]:
        """The output of the command: the kept columns and the predictions."""
        predictor = self.predictor(file.writing)
        source = source_for(self.lay(file), predictor.config.dataset)
        inputs = self.runs[file.writing].records.data()["inputs"]
        predictions = BatchPredictor(predictor, inputs, source, on_error, NAMES)
        out = io.BytesIO()
        with CsvWriter(out) as writer:
            for answers in predictions:
                writer.write(answers)
        header, *rows = csv.reader(io.StringIO(out.getvalue().decode(), newline=""), strict=True)
        assert header == [*NAMES, "prediction", "probability_no", "probability_perhaps", "probability_yes"]
        return rows, predictions


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """One for all tests, since each way to write a table needs a net of its own."""
    with pytest.MonkeyPatch.context() as patch:
        yield Asked(tmp_path_factory.mktemp("asked"), patch)


def assert_clear(error: Exception, found: Right, decimal: str) -> None:
    """Check that the message is one sentence with the file and, for a faulty row, its line and column."""
    message = str(error)
    assert message.startswith("t.csv")
    assert "\n" not in message
    assert len(message) < 400
    if found.problem or (found.unnamed and "has no name" in message):
        return
    faults = found.faults(decimal)
    assert faults, f"refused without need: {message}"
    at = re.match(r"t\.csv, line (\d+): (?:column '(\w+)'|(\d+) cells? where)", message)
    assert at is not None, message
    assert at[2] in (faults[found.lines.index(int(at[1]))] or [None])
    assert at[3] is None or int(at[3]) == len(found.cells[found.lines.index(int(at[1]))])


def assert_right(
    rows: list[list[str]], wanted: list[int], empty: set[int], found: Right, asked: Asked, file: Damaged
) -> None:
    """Check that the `wanted` rows were written, in order, and without an answer for `empty` ones."""
    assert len(rows) == len(wanted)
    usable = as_table(found, [i for i in wanted if i not in empty], file.writing.decimal)
    answers = asked.predictor(file.writing).predict(usable)["probability_yes"] if usable.n_rows else np.empty(0)
    probability = iter(np.asarray(answers).tolist())
    for i, row in zip(wanted, rows, strict=True):
        kept, (label, *probabilities) = row[: len(NAMES)], row[len(NAMES) :]
        cells = dict(zip(found.names, found.cells[i], strict=False)) if i not in found.ragged else {}
        expected = [cells.get(name, "") for name in NAMES]
        assert [cell for cell, own in zip(kept, expected, strict=True) if cell not in (own, f"'{own}")] == []
        if i in empty:
            assert [label, *probabilities] == [""] * 4
        else:
            assert label in ("no", "perhaps", "yes")
            assert float(probabilities[2]) == pytest.approx(next(probability), rel=1e-4, abs=1e-6)


def ask(asked: Asked, file: Damaged) -> None:
    """Check everything that predict guarantees for a file."""
    found = right(file.content, file.writing, NAMES)
    decimal = file.writing.decimal
    faults = {} if found.problem else found.faults(decimal)
    everything = list(range(len(found.cells)))
    usable = [i for i in everything if i not in faults]
    ways: dict[OnError, list[int]] = {"stop": everything, "null": everything, "skip": usable}
    for on_error, wanted in ways.items():
        try:
            rows, predictions = asked.answers(file, on_error)
        except UserError as error:
            if on_error != "stop" and not found.problem and "has no name" not in str(error):
                raise
            assert_clear(error, found, decimal)
            continue
        assert not found.problem
        assert on_error != "stop" or not faults
        assert_right(rows, wanted, set(faults), found, asked, file)
        assert (predictions.rows, predictions.faulty) == (len(everything), len(faults))


def train(asked: Asked, file: Damaged) -> None:
    """Check everything that train guarantees for a file: a net trained on exactly these rows, or one clear message."""
    asked.lay(file)
    found = right(file.content, file.writing, ["y"])
    try:
        spec = Config.load(config(asked.folder, file.writing))
        loaded = load_data(spec)
        experiment = workflows.prepare(spec, loaded)
    except UserError as error:
        message = str(error)
        assert "t.csv" in message
        if isinstance(error, DataError):
            assert len(message.splitlines()) <= 7  # a line for each of five columns, and what to do about them
            numbers = [int(line) for line in re.findall(r"t\.csv, line (\d+)", message)]
            assert found.problem or set(numbers) <= set(found.lines)
        return
    assert not found.problem
    assert not found.ragged
    survey, decimal = loaded.readers["train"].survey, file.writing.decimal
    assert [name for name in survey.columns if name not in found.unnamed] == [
        name for name in found.names if name not in found.unnamed
    ]
    assert survey.columns.keys() <= set(found.names)
    for name, column in survey.columns.items():
        cells = found.column(name, found.rows)
        if isinstance(column, Texts):
            assert column.tolist() == cells
        else:
            dates = column.dtype.kind == "M"
            own = [(day if dates else number)(cell, decimal) for cell in cells]
            np.testing.assert_array_equal(np.array(own, column.dtype if dates else float), column)
    workflows.train(experiment, run := workflows.begin(experiment, asked.folder / "runs"))
    assert run.records.data()["rows"] == {"train": len(found.cells)}
    assert run.metrics()["train"]["loss"] >= 0


@MANY
@given(CELLS)
def test_changed_cells_are_predicted_correctly_or_refused_with_their_line(asked: Asked, file: Damaged) -> None:
    ask(asked, file)


@MANY
@given(PLACES)
def test_changed_bytes_are_predicted_correctly_or_refused_with_their_line(asked: Asked, file: Damaged) -> None:
    ask(asked, file)


@MANY
@given(BOTH)
def test_changed_cells_and_bytes_are_predicted_correctly_or_refused_with_their_line(
    asked: Asked, file: Damaged
) -> None:
    ask(asked, file)


@MANY
@given(CELLS)
def test_changed_cells_are_trained_on_unchanged_or_refused(asked: Asked, file: Damaged) -> None:
    train(asked, file)


@MANY
@given(PLACES)
def test_changed_bytes_are_trained_on_unchanged_or_refused(asked: Asked, file: Damaged) -> None:
    train(asked, file)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(BOTH)
def test_commands_predict_or_end_with_exit_code_2(asked: Asked, inside: Nnfs, file: Damaged) -> None:
    """A refusal has at most two lines and names no place in the program."""
    asked.predictor(file.writing)
    config(asked.folder, file.writing)
    asked.lay(file)
    run = asked.runs[file.writing].path
    for words in (["predict", "--run", run, "--input", "t.csv"], ["train", "c.yaml", "--quiet"]):
        done = inside(*words, cwd=asked.folder)
        assert done.returncode in (0, 2), done.stderr
        if done.returncode == 2:
            assert done.stdout == ""
            assert "t.csv" in done.stderr
            assert "Traceback" not in done.stderr
        else:
            assert done.stdout
