"""What `init` and `check` say about texts that are numbers, dates, booleans, lists or free text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.inspection.disguises import disguises
from nnfs_cli.inspection.lists import lists_in
from nnfs_cli.inspection.propose import propose
from nnfs_cli.inspection.table_profile import profile_columns, profile_table
from nnfs_cli.inspection.write_config import write_config
from tests.conftest import Nnfs, one_message

Write = Callable[[str, str], Path]
N = 40
AMBIGUOUS = [f"0{1 + i % 9}/0{1 + i // 9}/2024" for i in range(N)]
DAY_FIRST = [f"{i % 28 + 1}/{i % 12 + 1}/2024" for i in range(N)]
THOUSANDS = [f"{1 + i},{i:03}" for i in range(N)]


def found_in(**columns: Sequence[str | None] | np.ndarray) -> dict[str, tuple[object, str]]:
    """Return how columns are read, and what is left open about each."""
    cells = {name: one if isinstance(one, np.ndarray) else Texts.of(one) for name, one in columns.items()}
    table = Table("t.csv", cells)
    return {name: (one.parser.brief(), one.question) for name, one in disguises(table, profile_columns(table)).items()}


def csv_of(**columns: Sequence[object]) -> str:
    return pd.DataFrame(columns).to_csv(index=False)


def test_words_that_mean_nothing_are_no_evidence_against_a_number() -> None:
    found = found_in(price=[f"${i}.50" for i in range(10)] + ["unknown", "-", "n/a"] * 9)
    assert found == {"price": ({"number": {"invalid": "empty", "unit": "USD", "decimal": "."}}, "")}


def test_cells_that_cannot_be_read_are_to_be_empty() -> None:
    found = found_in(sold=[*(f"Dec {i + 1:02}, 2023" for i in range(30)), "ask", "later"])
    assert found == {"sold": ({"date": {"invalid": "empty", "format": "%b %d, %Y"}}, "")}
    assert not found_in(sold=[*(f"Dec {i + 1:02}, 2023" for i in range(20)), *(f"word {i}" for i in range(20))])


def test_another_column_settles_what_a_column_of_dates_leaves_open() -> None:
    assert "no cell settles it" in found_in(when=AMBIGUOUS)["when"][1]
    assert found_in(when=AMBIGUOUS, other=DAY_FIRST)["when"] == ({"date": "%d/%m/%Y"}, "")
    month_first = ["/".join([b, a, c]) for a, b, c in (date.split("/") for date in DAY_FIRST)]
    assert found_in(when=AMBIGUOUS, other=month_first)["when"] == ({"date": "%m/%d/%Y"}, "")
    assert found_in(when=AMBIGUOUS, other=month_first, third=DAY_FIRST)["when"][1]


def test_another_column_settles_the_decimal_mark_of_a_column_of_numbers() -> None:
    assert "no cell settles it" in found_in(n=THOUSANDS)["n"][1]
    point = ({"number": {"unit": "one", "decimal": "."}}, "")
    assert found_in(n=THOUSANDS, plain=np.arange(N) + 0.5)["n"] == point
    assert found_in(n=THOUSANDS, price=[f"${i}.75" for i in range(N)])["n"] == point
    assert found_in(n=THOUSANDS, weight=[f"{i},5 kg" for i in range(N)])["n"][0] == {
        "number": {"unit": "one", "decimal": ","}
    }
    assert found_in(n=THOUSANDS, whole=np.arange(N) * 1.0)["n"][1]


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["a;b", "b", "a;c;b", "c", ""], ";"),
        (["x | y", "y|z", "z", "x"], "|"),
        (["['drama', 'crime']", "['crime']", "['comedy', 'drama']"], ","),
        (["Paris, France", "Lyon, France", "Rome, Italy"], None),  # always two entries
        (["low", "high"], None),
        (["3;4", "a sentence; it goes on and on", "another one; with many words"], None),
    ],
    ids=str,
)
def test_lists_are_cells_with_entries_that_recur_in_different_numbers(cells: list[str], mark: str | None) -> None:
    found = lists_in(Texts.of([cell or None for cell in cells * 12]))
    assert (found and found.delimiter) == mark
    assert lists_in(Texts.of([f"{i};{i + 1000}" if i % 2 else f"{i}" for i in range(99)])) is None  # ids


def test_init_writes_each_parser_with_its_evidence_and_asks_for_what_is_open(inside: Nnfs, write: Write) -> None:
    rng = np.random.default_rng(0)
    write("t.csv", csv_of(
        price=[f"${x:,.2f}" for x in rng.uniform(1, 5_000, N)], when=AMBIGUOUS,
        tags=[";".join(rng.choice(["a", "b", "c"], k, replace=False)) for k in rng.integers(1, 4, N)],
        share=["ask" if i == 3 else f"{k}%" for i, k in enumerate(rng.integers(1, 50, N))],
        y=[f"{x:.1f} kg" for x in rng.uniform(1, 9, N)],
    ))  # fmt: skip
    said = inside("init", "t.csv", "--target", "y")
    assert "'price' as US dollars" in said.stderr
    assert "warning: 'share' holds percentages except in 1 cell of 40, such as 'ask'" in said.stderr
    assert "warning: 'when' holds dates" in said.stderr
    text = (write("x", "").parent / "t.yaml").read_text()
    assert "  # 40 of 40 cells read as US dollars\n  price: {number: {unit: USD, decimal: .}}\n" in text
    config = yaml.safe_load(text)
    assert config["parse"]["when"] == "date"
    assert config["parse"]["share"]["number"]["invalid"] == "empty"
    assert config["preprocessing"]["columns"]["tags"] == {"multi_hot": {"delimiter": ";", "unseen": "other"}}
    assert "no cell settles it" in one_message(inside("check", "t.yaml"), 2)


def test_a_target_of_two_words_stays_words_and_one_in_many_spellings_is_parsed() -> None:
    for target, parsed in ((["yes", "no"] * N, False), (["yes", "No", "Y", "n"] * N, True)):
        frame = pd.DataFrame({"x": np.arange(len(target)) % 7 + 0.5, "y": target})
        proposal = propose(profile_table(InMemory(target="y").of(frame)), "y")
        assert proposal.task.goal == "binary"
        assert ("parse" in yaml.safe_load(write_config(proposal, Path()))) == parsed


def test_a_target_with_cells_that_cannot_be_read_is_refused_with_one(inside: Nnfs, write: Write) -> None:
    write("t.csv", csv_of(x=np.arange(N) % 7, y=["call us" if i == 9 else f"${i}" for i in range(N)]))
    message = one_message(inside("init", "t.csv", "--target", "y"), 2)
    assert "holds US dollars except in 1 cell of 40, such as 'call us'; correct these cells" in message


def test_a_table_of_only_free_text_is_refused_with_a_sentence(inside: Nnfs, write: Write) -> None:
    review = [f"the film number {i} was as long as it was dull" for i in range(N)]
    write("t.csv", csv_of(review=review, y=["good", "bad"] * (N // 2)))
    message = one_message(inside("init", "t.csv", "--target", "y"), 2)
    assert "t.csv holds only free text ('review') beside the target; no step reads free text" in message


def test_check_finds_disguises_and_lists_that_a_config_reads_as_categories(inside: Nnfs, write: Write) -> None:
    rng = np.random.default_rng(0)
    tags = [";".join(rng.choice(["a", "b", "c"], k, replace=False)) for k in rng.integers(1, 4, N)]
    write("t.csv", csv_of(price=[f"${x:,.2f}" for x in rng.uniform(1, 5_000, N)], tags=tags, y=rng.normal(size=N)))
    write("t.yaml", "dataset: {csv: {path: t.csv, target: y}}\npreset: tabular\n")
    said = inside("check", "t.yaml", "--fix").stdout
    assert "40 of 40 cells read as US dollars" in " ".join(said.split())
    config = yaml.safe_load((write("x", "").parent / "t.yaml").read_text())
    assert config["parse"] == {"price": {"number": {"unit": "USD", "decimal": "."}}}
    assert config["preprocessing"]["columns"] == {"tags": {"multi_hot": {"delimiter": ";", "unseen": "other"}}}
    assert "cells read as" not in inside("check", "t.yaml").stdout


def test_the_error_about_texts_shows_the_parser_that_reads_them(inside: Nnfs, write: Write) -> None:
    write("t.csv", csv_of(price=[f"${i},500" for i in range(1, 9)], y=range(8)))
    write("t.yaml", "dataset: {csv: {path: t.csv, target: y}}\nlayers: [linear: 1]\nloss: mse\nepochs: 1\n")
    failed = inside("train", "t.yaml")
    assert failed.returncode == 2
    assert "\n  parse: {price: {number: {unit: USD, decimal: .}}}\n" in failed.stderr
