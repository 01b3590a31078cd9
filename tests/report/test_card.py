"""The model card: what programs read on top, what people read below, and what must not be in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from nnfs_cli import Run, UserError, train
from nnfs_cli.config.yaml import read
from nnfs_cli.report.card.markdown import escaped, prose, without_folders
from nnfs_cli.report.card.metadata import dataset_id
from tests.conftest import Nnfs, one_message

HEADINGS = [
    "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data", "Quantitative analyses",
    "Ethical considerations", "Caveats and recommendations", "How to repeat it",
]  # fmt: skip
# What the Hub refuses: the pattern is that of its own message, in github.com/embeddings-benchmark/mteb/issues/1111.
DATASET = re.compile(r"(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_.-]+")
TASKS = ("tabular-classification", "tabular-regression")
ODD = "a|b*c_ `d` <e> [f](g) $x$ ~~h~~ &amp;"
SETTINGS: dict[str, Any] = {
    "layers": ["linear: 3", "tanh", "linear: 1"],
    "loss": "binary_cross_entropy",
    "metrics": ["accuracy", "recall: per_class"],
    "preprocessing": {"numbers": "standardize", "categories": {"one_hot": {"unseen": "other", "min_frequency": 5}}},
    "split": {"validation": 0.2, "test": 0.2},
    "epochs": 3,
}


def trained(folder: Path, **settings: Any) -> Run:
    """A run with odd names and a category that only one row has, whose data is a file."""
    lines = [f'"{ODD}",city,loan']
    lines += [f"{i % 17},{'Bonn' if i % 2 else 'Rome'},{'yes' if i % 3 else 'no'}" for i in range(150)]
    (folder / "my loans (2026).csv").write_text("\n".join([*lines, "3,Ms Secret of Oslo,yes\n"]))
    source = {"csv": {"path": str(folder / "my loans (2026).csv"), "target": "loan"}}
    return train({"dataset": source, **SETTINGS, **settings}, folder=folder / "runs", verbose=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """This run; nobody changes it."""
    return trained(tmp_path_factory.mktemp("card"))


@pytest.fixture(scope="module")
def card(run: Run) -> str:
    """Its card."""
    return run.card()


def metadata_of(card: str) -> dict[str, Any]:
    _, head, _ = card.split("---\n", 2)
    plain: dict[str, Any] = json.loads(json.dumps(read(head.encode())[0]))
    return plain


def tables_of(card: str) -> list[list[list[str]]]:
    """Return the cells of each table of a card, as a reader of Markdown sees them."""
    tables: list[list[list[str]]] = []
    in_cell = False
    for token in MarkdownIt("commonmark").enable("table").parse(card.split("---\n", 2)[2]):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type in ("th_open", "td_open"):
            in_cell = True
        elif token.type in ("th_close", "td_close"):
            in_cell = False
        elif token.type == "inline" and tables and in_cell:
            tables[-1][-1].append("".join(child.content for child in token.children or ()))
    return tables


def test_the_metadata_is_what_the_hub_takes(card: str, run: Run) -> None:
    found = metadata_of(card)
    assert found["library_name"] == "nnfs"
    assert found["pipeline_tag"] in TASKS
    assert all(isinstance(tag, str) for tag in (*found["tags"], *found["metrics"]))
    assert found["metrics"] == ["accuracy", "recall"]
    (index,) = found["model-index"]
    assert index["name"] == run.path.name
    assert [result["dataset"]["split"] for result in index["results"]] == ["test", "validation"]
    for result in index["results"]:
        assert result["task"]["type"] == found["pipeline_tag"]
        assert DATASET.fullmatch(result["dataset"]["type"])
        assert result["dataset"]["name"] == "my loans (2026).csv"
        figures = {one["name"].partition(" (")[0]: one["value"] for one in result["metrics"]}
        true = run.metrics[result["dataset"]["split"]]
        assert figures == {name: value for name, value in true.items() if name != "rows" and value is not None}
        assert {one["type"] for one in result["metrics"]} == {"binary_cross_entropy", "accuracy", "recall"}


@pytest.mark.slow
def test_the_hubs_own_library_reads_the_card(card: str, run: Run) -> None:
    hub = pytest.importorskip("huggingface_hub")
    read_back = hub.ModelCard(card)
    results = read_back.data.eval_results
    assert {(one.dataset_split, one.metric_type) for one in results} >= {("test", "accuracy"), ("validation", "recall")}
    accuracy = next(one for one in results if (one.dataset_split, one.metric_type) == ("test", "accuracy"))
    assert accuracy.metric_value == run.metrics["test"]["accuracy"]
    assert read_back.data.pipeline_tag == "tabular-classification"
    assert hub.ModelCard(str(read_back)).data.to_dict() == read_back.data.to_dict()


@pytest.mark.parametrize(
    "name", ["my loans (2026).csv", "s3.parquet", "Häuser.csv.gz", "...", "", "a/b\\c.xlsx", "今日.csv"]
)
def test_any_name_of_a_table_becomes_an_id_that_the_hub_takes(name: str) -> None:
    assert DATASET.fullmatch(dataset_id(name))


def test_the_card_has_the_headings_of_the_paper_and_asks_for_what_only_people_know(card: str) -> None:
    assert re.findall(r"^## (.*)$", card, re.MULTILINE) == HEADINGS
    assert card.count("> **To fill in**: ") == 7


def test_the_card_holds_neither_a_path_nor_a_cell_that_few_rows_have(card: str, tmp_path: Path, run: Run) -> None:
    assert "Ms Secret" not in card
    assert "'Bonn', 'Rome' and 1 other" in card
    for place in (run.path.parent.parent, Path.home(), Path.cwd()):
        assert str(place) not in card


def test_names_with_marks_of_markdown_are_shown_as_they_are(card: str) -> None:
    columns = next(table for table in tables_of(card) if table[0][0] == "column")
    assert columns[0] == ["column", "kind", "values"]
    assert [row[0] for row in columns[1:]] == [ODD, "city"]
    assert all(len({*map(len, table)}) == 1 for table in tables_of(card))


@pytest.mark.parametrize("text", [ODD, "# a", "- b", "a_b", "_a_ __b__", "1 < 2", "> c", "a\\b", "&copy; & co", "``"])
def test_an_escaped_text_is_read_as_it_was(text: str) -> None:
    (_, inline, _) = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(escaped(text))
    assert "".join(child.content for child in inline.children or ()) == text
    assert {child.type for child in inline.children or ()} <= {"text", "text_special"}


WORDS = [
    "#", "##", "-", "+", "---", "===", "=", ">", "1.", "23)", "-3", "<b>", "<script>", "</div>", "| a |", ":-- |",
    "`", "``", "`<i>`", "~~~", "word " * 9, "column",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30))
@settings(max_examples=60)
def test_a_long_sentence_is_one_paragraph_whatever_its_lines_begin_with(words: list[str]) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(prose(" ".join(words)))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert "html_inline" not in {child.type for child in tokens[1].children or ()}


def test_figures_have_their_intervals_and_those_of_simple_models_beside_them(card: str, run: Run) -> None:
    figures = next(table for table in tables_of(card) if table[0][0] == "figure")
    low, high = run.evaluate(splits="test").intervals["test"]["accuracy"] or (0, 0)
    accuracy = next(row for row in figures if row[0] == "accuracy")
    assert accuracy[-1] == f"{run.metrics['test']['accuracy']:.4f} [{low:.4f}, {high:.4f}]"
    models = next(table for table in tables_of(card) if table[0][0] == "model")
    assert [row[0] for row in models[1:]] == ["the net", "a linear model on the same inputs", "the best constant"]


def test_which_columns_matter_is_told_once_it_is_known(tmp_path: Path) -> None:
    run = trained(tmp_path)
    assert "Which columns matter is not known yet" in run.card()
    run.explain()
    card = run.card()
    assert "is not known yet" not in card
    (table,) = (table for table in tables_of(card) if table[0][:2] == ["column", "effect"])
    assert {row[0] for row in table[1:]} == {ODD, "city"}


def test_without_its_data_a_run_has_a_card_that_says_so(tmp_path: Path) -> None:
    run = trained(tmp_path)
    whole = metadata_of(run.card())
    (tmp_path / "my loans (2026).csv").unlink()
    card = run.card()
    assert str(tmp_path) not in card
    assert "is no longer at my loans (2026).csv" in " ".join(card.replace("\n> ", " ").split())
    assert re.findall(r"^## (.*)$", card, re.MULTILINE) == [*HEADINGS, "What is missing"]
    without = [one["value"] for one in metadata_of(card)["model-index"][0]["results"][0]["metrics"]]
    assert without == [one["value"] for one in whole["model-index"][0]["results"][0]["metrics"]]


def test_a_message_loses_the_folders_of_its_paths_and_no_other_word() -> None:
    text = "it is at /home/ann/x.csv, C:\\data\\b.csv and s3://shop/c.csv; see https://e.org/a/b and 1/2 and/or"
    assert without_folders(text) == "it is at x.csv, b.csv and s3://shop/c.csv; see https://e.org/a/b and 1/2 and/or"


def test_the_command_prints_the_card_or_writes_a_new_file(run: Run, inside: Nnfs, tmp_path: Path, card: str) -> None:
    assert inside("card", run.path, "-q").stdout == card
    done = inside("card", run.path, "--output", "card.md")
    assert done.stdout == "card.md\n"
    assert done.stderr == "next        fill in what card.md asks for\n"
    assert (tmp_path / "card.md").read_text(encoding="utf-8") == card
    (tmp_path / "card.md").write_text("filled in")
    message = "error: 'card.md' exists, and may hold what was filled in; choose another file\n"
    assert one_message(inside("card", run.path, "--output", "card.md"), 2) == message
    assert (tmp_path / "card.md").read_text() == "filled in"
    assert "there is no folder 'no'; make it first" in one_message(
        inside("card", run.path, "--output", "no/card.md"), 2
    )
    plain = json.loads(inside("card", run.path, "--json").stdout)
    assert plain["card"] == card
    assert plain["metadata"] == metadata_of(card)
    with pytest.raises(UserError, match="is a folder; give the name of a file"):
        run.card(tmp_path)
