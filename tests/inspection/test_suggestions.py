"""What `nnfs check` suggests can be applied, keeps the config valid and as it was written, and ends the finding."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli.cli.completion import complete_fixes
from nnfs_cli.cli.optional_values import with_values
from nnfs_cli.config import yaml
from nnfs_cli.config.document import Document
from nnfs_cli.config.edit import edited
from nnfs_cli.data.parsing.recognise import recognise
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.inspection.fix import MAIN, Edits, fix
from nnfs_cli.inspection.inspect import Inspection, fix_findings, inspect
from nnfs_cli.inspection.load_config import complete
from nnfs_cli.inspection.suggest import parse_column
from nnfs_cli.inspection.suggestion import KINDS, Suggestion
from tests.conftest import Nnfs, one_message
from tests.inspection.drawn_tables import write_drawn

Write = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    """Small tables have many."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def inspected(text: str, folder: Path) -> Inspection:
    return inspect(complete(Document.parse(text.encode(), "t.yaml", folder)))


def open_suggestions(inspection: Inspection) -> set[tuple[str, str | None]]:
    return {(one.what, one.column) for one in inspection.findings if one.suggestion}


def comments(text: str) -> list[str]:
    return re.findall(r"(?m)(?:^| )# (?!by hand).*$", text)  # a column that is dropped loses its line


def apply_all(folder: Path, seed: int) -> None:
    """Apply all suggestions, again and again, until there are none; each round ends what it said."""
    text = write_drawn(folder, seed).read_text(encoding="utf-8")
    inspection, rounds = inspected(text, folder), 0
    while open_suggestions(inspection):
        done = fix_findings(text, folder, inspection.findings, KINDS)
        assert done.fixed
        assert [one for one in comments(done.fix.after) if one in comments(text)] == comments(text)
        inspection = inspected(done.fix.after, folder)
        assert not {(one.what, one.column) for one in done.fixed} & {(f.what, f.column) for f in inspection.findings}
        text, rounds = done.fix.after, rounds + 1
        assert rounds < 5


def apply_each(folder: Path, seed: int) -> int:
    """Apply each suggestion alone, as the line that is printed would be, and return their number."""
    text = write_drawn(folder, seed).read_text(encoding="utf-8")
    found = [(one, one.suggestion) for one in inspected(text, folder).findings if one.suggestion]
    for finding, suggestion in found:
        value = yaml.read(str(suggestion).encode())[0]
        for key in suggestion.path:
            value = value[key]
        after = edited(text, {**suggestion.edits, suggestion.path: value}, MAIN)
        left = inspected(after, folder).findings
        assert (finding.what, finding.column) not in {(one.what, one.column) for one in left}
    return len(found)


@pytest.mark.parametrize("seed", range(8))
def test_all_suggestions_apply_and_end_their_findings(tmp_path: Path, seed: int) -> None:
    apply_all(tmp_path, seed)


@pytest.mark.slow
def test_all_suggestions_of_200_tables_apply_and_end_their_findings(tmp_path: Path) -> None:
    for seed in range(200):
        apply_all(tmp_path, seed)


@pytest.mark.slow
def test_each_suggestion_of_200_tables_is_yaml_that_ends_its_finding(tmp_path: Path) -> None:
    assert sum(apply_each(tmp_path, seed) for seed in range(200)) > 400


# The commands

TABLE = "id,same,x,y\n" + "".join(f"{i},1,{i * 37 % 101},{'ab'[i % 2]}\n" for i in range(120))
CONFIG = """\
dataset: {csv: {path: t.csv, target: "y"}}  # mine
split: 0.5  # half
layers: [linear: 1, sigmoid]
loss: binary_cross_entropy
epochs: 1
"""
FIXED = CONFIG.replace('"y"}', '"y", drop: [id, same]}')


def test_a_config_is_fixed_in_its_place(inside: Nnfs, write: Write) -> None:
    write("t.csv", TABLE)
    path = write("t.yaml", CONFIG)
    done = inside("check", "--fix", "t.yaml")
    assert done.returncode == 0, done.stderr
    assert path.read_text() == FIXED
    start, _, end = done.stdout.partition("data        ")
    assert start.splitlines() == [
        "fixed       2 findings",
        "  - 'id' numbers the rows: a net cannot learn from it",
        "  - 'same' is always 1",
        "changed     these lines of t.yaml:",
        '    -dataset: {csv: {path: t.csv, target: "y"}}  # mine',
        '    +dataset: {csv: {path: t.csv, target: "y", drop: [id, same]}}  # mine',
        "",
    ]
    assert "findings    none" in end  # it is checked again
    assert "fixed       nothing" in inside("check", "t.yaml", "--fix").stdout
    assert path.read_text() == FIXED


def test_only_the_kinds_that_are_asked_for_are_fixed(inside: Nnfs, write: Write) -> None:
    write("t.csv", TABLE)
    path = write("t.yaml", CONFIG)
    done = json.loads(inside("check", "t.yaml", "--fix", "split,metrics", "--json").stdout)
    assert done["fixed"] == {"applied": [], "fixed": [], "left": [], "difference": []}
    assert path.read_text() == CONFIG
    fix = {"kind": "drop", "path": ["dataset", "csv", "drop"], "value": ["id"], "also": []}
    assert done["findings"][0]["fix"] == fix
    assert done["findings"][0]["suggestion"] == "dataset: {csv: {drop: [id]}}"
    done = json.loads(inside("check", "t.yaml", "--fix=drop", "--json").stdout)
    assert done["fixed"]["applied"] == ["dataset: {csv: {drop: [id, same]}}"]
    assert [one["column"] for one in done["fixed"]["fixed"]] == ["id", "same"]
    assert path.read_text() == FIXED


def test_a_link_stays_a_link_and_a_read_only_config_stays_as_it_is(inside: Nnfs, write: Write, tmp_path: Path) -> None:
    write("t.csv", TABLE)
    (tmp_path / "kept").mkdir()
    path = write("kept/mine.yaml", CONFIG)
    (tmp_path / "t.yaml").symlink_to(path)
    path.chmod(0o444)
    message = "t.yaml: the file is read-only; make it writable first"
    assert message.replace("t.yaml", "mine.yaml") in inside("check", "t.yaml", "--fix").stderr
    assert inside("check", "t.yaml", "--fix").returncode == 4
    assert path.read_text() == CONFIG
    path.chmod(0o644)
    assert inside("check", "t.yaml", "--fix").returncode == 0
    assert (tmp_path / "t.yaml").is_symlink()
    assert path.read_text() == FIXED
    (tmp_path / "t.yaml").unlink()
    write("t.yaml", CONFIG).chmod(0o444)
    assert message in one_message(inside("init", "t.csv", "--target", "y", "--fix", "--force", "-q"), 4)
    assert {one.name for one in tmp_path.iterdir()} == {"t.csv", "t.yaml", "kept"}


def test_a_byte_order_mark_and_the_ends_of_lines_stay(inside: Nnfs, write: Write) -> None:
    write("t.csv", TABLE)
    path = write("t.yaml", "")
    path.write_bytes(b"\xef\xbb\xbf" + CONFIG.replace("\n", "\r\n").encode())
    assert inside("check", "t.yaml", "--fix").returncode == 0
    assert path.read_bytes() == b"\xef\xbb\xbf" + FIXED.replace("\n", "\r\n").encode()


def test_a_kind_that_does_not_exist_is_refused_with_the_list(inside: Nnfs, write: Write) -> None:
    write("t.csv", TABLE)
    path = write("t.yaml", CONFIG)
    message = one_message(inside("check", "t.yaml", "--fix", "drop,splt"), 2)
    assert "there is no kind of change 'splt'; did you mean 'split'? the kinds are drop, " in message
    assert "leave one out" in one_message(inside("check", "t.yaml", "--fix", "--set", "epochs=2"), 2)
    assert path.read_text() == CONFIG


def test_a_config_that_could_not_be_trained_is_not_written(inside: Nnfs, write: Write) -> None:
    write("t.csv", TABLE)
    path = write("t.yaml", CONFIG.replace("layers", "preprocessing: {columns: {id: [impute, robust]}}\nlayers"))
    assert inside("check", "t.yaml", "--fix").returncode == 0
    assert "columns: {}" in path.read_text()  # a dropped column has no steps
    path = write("t.yaml", CONFIG)
    write("t.csv", "\n".join(line.rpartition(",")[0].rpartition(",")[0] + line[-2:] for line in TABLE.splitlines()))
    done = inside("check", "t.yaml", "--fix")  # there is no other input
    assert "fixed       nothing" in done.stdout
    assert path.read_text() == CONFIG


def test_two_ways_to_split_are_not_taken_at_once(inside: Nnfs, write: Write) -> None:
    rng = np.random.default_rng(0)
    n, who = 300, np.arange(300) % 100
    day = np.datetime64("2020-01-01") + np.arange(n)
    traits = rng.integers(0, 2, (2, 100))[:, who]
    y = np.arange(n) + 60 * rng.normal(size=n)
    columns = np.stack([np.datetime_as_string(day), *map(np.char.mod, ["p%d", "s%d", "k%d", "%f"], [who, *traits, y])])
    write("t.csv", "\n".join(["day,patient,sex,smoker,y", *map(",".join, columns.T)]))
    path = write("t.yaml", "dataset: {csv: {path: t.csv, target: y}}\nsplit: {test: 0.2}\npreset: tabular\nepochs: 1\n")
    done = inside("check", "t.yaml", "--fix")
    assert "split: {test: 0.2, group: patient}" in path.read_text()
    assert "left        1 suggestion that cannot be combined with the others; check again" in done.stdout
    path.write_text(path.read_text().replace(", group: patient", ""))
    write("t.csv", "\n".join(["day,y", *map(",".join, columns[[0, -1]].T)]))
    assert inside("check", "t.yaml", "--fix", "split").returncode == 0
    assert "split: {test: 0.2, time: day}" in path.read_text()
    write("t.csv", "\n".join(["day,x,y", *(f"{a},{i % 7},{i}" for i, a in enumerate(columns[0]))]))
    path.write_text(path.read_text().replace(", time: day", ""))
    found = json.loads(inside("check", "t.yaml", "--json").stdout)["findings"]
    assert "leak" in [one["what"] for one in found if one["column"] == "day"]
    assert "time" not in [one["what"] for one in found]  # a column that leaks the target does not order the rows


def test_init_writes_a_config_with_the_changes(inside: Nnfs, write: Write) -> None:
    rows = [f"{i % 7},{10**7 if i == 5 else i * 37 % 101},{i * 37 % 50 + i % 7}" for i in range(120)]
    write("t.csv", "\n".join(["town,x,y", *rows]))
    plain = inside("init", "t.csv", "--target", "y", "--output", "plain.yaml")
    assert plain.returncode == 0
    done = inside("init", "t.csv", "--target", "y", "--fix")
    assert done.returncode == 0, done.stderr
    assert "fixed       nothing" in done.stderr


def test_the_value_of_an_option_may_be_left_out() -> None:
    for args, expected in (
        (["--fix"], ["--fix=all"]),
        (["--fix", "houses.yaml"], ["--fix=all", "houses.yaml"]),
        (["houses.yaml", "--fix", "drop,split"], ["houses.yaml", "--fix", "drop,split"]),
        (["--fix", "--json"], ["--fix=all", "--json"]),
        (["--", "--fix"], ["--", "--fix"]),
    ):
        assert [*with_values(args, {"--fix": "all"})] == expected


def test_kinds_are_completed_in_a_list() -> None:
    assert complete_fixes("") == list(KINDS)
    assert complete_fixes("drop,s") == ["drop,scale", "drop,split"]


def test_texts_are_parsed_with_the_steps_that_their_values_need(tmp_path: Path) -> None:
    rows = [
        (f'"${1000 + i * 37 % 99:,}.50"', f"{1 + i % 28:02}.03.2024", f"{i % 17}.5 kg" if i % 9 else "")
        for i in range(90)
    ]
    (tmp_path / "t.csv").write_text(
        "\n".join(["price,day,weight,y", *(f"{','.join(row)},{i}" for i, row in enumerate(rows))])
    )
    text = """\
dataset: {csv: {path: t.csv, target: y}}
preprocessing:
  categories: {one_hot: {unseen: other}}
  columns:
    price: {hashing: 8}
layers: [linear: 1]
loss: mse
epochs: 1
"""
    config = complete(Document.parse(text.encode(), "t.yaml", tmp_path))
    table = load_data(config).readers["train"].survey
    changes = []
    for name in ("price", "day", "weight"):
        found = recognise(table.texts(name))
        assert found is not None
        gaps = bool(table.texts(name).gaps.any())
        changes.append(parse_column(config, name, found.parser.brief(), found.parser.kind, gaps))
    done = fix(text, tmp_path, [(str(one), one.edits) for one in changes])
    assert len(done.applied) == 3
    kinds = load_data(complete(Document.parse(done.after.encode(), "t.yaml", tmp_path))).kinds
    assert kinds == {"price": "number", "day": "date", "weight": "number"}
    assert "hashing" not in done.after


def test_changes_of_several_sections_take_a_line_each() -> None:
    both = Suggestion("parse", ("parse", "day"), "date", ((("preprocessing", "dates"), "calendar"), (("lr",), None)))
    assert str(both) == "parse: {day: date}\npreprocessing: {dates: calendar}"
    assert yaml.read(str(both).encode())[0] == both.nested


def test_changes_that_agree_are_made_at_once_and_of_others_the_first(tmp_path: Path) -> None:
    write_drawn(tmp_path, 0)
    text = "dataset: {csv: {path: t.csv, target: y}}\nlayers: [linear: 2, softmax]\nloss: cross_entropy\nepochs: 1\n"
    changes: list[tuple[str, Edits]] = [
        ("a", {"epochs": 2, "preprocessing.dates": "calendar"}),
        ("b", {"lr": 0.1, ("preprocessing", "dates"): "calendar"}),
        ("c", {"seed": 4, "preprocessing": "none"}),
        ("d", {"epochs": 3}),
        ("e", {"batch_size": -1}),  # with it the config would not load
    ]
    done = fix(text, tmp_path, changes)
    assert done.applied == ("a", "b")
    assert done.after.replace("epochs: 2", "epochs: 1").startswith(text)
    assert yaml.read(done.after.encode())[0]["preprocessing"] == {"dates": "calendar"}
