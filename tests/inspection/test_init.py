"""From a file to a config: what columns seem to be, how they hang together, what is proposed, and that it trains."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from nnfs_cli.arrays import Array
from nnfs_cli.data.copies import row_hashes
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.table import Column, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, NnfsWarning
from nnfs_cli.inspection import column_relations
from nnfs_cli.inspection.column_kinds import ColumnProfile, profile_column, words_of
from nnfs_cli.inspection.column_relations import cell_hashes, coded, find_leak, find_repeats
from nnfs_cli.inspection.csv_dialect import dialect_of
from nnfs_cli.inspection.propose import propose, skewness, task_of
from nnfs_cli.inspection.table_profile import profile_file, profile_table
from nnfs_cli.inspection.write_config import write_config
from nnfs_cli.workflows import load, prepare
from tests.conftest import Nnfs, one_message

Write = Callable[[str, str], Path]

RNG = np.random.default_rng(7)
N = 60


def looked(values: Any, name: str = "column", **more: Any) -> ColumnProfile:
    """At one column of these values."""
    return profile_column(Table("t.csv", {name: values}), name, **more)


def texts(*values: str | None) -> Texts:
    return Texts.of(values)


# What columns seem to be


@pytest.mark.parametrize(
    ("values", "nature", "kind"),
    [
        (np.array([0.5, 1.5, np.nan]), "number", "number"),
        (np.arange(3), "number", "number"),
        (np.array([1, 2, 3] * 10), "number", "number"),
        (np.array([True, False]), "boolean", "number"),
        (texts("a", "b", None), "category", "category"),
        (np.array(["2026-01-31", "2026-02-01"], "datetime64[us]"), "date", "date"),
        (np.full(4, np.nan), "empty", "number"),
        (texts(None, None), "empty", "category"),
        (np.full(4, 7), "constant", "number"),
        (texts("x", "x"), "constant", "category"),
        (texts("x", None), "category", "category"),
        (np.array([1.0, np.nan]), "number", "number"),
        (texts(*(f"k-{i}" for i in range(30))), "identifier", "category"),
        (texts(*(f"a sentence with the number {i}" for i in range(30))), "text", "category"),
        (texts(*(f"{'long ' * 12}{i % 15}" for i in range(60))), "text", "category"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_column_is_what_its_cells_are(values: Column, nature: str, kind: str) -> None:
    seen = looked(values)
    assert (seen.nature, seen.kind) == (nature, kind)
    assert seen.usable == (nature in ("number", "boolean", "category", "date"))


def test_gaps_and_different_values_are_counted() -> None:
    seen = looked(np.array([1.5, np.nan, 1.5, 2.5]))
    assert (seen.rows, seen.missing, seen.different, seen.share_missing) == (4, 1, 2, 0.25)


def test_a_number_that_counts_the_rows_identifies_them_whatever_it_is_called() -> None:
    assert looked(np.arange(30)).nature == looked(np.arange(1, 31)).nature == "identifier"
    assert looked(np.arange(1950, 2010), "year").nature == "number"
    assert looked(np.arange(0.5, 30)).nature == "number"


@pytest.mark.parametrize("name", ["id", "customer_id", "customerId", "Order ID", "row number", "uuid"])
def test_whole_numbers_that_are_all_different_identify_rows_where_they_are_called_so(name: str) -> None:
    values = RNG.permutation(1000)[:50]
    assert looked(values, name).nature == "identifier"
    assert looked(values, "income").nature == "number"


@pytest.mark.parametrize("name", ["zip", "product_code", "storeType", "region id"])
def test_whole_numbers_that_are_called_a_code_are_words(name: str) -> None:
    values = np.array([3, 17, 99, 4] * 20)
    assert looked(values, name).coded
    assert looked(values, name).kind == "category"
    assert not looked(values, "rooms").coded
    assert not looked(np.array([0, 1] * 20), name).coded  # two values are the same either way


def test_whole_numbers_with_zeros_before_them_are_words() -> None:
    assert looked(np.array([1067, 99999, 815] * 9), "town", code=True).coded


@pytest.mark.parametrize("null", ["NA", "n/a", "?", "-", "None", "NULL", "nan", "unknown"])
def test_a_word_for_nothing_among_numbers_is_told_apart(null: str) -> None:
    seen = looked(texts("1.5", "2", null, "3e5", None))
    assert (seen.nature, seen.kind, seen.nulls) == ("number", "number", (null,))


def test_a_word_for_nothing_among_words_is_a_word_since_na_may_be_namibia() -> None:
    seen = looked(texts("NA", "ZA", "BW", "NA"))
    assert (seen.nature, seen.nulls) == ("category", ())


def test_numbers_with_something_else_among_them_are_left_out_with_an_example() -> None:
    seen = looked(texts(*map(str, range(90)), *(f"{i} kg" for i in range(6))))
    assert seen.nature == "text"
    assert "6 cells of 96, such as '0 kg' in row 91" in seen.why


def test_a_few_slips_among_numbers_are_taken_for_empty_cells() -> None:
    seen = looked(texts(*map(str, range(50)), "1O.5", "NaN"))
    assert (seen.nature, seen.kind, seen.nulls, seen.odd) == ("number", "number", ("1O.5", "NaN"), ("1O.5",))
    assert "1 cell of 52, '1O.5' in row 51" in seen.why
    assert looked(texts(*(str(i % 20) for i in range(90)), *["A"] * 10)).nature == "category"


def test_names_are_taken_apart() -> None:
    assert words_of("customerId") == ["customer", "id"]
    assert words_of("total_rooms 2") == ["total", "rooms", "2"]
    assert words_of("HTTPCode") == ["http", "code"]


# How columns hang together


def table_of(**columns: Any) -> Table:
    made = {name: Texts.of(values) if isinstance(values, list) else values for name, values in columns.items()}
    return Table("t.csv", made)


def test_a_copy_of_a_column_repeats_it_and_so_does_one_in_other_words_or_units() -> None:
    number = RNG.integers(1, 4, N)
    table = table_of(
        number=number,
        same=number.copy(),
        words=[["one", "two", "three"][i - 1] for i in number],
        celsius=(celsius := RNG.normal(size=N)),
        fahrenheit=32 + 1.8 * celsius,
        other=RNG.integers(1, 4, N),
    )
    found = find_repeats(table, list(table.columns))
    assert {name: relation.others for name, relation in found.items()} == {
        "same": ("number",),
        "words": ("number",),
        "fahrenheit": ("celsius",),
    }
    assert all(relation.exact for relation in found.values())


def test_columns_in_which_every_row_is_different_do_not_repeat_each_other() -> None:
    table = table_of(a=[f"a{i}" for i in range(N)], b=[f"b{i}" for i in range(N)], c=RNG.normal(size=N))
    assert not find_repeats(table, ["a", "b", "c"])


@pytest.mark.parametrize("block", [1, 3, 1_000])
def test_copies_are_found_however_many_columns_are_compared_at_a_time(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(column_relations, "ALIKE_BLOCK", block)
    a, b, c = RNG.normal(size=(3, N))
    table = table_of(
        a=a, b=b, minus_a=-a, c=c, b_in_miles=b * 1.6, a_again=2 * a - 1, nearly_c=c + 0.01 * RNG.normal(size=N)
    )
    found = find_repeats(table, list(table.columns))
    by_formula = np.abs(np.corrcoef(np.stack([*table.columns.values()])))[3, 6]
    assert {name: relation.others for name, relation in found.items()} == {
        "minus_a": ("a",),
        "b_in_miles": ("b",),
        "a_again": ("a",),
        "nearly_c": ("c",),
    }
    assert [name for name, relation in found.items() if not relation.exact] == ["nearly_c"]
    assert f"{by_formula:.5f}" in found["nearly_c"].how


def test_a_message_about_the_target_names_some_of_many_columns(inside: Nnfs, write: Write) -> None:
    names = [f"g{i}" for i in range(2_000)]
    write("t.csv", "\n".join([",".join(names), *[",".join("1" for _ in names)] * 2]) + "\n")
    message = one_message(inside("init", "t.csv"), 2)
    assert "g99 and 1,900 more columns" in message
    assert len(message) < 1_000


def test_gaps_are_part_of_what_is_compared() -> None:
    values = RNG.integers(0, 3, N).astype(float)
    gappy = values.copy()
    gappy[5] = np.nan
    assert not find_repeats(table_of(a=values, b=gappy), ["a", "b"])
    assert find_repeats(table_of(a=gappy, b=gappy.copy()), ["a", "b"])


@given(st.lists(st.integers(0, 5), min_size=12, max_size=60), st.integers(0, 2**32 - 1))
def test_a_column_with_its_values_renamed_always_repeats_it(values: list[int], seed: int) -> None:
    names = np.random.default_rng(seed).permutation(100)
    table = table_of(a=np.array(values), b=[f"w{names[value]}" for value in values])
    found = find_repeats(table, ["a", "b"])
    enough = len(set(values)) > 1 and len(values) - len(set(values)) >= 10
    assert ("b" in found) == enough


def test_the_target_in_other_words_is_given_away() -> None:
    y = RNG.integers(0, 2, N)
    found = find_leak(Texts.of(["no", "yes"][i] for i in y), y, True)
    assert found is not None
    assert found.exact
    assert find_leak(RNG.integers(0, 2, N), y, True) is None


def test_a_word_that_all_but_tells_the_class_is_suspicious_and_no_more() -> None:
    y = np.arange(1000) % 2
    words = [f"{'ab'[i]}{j % 7}" for j, i in enumerate(y)]
    found = find_leak(Texts.of(words), y, True)
    assert found is not None
    assert not found.exact


def test_a_number_that_sorts_the_classes_is_suspicious() -> None:
    y = np.repeat([0, 1, 2], 100)
    assert find_leak(np.arange(300) + 0.5, y, True) is not None
    assert find_leak(np.random.default_rng(1).normal(size=300), y, True) is None


def test_the_target_in_other_units_is_given_away_and_a_function_of_it_is_suspicious() -> None:
    x = np.random.default_rng(0).uniform(1, 3, 500)
    copied, curved = find_leak(3 - 2 * x, x, False), find_leak(np.sin(3 * x), np.sin(3 * x) ** 2, False)
    assert copied is not None
    assert copied.exact
    assert curved is not None
    assert not curved.exact
    assert find_leak(x + np.random.default_rng(1).normal(size=500), x, False) is None


def hashes_of(table: Table) -> Array:
    return row_hashes([cell_hashes(table.column(name)) for name in ("x", "w")])


def test_rows_have_the_same_hash_exactly_where_they_hold_the_same() -> None:
    a = table_of(x=np.array([1.0, 1.0, -0.0, np.nan]), w=["a", "b", "a", None])
    b = table_of(x=np.array([0.0, np.nan, 1.0]), w=["a", None, "b"])
    hashes = hashes_of(a).tolist()
    assert len(set(hashes)) == 4
    assert hashes_of(b).tolist() == [hashes[2], hashes[3], hashes[1]]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), max_size=40))
def test_different_hashes_are_as_many_as_different_rows(rows: list[tuple[int, str]]) -> None:
    table = table_of(x=np.array([x for x, _ in rows], np.int64), w=[w for _, w in rows])
    assert len(set(hashes_of(table).tolist())) == len(set(rows))


def test_codes_count_a_gap_as_a_value() -> None:
    assert coded(np.array([1.0, np.nan, np.nan])).n == 2
    assert coded(texts("a", None)).n == 2


# How a file is written


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a,b\n1.5,x\n", {}),
        ("a;b\n1,5;x\n2,5;y\n", {"delimiter": ";", "decimal": ","}),
        ("a;b\n1.5;x, y\n", {"delimiter": ";"}),
        ("a\tb\n1\t2\n", {"delimiter": "\t"}),
        ("a|b\n1|2\n", {"delimiter": "|"}),
        ("a,b\n1,'x;y;z'\n", {}),
        ('a,b\n1,"x;y\nz;w"\n', {}),
        ("only\n1\n2\n", {}),
        ("a;b\n1,5;1.5\n", {"delimiter": ";"}),
        ("a;b;c\nx;1,5;2,5\ny;2,5;3,5\n", {"delimiter": ";", "decimal": ","}),
    ],
)
def test_delimiter_and_decimal_mark_are_found(write: Write, text: str, found: dict[str, str]) -> None:
    assert dialect_of(write("t.csv", text)).settings == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\ufeffsep=;\na;b\n1;x\n", {"delimiter": ";"}),
        ('# by me, 2020\n# 5" wide\na,b\n1,x\n', {"comment": "#"}),
        ("# a note, and more\na,b\n1,x\n2,x\n", {"comment": "#"}),
        ("# a,b\n1,2\n3,4\n", {"comment": "#", "header": ["a", "b"]}),
        ("#a,b\n1,x\n2,y\n", {}),
        ("Sales, 2024\n\na,b,c\n1,x,2\n3,y,4\n", {"skip_rows": 2}),
        ("Sales;;\n;;\na;b;c\n1;x;2\n3;y;4\n", {"skip_rows": 2, "delimiter": ";"}),
        ("a,b,c\nx,,1\ny,,2\nTotal,,3\nMax: ,,2\n\nSource: here\n", {"skip_footer": ["Total", "Max", "Source:"]}),
        ("a;b\nx;1\ny;2\nSumme;3\n", {"delimiter": ";", "skip_footer": ["Summe"]}),
        ("part,b\ntotal,1\nhalf,2\ntotal,3\n", {}),
        ("who,b\nAnn,1\nMax,3\n", {}),
        ("a,b\nx,1\nTotal,y\n", {}),
    ],
)
def test_lines_that_are_no_rows_are_found(write: Write, text: str, found: dict[str, object]) -> None:
    dialect = dialect_of(write("t.csv", text))
    assert dialect.settings == found
    assert dialect.header[:2] in {("a", "b"), ("#a", "b"), ("part", "b"), ("who", "b")}


def test_the_end_of_a_long_file_is_looked_at(write: Write) -> None:
    rows = "".join(f"{i},{i}.5\n" for i in range(60_000))
    assert dialect_of(write("t.csv", f"a,b\n{rows}Total,9\n")).settings == {"skip_footer": ["Total"]}


def test_utf16_is_found_by_the_mark_for_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,ä\n", encoding="utf-16")
    assert dialect_of(tmp_path / "t.csv").settings == {"encoding": "utf-16"}


def test_an_index_that_pandas_writes_is_dropped(inside: Nnfs, write: Write) -> None:
    write("t.csv", ",a,b\n" + "".join(f"{i},{i % 7}.5,{i % 5}\n" for i in range(40)))
    assert "'Unnamed: 0' has no name and numbers the rows" in inside("init", "t.csv", "--target", "b").stderr
    assert load(write("t.yaml", (write("x", "").parent / "t.yaml").read_text())).dataset.dropped_columns() == (
        "Unnamed: 0",
    )


def test_a_tab_is_usual_in_a_tsv_file(write: Write) -> None:
    assert dialect_of(write("t.tsv", "a\tb\n1\t2\n")).settings == {}


def test_codes_with_zeros_before_them_are_found(write: Write) -> None:
    assert dialect_of(write("t.csv", "plz,n\n01067,1\n99999,0\n")).code_columns == {"plz"}


WORDS = "stadt,Straße\nMünchen,Höhenweg\nKöln,Rue de l\u2019Évêché\nMálaga,ÑANDÚ 5 m²\n"
OTHERS = {  # bytes that cp1252 reads, too, but not as words
    "UTF-8 with one wrong byte": WORDS.encode() + b"K\xf6ln,x\n",
    "mac-roman": "stadt\nMünchen\nKöln\n".encode("mac-roman"),
    "cp850": "stadt\nMünchen\nKöln\n".encode("cp850"),
    "cp1250": "miasto\nŁódź\nmały\n".encode("cp1250"),
    "cp1251": b"\xe3\xee\xf0\xee\xe4\n\xcc\xee\xf1\xea\xe2\xe0\n",
    "cp1254": "şehir\nEskişehir\n".encode("cp1254"),
    "cp932": "都市\n東京\n".encode("cp932"),
    "no text": bytes(range(128, 256)),
}


def test_what_is_not_utf8_is_cp1252_where_words_show_it(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(WORDS.encode("cp1252"))
    found = dialect_of(path)
    assert found.settings == dialect_of(path, "cp1252").settings == {"encoding": "cp1252"}
    assert found.header == ("stadt", "Straße")
    why = "it is not UTF-8, and cp1252 makes words of it: 'Köln', 'ÑANDÚ', 'Straße' and 4 more words"
    assert found.reasons == {"encoding": why}
    lines = (f"{name},{i % 2}" for i, name in enumerate(["Köln", "Bonn", "Münster"] * 20))
    path.write_bytes("\n".join(["stadt,y", *lines]).encode("cp1252"))
    text = write_config(propose(profile_file(path, "y"), "y"), tmp_path)
    assert "    # it is not UTF-8, and cp1252 makes words of it: 'Köln' and 'Münster'\n    encoding: cp1252\n" in text


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS.keys())
def test_what_is_neither_utf8_nor_words_in_cp1252_is_refused_with_its_line_and_advice(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"line \d: this is not UTF-8.*--encoding cp1252"):
        dialect_of(tmp_path / "t.csv")


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_dialect_or_one_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        assert dialect_of(path).header


# The task


def task(values: Column, name: str = "y") -> Any:
    table = Table("t.csv", {name: values})
    return task_of(table, name, profile_column(table, name))


@pytest.mark.parametrize(
    ("values", "goal"),
    [
        (texts("a", "b"), "binary"),
        (texts("a", "b", "c"), "classes"),
        (np.array([True, False]), "binary"),
        (np.array([0, 1, 1]), "binary"),
        (np.array([0.0, 1.0]), "binary"),
        (np.array([1, 2] * 9), "binary"),
        (np.array([3, 7]), "regression"),
        (np.array([3, 4, 5, 6] * 9), "classes"),
        (np.arange(40) % 12, "regression"),
        (np.array([0.5, 1.5] * 9), "regression"),
        (np.arange(9.0), "regression"),
    ],
    ids=str,
)
def test_the_task_is_inferred_from_the_target(values: Column, goal: str) -> None:
    found = task(values)
    assert found.goal == goal
    assert found.n_classes == (0 if goal == "regression" else profile_column(Table("t", {"y": values}), "y").different)


def test_the_name_of_a_target_decides_where_its_numbers_leave_it_open() -> None:
    values = np.arange(200) % 8
    assert task(values, "number_count").goal == "regression"
    assert task(values, "quality").goal == "classes"
    assert task(np.arange(400) % 15, "species").goal == "classes"
    assert "loss: mse" in task(values, "quality").alternative
    assert "cross_entropy" in task(np.arange(400) % 15, "rings").alternative


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full(5, 2), "is always 2"),
        (np.full(5, np.nan), "is empty"),
        (np.array([1.0, np.nan, 2.0]), "row 2.*the target 'y' is empty"),
        (np.array(["2026-01-31", "2026-02-01"], "datetime64[us]"), "holds dates"),
        (texts(*(f"n{i}" for i in range(30))), "different in every row; a target is classes or numbers"),
    ],
    ids=str,
)
def test_what_cannot_be_learned_is_refused(values: Column, message: str) -> None:
    with pytest.raises(DataError, match=message):
        task(values)


def test_skewness_is_that_of_scipy() -> None:
    from scipy.stats import skew

    values = np.random.default_rng(0).exponential(size=200)
    assert skewness(values) == pytest.approx(skew(values))
    assert skewness(np.full(5, 3.0)) == 0


# What is proposed


def proposed(path: Path, target: str) -> tuple[Any, Any]:
    """The proposal for a file, and the config as it is read again."""
    proposal = propose(profile_file(path, target), target)
    text = write_config(proposal, path.parent)
    config = path.parent / "proposed.yaml"
    config.write_text(text, encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 120 or "drop: [" in text
    return proposal, load(config)


def people(n: int = 120) -> dict[str, list[Any]]:
    """A table with a bit of everything."""
    rng = np.random.default_rng(3)
    age = rng.integers(18, 90, n)
    town = rng.choice(["Ulm", "Jena", "Trier"], n)
    return {
        "id": list(range(1, n + 1)),
        "age": [None if i % 11 == 0 else int(a) for i, a in enumerate(age)],
        "town": list(town),
        "town_name": [{"Ulm": "Stadt Ulm", "Jena": "Stadt Jena", "Trier": "Stadt Trier"}[t] for t in town],
        "zip": list(rng.choice(["89073", "07743", "54290"], n)),
        "joined": [str(np.datetime64("2020-01-01") + int(i)) for i in rng.integers(0, 900, n)],
        "note": [f"a remark about customer number {i}" for i in range(n)],
        "member": ["true" if i else "false" for i in rng.integers(0, 2, n)],
        "nothing": [None] * n,
        "same": [3] * n,
        "bought": list(np.where(age + rng.normal(0, 20, n) > 50, "yes", "no")),
        "bought_code": None,
    }


def as_csv(columns: dict[str, list[Any]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue()


def everybody() -> dict[str, list[Any]]:
    columns = people()
    columns["bought_code"] = [{"yes": "J", "no": "N"}[word] for word in columns["bought"]]
    return columns


def test_a_table_with_a_bit_of_everything(write: Write) -> None:
    proposal, spec = proposed(write("people.csv", as_csv(everybody())), "bought")
    assert set(proposal.inputs) == {"age", "town", "zip", "joined", "member"}
    reasons = {
        "id": "numbers the rows",
        "town_name": "repeats 'town'",
        "note": "holds free text",
        "nothing": "empty",
        "same": "always 3",
        "bought_code": "leaks the target",
    }
    assert set(proposal.dropped) == set(reasons) == set(spec.dataset.drop)
    for name, reason in reasons.items():
        assert reason in proposal.dropped[name]
    assert [step.name for step in spec.preprocessing.numbers] == ["impute", "views"]
    assert spec.preprocessing.categories.name == spec.preprocessing.columns["zip"][0].name == "one_hot"
    assert spec.preprocessing.dates.name == "calendar"
    assert spec.loss.name == "binary_cross_entropy"


def test_few_rows_are_not_split_and_more_rows_are(write: Write) -> None:
    def split_of(n: int) -> tuple[float, float, str | None]:
        rows = "\n".join(f"{i},{i % 7},{i * 0.5}" for i in range(n))
        spec = proposed(write(f"n{n}.csv", f"a,b,y\n{rows}\n"), "y")[1]
        return spec.split.validation, spec.split.test, spec.holdout

    assert split_of(15) == (0, 0, None)
    assert split_of(16) == (0, 0, "fold")
    assert split_of(99) == (0, 0, "fold")
    assert split_of(400) == (0, 0.2, "fold")


def test_many_words_get_vectors(write: Write) -> None:
    rng = np.random.default_rng(0)
    rows = "\n".join(f"w{word},{y}" for word, y in zip(rng.integers(0, 90, 900), rng.normal(size=900), strict=True))
    _, spec = proposed(write("t.csv", f"word,y\n{rows}\n"), "y")
    assert spec.preprocessing.columns["word"][0].name == "embedding"


def test_a_target_with_far_larger_numbers_of_both_signs_is_learned_by_its_rank(write: Write) -> None:
    rng = np.random.default_rng(0)
    sales, noise = np.exp(rng.normal(12, 3, size=200)).round(2), rng.normal(size=200).round(3)
    for y, steps in ((sales * noise, ["clamp", "quantile"]), (noise, ["clamp", "standardize"])):
        rows = "\n".join(f"{x},{value:.2f}" for x, value in zip(sales, y, strict=True))
        _, spec = proposed(write("t.csv", f"sales,y\n{rows}\n"), "y")
        assert [step.name for step in spec.preprocessing.target] == steps
        assert next(chain[0].name for chain in spec.preprocessing.columns["sales"][1].chains) == "quantile"


def test_a_skewed_target_is_learned_by_its_logarithm(write: Write) -> None:
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{x},{math.exp(3 * x)}" for x in rng.normal(size=300))
    _, spec = proposed(write("t.csv", f"x,y\n{rows}\n"), "y")
    assert [step.name for step in spec.preprocessing.target] == ["clamp", "log1p", "standardize"]


def test_a_lesson_with_one_input_keeps_it_though_it_gives_the_target_away(write: Write) -> None:
    rows = "\n".join(f"{x},{2 * x + 1}" for x in range(50))
    proposal, _ = proposed(write("t.csv", f"x,y\n{rows}\n"), "y")
    assert set(proposal.inputs) == set(proposal.suspicious) == {"x"}


def test_numbers_with_words_for_nothing_are_read_with_them(write: Write) -> None:
    rows = "\n".join(f"{'NA' if i % 9 == 0 else i * 0.5},{'NA' if i % 2 else 'ZA'},{i % 2}" for i in range(60))
    proposal, spec = proposed(write("t.csv", f"x,land,y\n{rows}\n"), "y")
    assert spec.dataset.null == ("NA",)
    assert proposal.inputs["x"].kind == "number"
    assert proposal.inputs["x"].missing == 7


def test_parquet_files_are_proposed_for_too(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = {"x": np.arange(30) * 0.5, "list": [[1]] * 30, "y": np.arange(30) % 2 == 0}
    parquet.write_table(pa.table(table), path)
    proposal, spec = proposed(path, "y")
    assert spec.dataset.name == "parquet"
    assert "list" in proposal.dropped["list"]


def in_parquet(path: Path, **columns: Sequence[Any]) -> Path:
    """Write columns, with their types, and a target of numbers."""
    n = len(next(iter(columns.values())))
    parquet.write_table(pa.table({**columns, "x": RNG.normal(size=n), "y": RNG.normal(size=n)}), path)
    return path


def test_dates_in_texts_of_parquet_are_read_as_dates(tmp_path: Path) -> None:
    dates = [f"2026-{i % 12 + 1:02}-{i % 28 + 1:02}" for i in range(90)]
    proposal, spec = proposed(in_parquet(tmp_path / "t.parquet", day=dates), "y")
    assert proposal.inputs["day"].kind == spec.preprocessing.kinds["day"] == "date"
    assert prepare(spec).predictor.encoder.kinds["day"] == "date"
    dates[7] = "2026-13-45"
    proposal, spec = proposed(in_parquet(tmp_path / "u.parquet", day=dates), "y")
    assert spec.parse["day"].brief() == {"date": {"invalid": "empty", "format": "%Y-%m-%d"}}
    assert any(
        "'day' holds dates (%Y-%m-%d) except in 1 cell of 90, such as '2026-13-45'" in odd
        for odd in proposal.profile.odd
    )


def test_numbers_in_texts_of_parquet_are_codes_if_whole_and_else_parsed(tmp_path: Path) -> None:
    path = in_parquet(
        tmp_path / "t.parquet",
        zip=[f"0{1000 + i % 20}" for i in range(90)],
        few=[f"{i % 3 / 2}" for i in range(90)],
        size=[f"{i / 2}" for i in range(90)],
        gaps=["NA" if i == 5 else f"{i / 4}" for i in range(90)],
        serial=[f"{7919 * i % 1009}" for i in range(90)],
    )
    proposal, spec = proposed(path, "y")
    numbers = dict.fromkeys(["few", "size", "gaps", "x"], "number")
    assert {name: column.kind for name, column in proposal.inputs.items()} == {"zip": "category", **numbers}
    assert proposal.dropped == {"serial": "is different in every row"}
    with pytest.warns(NnfsWarning, match="1 cell of 90 in column 'gaps' cannot be read and is empty"):
        assert prepare(spec).predictor.encoder.kinds == {"zip": "category", **numbers}


def test_a_table_given_in_python_is_proposed_for_like_its_file(write: Write) -> None:
    columns = everybody()
    from_file, _ = proposed(write("people.csv", as_csv(columns)), "bought")
    source = InMemory(target=("bought",)).of(columns)
    proposal = propose(profile_table(source), "bought")
    assert proposal.task == from_file.task
    assert proposal.dropped == from_file.dropped
    assert {*proposal.inputs} == {*from_file.inputs}
    text = write_config(proposal, Path.cwd())
    assert "path:" not in text
    assert yaml.safe_load(text)["dataset"] == {"table": {"target": "bought", "drop": list(proposal.dropped)}}


def test_columns_that_the_user_sets_aside_are_not_inspected(write: Write) -> None:
    path = write("people.csv", as_csv(everybody()))
    proposal = propose(profile_file(path, "bought"), "bought", drop=["town"], weight="age")
    assert set(proposal.inputs) == {"town_name", "zip", "joined", "member"}
    assert proposal.dropped["town"] == "is left out as asked"
    assert "    weight: age\n" in write_config(proposal, path.parent)
    with pytest.raises(DataError, match="did you mean 'town'"):
        propose(profile_file(path, "bought"), "bought", drop=["twn"])


def test_a_slip_of_the_pen_is_named_with_its_line_and_not_a_reason_to_drop(inside: Nnfs, write: Write) -> None:
    cells = [f"{i * 0.5}" for i in range(100)]
    cells[41] = "1O.5"
    path = write("t.csv", "x,y\n" + "".join(f"{cell},{i % 7}.5\n" for i, cell in enumerate(cells)))
    proposal, spec = proposed(path, "y")
    assert spec.dataset.null == ("1O.5",)
    assert set(proposal.inputs) == {"x"}
    done = inside("init", "t.csv", "--target", "y")
    assert "'1O.5' in line 43" in done.stderr
    assert "'1O.5' in line 43" in path.with_suffix(".yaml").read_text("utf-8")
    message = one_message(inside("init", "t.csv", "--target", "x", "--force"), 2)
    assert "'1O.5' in line 43" in message


@pytest.mark.parametrize("spellings", [["NaN"], ["nan", "NaN", "NA"], ["?"]])
def test_whatever_stands_for_no_number_is_read_as_none(inside: Nnfs, write: Write, spellings: list[str]) -> None:
    cells = [spellings[i % len(spellings)] if i % 10 == 0 else f"{i * 0.5}" for i in range(100)]
    path = write("t.csv", "x,y\n" + "".join(f"{cell},{i % 7}.5\n" for i, cell in enumerate(cells)))
    proposal, spec = proposed(path, "y")
    assert set(spec.dataset.null) == set(spellings)
    assert proposal.inputs["x"].missing == 10
    assert inside("check", "proposed.yaml").returncode == 0


def test_a_column_with_infinities_is_left_out(write: Write) -> None:
    text = "a,x,y\n" + "".join(f"{i % 9},{'inf' if i == 5 else i * 0.5},{i % 7}.5\n" for i in range(60))
    proposal, _ = proposed(write("t.csv", text), "y")
    assert "'inf' in line 7" in proposal.dropped["x"]
    with pytest.raises(DataError, match="the target 'x' holds 'inf' in line 7"):
        proposed(write("t.csv", text), "x")


def test_codes_are_classes_for_a_target_too(write: Write) -> None:
    codes = np.random.default_rng(0).integers(0, 30, 300)
    rows = "".join(f"{i / 7},{code:05d},{code}\n" for i, code in enumerate(codes))
    path = write("t.csv", f"x,town,zip\n{rows}")
    for target in ("town", "zip"):
        proposal, spec = proposed(path, target)
        assert (proposal.task.goal, proposal.task.n_classes) == ("classes", 30)
        assert spec.loss.name == "cross_entropy"
    many = "".join(f"{i / 7},{code}\n" for i, code in enumerate(RNG.permutation(5000)[:300]))
    with pytest.raises(DataError, match="too many classes"):
        proposed(write("m.csv", f"x,zip\n{many}"), "zip")


def visits(n: int = 60) -> dict[str, list[Any]]:
    """Four rows for each of some people, who stay what they are, in a town of a region of a country."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(n), 4)
    sex, smoker = rng.integers(0, 2, n), rng.integers(0, 3, n)
    return {
        "who": list(who),
        "sex": ["fm"[sex[i]] for i in who],
        "smoker": [["yes", "no", "former"][smoker[i]] for i in who],
        "x": list(rng.normal(size=4 * n)),
        "y": list(rng.normal(size=4 * n)),
    }


def test_the_rows_of_one_patient_stay_together(inside: Nnfs, write: Write) -> None:
    proposal, spec = proposed(write("t.csv", as_csv(visits())), "y")
    assert spec.split.group == "who"
    assert set(proposal.inputs) == {"sex", "smoker", "x"}
    assert inside("train", "proposed.yaml", "--quiet", "--set", "epochs=2").returncode == 0


def test_init_groups_rows_by_the_column_for_which_check_would_ask(inside: Nnfs, write: Write) -> None:
    """A name such as `patient` is enough; no other column has to be determined by it."""
    columns = visits()
    plain = {"patient": columns["who"], "x": columns["x"], "y": columns["y"]}
    table = write("t.csv", as_csv(plain))
    proposal, spec = proposed(table, "y")
    assert (spec.split.group, set(proposal.inputs)) == ("patient", {"x"})
    told = inside("init", "t.csv", "--target", "y").stderr
    assert "'patient' names the owner of each row, so it is no input and rows of one owner stay in one split" in told
    assert "findings    none" in inside("check", "t.yaml").stdout
    del columns["sex"], columns["smoker"]
    assert proposed(write("u.csv", as_csv(columns)), "y")[1].split.group is None


def test_a_city_or_nested_regions_do_not_group_rows(write: Write) -> None:
    columns = visits()
    columns = {"city": [f"c{i}" for i in columns["who"]], **columns}
    del columns["who"]
    assert proposed(write("t.csv", as_csv(columns)), "y")[1].split.group is None
    columns = {"where": columns["city"], "x": columns["x"], "y": columns["y"]}
    numbers = [int(word[1:]) for word in columns["where"]]
    columns |= {"region": [f"r{i // 4}" for i in numbers], "country": [f"l{i // 12}" for i in numbers]}
    assert proposed(write("u.csv", as_csv(columns)), "y")[1].split.group is None


def test_durations_of_parquet_are_numbers_and_train(inside: Nnfs, tmp_path: Path) -> None:
    took = np.random.default_rng(0).integers(1, 10**6, 60).astype("timedelta64[ms]")
    table = {"took": pa.array(took), "y": pa.array(np.arange(60) % 2 == 0)}
    parquet.write_table(pa.table(table), tmp_path / "t.parquet")
    proposal, _ = proposed(tmp_path / "t.parquet", "y")
    assert proposal.inputs["took"].kind == "number"
    assert inside("check", "proposed.yaml").returncode == 0


# The command


def test_it_says_how_many_columns_of_each_kind_there_are(inside: Nnfs, write: Write) -> None:
    write("people.csv", as_csv(everybody()))
    said = inside("init", "people.csv", "--target", "bought").stderr
    inputs = "inputs      2 columns of numbers, 2 columns of categories, 1 column of dates\n"
    assert inputs in said
    assert inputs in inside("check", "people.yaml").stdout


def test_it_lists_the_columns_left_out_one_a_line(inside: Nnfs, write: Write) -> None:
    rows = "".join(f"{i * 7},eine Notiz zu dem Fall {i},{i % 13},{i % 13 * 2 + i % 5}\n" for i in range(60))
    write("t.csv", f"Kunden-Nr,Notiz,x,y\n{rows}")
    said = inside("init", "t.csv", "--target", "y").stderr
    assert (
        "left out    'Kunden-Nr' is different in every row\n"
        "            'Notiz' holds free text, 25 characters on average\n"
    ) in said


def test_it_shows_how_to_hold_out_the_latest_rows(inside: Nnfs, write: Write) -> None:
    table = write("people.csv", as_csv(everybody()))
    inside("init", "people.csv", "--target", "bought")
    advice = "# To predict the future, hold out the latest rows instead:\n#   split: {test: 0.2, time: joined}\n"
    assert f"{advice}split: {{test: 0.2}}\n" in table.with_suffix(".yaml").read_text()


def test_a_misspelt_target_is_told_before_a_config_that_is_there(inside: Nnfs, write: Write) -> None:
    write("t.csv", "power,y\n1,2\n2,3\n3,5\n")
    write("t.yaml", "mine")
    assert "did you mean 'power'" in one_message(inside("init", "t.csv", "--target", "powr"), 2)


def test_it_writes_a_config_and_says_what_it_saw(inside: Nnfs, write: Write) -> None:
    write("people.csv", as_csv(everybody()))
    done = inside("init", "people.csv", "--target", "bought")
    assert (done.returncode, done.stdout) == (0, "people.yaml\n")
    for word in ("120 rows", "12 columns", "binary classification", "'bought_code' leaks the target", "nnfs check"):
        assert word in done.stderr


def test_it_never_overwrites_without_being_forced(inside: Nnfs, write: Write) -> None:
    write("t.csv", "x,y\n1,2\n2,3\n3,5\n")
    config = write("t.yaml", "mine")
    assert "--force" in one_message(inside("init", "t.csv", "--target", "y"), 2)
    assert config.read_text() == "mine"
    assert inside("init", "t.csv", "--target", "y", "--output", "other.yaml").stdout == "other.yaml\n"
    assert inside("init", "t.csv", "--target", "y", "--force").returncode == 0
    assert config.read_text().startswith("#")


def test_the_data_is_found_from_where_the_config_stands(inside: Nnfs, write: Write, tmp_path: Path) -> None:
    write("t.csv", "x,y\n1,2\n2,3\n3,5\n")
    (tmp_path / "configs").mkdir()
    assert inside("init", "t.csv", "--target", "y", "--output", "configs/t.yaml").returncode == 0
    assert load(tmp_path / "configs" / "t.yaml").dataset.path == tmp_path / "t.csv"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["t.csv"], "--target. t.csv has x, y"),
        (["t.csv", "--target", "z"], "no column 'z'"),
        (["t.csv", "--target", "xx"], "did you mean 'x'"),
        (["tt.csv", "--target", "y"], "did you mean 't.csv'"),
        (["t.json", "--target", "y"], "end in .csv"),
        ([".", "--target", "y"], "is a folder"),
        (["constant.csv", "--target", "y"], "the target 'y' is always 'a'"),
        (["useless.csv", "--target", "y"], "no usable input: 'x' is always 1"),
        (["alone.csv", "--target", "y"], "no usable input"),
        (["one.csv", "--target", "y"], "1 row"),
        (["headless.csv", "--target", "y"], "not column names"),
        (["utf16.csv", "--target", "y"], "--encoding utf-16"),
        (
            ["t.csv", "--target", "y", "--encoding", "nonsense"],
            "--encoding: expected the name of a text encoding.*'nonsense'",
        ),
        (["gaps.csv", "--target", "y"], "the target 'y' is empty; there is nothing to learn"),
        (["ragged.csv", "--target", "y"], "line 3"),
        (["empty.csv", "--target", "y"], "empty.csv"),
        (["shop.db", "--target", "y"], "shop.db is a database; name it sqlite:shop.db, and give the rows with --query"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_impossible_requests_are_refused_with_one_message(
    inside: Nnfs, write: Write, tmp_path: Path, words: list[str], message: str
) -> None:
    import re

    write("t.csv", "x,y\n1,2\n2,3\n3,5\n")
    write("t.json", "{}")
    write("constant.csv", "x,y\n1,a\n2,a\n")
    write("useless.csv", "x,y\n1,a\n1,b\n")
    write("alone.csv", "y\na\nb\n")
    write("one.csv", "x,y\n1,a\n")
    write("headless.csv", "1,2\n3,4\n")
    write("gaps.csv", "x,y\n1,\n2,\n3,\n")
    write("ragged.csv", "x,y\n1,a\n2\n3,b\n")
    write("empty.csv", "")
    write("shop.db", "")
    (tmp_path / "utf16.csv").write_bytes("x,y\n1,a\n2,b\n".encode("utf-16-le"))
    assert re.search(message, one_message(inside("init", *words), 2))
    assert not list(tmp_path.glob("*.yaml"))


def test_rows_without_a_target_are_left_out_with_a_count(inside: Nnfs, write: Write) -> None:
    write("t.csv", "x,y\n" + "".join(f"{i % 7},{'' if i % 5 == 0 else 'ab'[i % 2]}\n" for i in range(60)))
    made = inside("init", "t.csv", "--target", "y")
    assert "the target 'y' is empty in 12 rows of 60, which missing_target: drop leaves out" in made.stderr
    assert "\nmissing_target: drop  # leaves out 12 rows\n" in Path("t.yaml").read_text()
    write("odd.csv", "x,y\n" + "".join(f"{i % 7},{'soon' if i == 5 else f'${i}.50'}\n" for i in range(60)))
    assert "correct these cells" in one_message(inside("init", "odd.csv", "--target", "y"), 2)


def numbers(n: int, k: int) -> str:
    rng = np.random.default_rng(0)
    header = ",".join([*(f"c{j}" for j in range(k)), "y"])
    return "\n".join([header, *(",".join(f"{v:.3f}" for v in rng.normal(size=k + 1)) for _ in range(n)), ""])


def many_dates(n: int = 60) -> str:
    days = [np.datetime64("2024-01-01T06:30") + np.timedelta64(7 * i, "h") for i in range(n)]
    return "when,x,y\n" + "".join(f"{day},{i % 5},{i % 3}\n" for i, day in enumerate(days))


CYCLE = [(i % 10, i % 7, "ab"[i % 2]) for i in range(60)]
AWKWARD: dict[str, tuple[str | bytes, str]] = {
    "semicolons and decimal commas": ("a;b;y\n" + "".join(f"{a},5;{b};{y}\n" for a, b, y in CYCLE), "y"),
    "a byte order mark": (b"\xef\xbb\xbf" + b"y,a\n" + b"".join(b"%d,%d\n" % (i % 2, i) for i in range(40)), "y"),
    "quoted newlines and delimiters": ("a,b,y\n" + "".join(f'"x\n{a}","{b},5",{y}\n' for a, b, y in CYCLE), "y"),
    "300 columns": (numbers(80, 300), "y"),
    "300 columns, more than rows": (numbers(30, 300), "y"),
    "a column without a value": ("a,b,y\n" + "".join(f"{a},,{y}\n" for a, _, y in CYCLE), "y"),
    "a column with one value": ("a,b,y\n3,4,a\n" + "".join(f"{a},,{y}\n" for a, _, y in CYCLE), "y"),
    "dates": (many_dates(), "y"),
    "dates to the second, with gaps": (many_dates().replace("2024-01-02", "").replace("T", " "), "x"),
    "a date that is missing once": (many_dates().replace("2024-01-01T06:30", ""), "y"),
    "whole numbers that are codes": ("zip,y\n" + "".join(f"0{a}{a},{y}\n" for a, _, y in CYCLE), "y"),
    "grades, mostly numbers": ("grade,y\n" + "".join(f"{'A' if b > 5 else b},{y}\n" for _, b, y in CYCLE), "y"),
    "2 rows": ("a,y\n1,x\n2,z\n", "y"),
    "2 rows of numbers": ("a,b,y\n1,4,3.5\n2,5,7\n", "y"),
    "3 rows, one of a class": ("a,y\n1,x\n2,z\n3,x\n", "y"),
    "a class with one row": ("a,y\n" + "".join(f"{i},{'rare' if i == 7 else 'ab'[i % 2]}\n" for i in range(50)), "y"),
    "labels such as 01": ("a,y\n" + "".join(f"{i / 7},{'01' if i % 3 else '10'}\n" for i in range(50)), "y"),
    "truth values with gaps": ("t,y\n" + "".join(f"{['true', 'false', ''][i % 3]},{i % 2}\n" for i in range(50)), "y"),
    "words for nothing": ("a,b,y\n" + "".join(f"{'?' if a == 3 else a},{b},{y}\n" for a, b, y in CYCLE), "y"),
    "names that YAML would misread": (
        '"null","yes, no",#a,"it\'s: 1",ä b\n' + "".join(f"{a},{b},{a * b},{b - a},{y}\n" for a, b, y in CYCLE),
        "ä b",
    ),
    "names with newlines": ('"a\nb",y\n' + "".join(f"{a},{y}\n" for a, _, y in CYCLE), "y"),
    "huge and tiny numbers": ("a,b,y\n" + "".join(f"{a}e300,{b}e-300,{y}\n" for a, b, y in CYCLE), "y"),
    "a target called null": ("a,null\n" + "".join(f"{a},{y}\n" for a, _, y in CYCLE), "null"),
    "windows line ends": ("a,b,y\r\n" + "".join(f"{a},{b},{y}\r\n" for a, b, y in CYCLE), "y"),
}


NARROW = "a class with one row"
# With two nets instead of eight, and models blended with them that are fitted twice.
BRIEFLY = ["--quiet", "--set", "members=2", "--set", "early_stopping=null"]
# `check` finds out how long a blend takes by fitting a part of it: by default of one of the files.
CHECKED = [
    pytest.param(
        case, without, id=f"{case}, {how}", marks=[pytest.mark.slow] if (not without) != (case == NARROW) else []
    )
    for case in AWKWARD
    for how, without in (("checked without its blend", ["--set", "blend=[]"]), ("checked with its blend", []))
]


@pytest.mark.parametrize(("case", "without"), CHECKED)
def test_an_awkward_file_trains_as_proposed(inside: Nnfs, tmp_path: Path, case: str, without: list[str]) -> None:
    content, target = AWKWARD[case]
    (tmp_path / "awkward.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    done = inside("init", "awkward.csv", "--target", target)
    assert done.returncode == 0, done.stderr
    checked = inside("check", "awkward.yaml", *without)
    assert checked.returncode == 0, checked.stderr
    trained = inside("train", "awkward.yaml", *BRIEFLY, "--set", "epochs=2")
    assert trained.returncode == 0, trained.stderr
    predicted = inside("predict", "--input", "awkward.csv")
    assert predicted.returncode == 0, predicted.stderr
    n_rows = len(profile_file(tmp_path / "awkward.csv", target).table.columns[target])
    assert len(list(csv.reader(io.StringIO(predicted.stdout)))) == 1 + n_rows


def test_another_encoding_and_a_packed_file_train_as_proposed(inside: Nnfs, tmp_path: Path) -> None:
    text = "größe,stadt\n" + "".join(f"{i},{['Köln', 'Münster'][i % 2]}\n" for i in range(40))
    (tmp_path / "latin.csv").write_bytes(text.encode("cp1252"))
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "wide.csv").write_bytes(text.encode("utf-16"))
    for words in (["latin.csv", "--encoding", "cp1252"], ["packed.csv.gz"], ["wide.csv", "--encoding", "utf-16"]):
        done = inside("init", *words, "--target", "stadt")
        assert done.returncode == 0, done.stderr
        config = done.stdout.strip()
        assert inside("train", config, *BRIEFLY, "--set", "epochs=2").returncode == 0


CELLS = st.one_of(
    st.integers(-5, 5).map(str),
    st.floats(-10, 10).map(lambda number: f"{number:.2f}"),
    st.sampled_from(["", "NA", "a", "b", "x,y", "true", "false", "2026-01-31", "007", 'q"q', "ü"]),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_table_is_refused_with_one_message_or_trains(inside: Nnfs, tmp_path: Path, data: st.DataObject) -> None:
    n_rows, n_columns = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 4))
    pools = [data.draw(st.lists(CELLS, min_size=1, max_size=6)) for _ in range(n_columns)]
    cells = [[data.draw(st.sampled_from(pool)) for pool in pools] for _ in range(n_rows)]
    names = [f"c{j}" for j in range(n_columns)]
    columns = {name: [row[j] for row in cells] for j, name in enumerate(names)}
    (tmp_path / "any.csv").write_text(as_csv(columns), "utf-8")
    done = inside("init", "any.csv", "--target", "c0", "--force")
    assert done.returncode in (0, 2), done.stderr
    if done.returncode == 2:
        assert len(done.stderr.splitlines()) == 1
        return
    trained = inside("train", "any.yaml", *BRIEFLY, "--set", "epochs=1")
    assert trained.returncode == 0, trained.stderr + (tmp_path / "any.yaml").read_text("utf-8")


@given(data=st.data())
def test_a_config_loads_whatever_the_columns_are_called(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Quotes, colons, brackets and the like in a name: in `drop`, `group`, `columns` and as the target."""
    folder = tmp_path_factory.mktemp("names")
    name = st.text("x0'\"#:,[]{}&*!|>%@`- ?=~\\é", min_size=1, max_size=5).filter(str.strip)
    one, code, same, owner, sex, age, y = data.draw(st.lists(name, min_size=7, max_size=7, unique=True))
    rng = np.random.default_rng(0)
    who = rng.integers(0, 30, 150)
    columns = {
        one: [5] * 150,
        f"{code} code": [f"0{i}" for i in rng.integers(100, 110, 150)],
        f"{same}'": (values := rng.normal(size=150).round(3).tolist()),
        f"{same}''": [2 * value for value in values],
        f"{owner} patient": [f"p{i}" for i in who],
        f"{sex}'": who * 7 % 2,
        f"{age}''' ": who * 11 % 5,
        f"{y}'": rng.exponential(size=150) ** 4,
    }
    file = folder / "t.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([columns, *zip(*columns.values(), strict=True)])
    proposal = propose(profile_file(file, f"{y}'"), f"{y}'")
    (folder / "t.yaml").write_text(write_config(proposal, folder), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NnfsWarning)
        config = load(folder / "t.yaml")
    assert config.dataset.target_columns() == (f"{y}'",)
    assert set(config.dataset.drop) == set(proposal.dropped)
    assert config.split.group == f"{owner} patient"
