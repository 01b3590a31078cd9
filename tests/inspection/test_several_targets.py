"""`init` proposes how to learn several targets together, and names the order of classes that are steps of a scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.config import yaml
from nnfs_cli.errors import DataError
from nnfs_cli.inspection.load_config import load
from nnfs_cli.inspection.propose import Proposal, propose
from nnfs_cli.inspection.table_profile import named_targets, profile_file
from nnfs_cli.inspection.word_orders import order_of
from nnfs_cli.inspection.write_config import write_config
from tests.conftest import Nnfs, one_message

N = 120


@pytest.fixture
def weather(tmp_path: Path) -> Path:
    """Two inputs, two labels, two numbers and a class of three."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, N)).round(3)
    columns = {
        "a": a,
        "b": b,
        "rain": np.where(a + rng.normal(size=N) > 0, "wet", "dry"),
        "hail": (b + rng.normal(size=N) > 1).astype(int),
        "mm": (a * 2 + rng.normal(size=N)).round(2),
        "wind, top": (b * 3 + rng.normal(size=N)).round(2),
        "force": rng.choice(["low", "high", "medium"], N),
        "stars": rng.integers(1, 6, N),
    }
    rows = [",".join(f'"{value}"' for value in row) for row in zip(*columns.values(), strict=True)]
    path = tmp_path / "weather.csv"
    path.write_text("\n".join([",".join(f'"{name}"' for name in columns), *rows]) + "\n")
    return path


def proposed(path: Path, target: str) -> Proposal:
    """What is proposed, after its config has been read again."""
    profile = profile_file(path, target)
    proposal = propose(profile, named_targets(profile.table, target))
    config = path.with_suffix(".yaml")
    config.write_text(write_config(proposal, path.parent))
    loaded = load(config)
    assert loaded.dataset.target_columns() == proposal.targets
    return proposal


def test_targets_of_two_classes_are_labels(weather: Path) -> None:
    proposal = proposed(weather, "rain, hail")
    assert (proposal.task.goal, proposal.targets) == ("labels", ("rain", "hail"))
    config = load(weather.with_suffix(".yaml"))
    assert config.loss.name == "binary_cross_entropy"
    assert [metric.name for metric in config.metrics or ()] == ["accuracy", "subset_accuracy", "roc_auc"]
    assert not {"rain", "hail"} & {*proposal.inputs}
    assert (
        "2 labels that may be true together: 'rain' holds 'dry' and 'wet'; 'hail' holds '0' and '1'"
        in proposal.task.why
    )


def test_targets_of_numbers_are_a_regression_also_beside_few_whole_ones(weather: Path) -> None:
    for target in ("mm,stars", "wind, top"):  # the second is the name of one column
        proposal = proposed(weather, target)
        assert proposal.task.goal == "regression"
        assert load(weather.with_suffix(".yaml")).loss.name == "mse"
    assert proposal.targets == ("wind, top",)


def test_targets_that_do_not_fit_together_are_refused(weather: Path) -> None:
    for target, odd in (
        ("mm, rain", "'rain' holds 2 classes, and 'mm' holds numbers"),
        ("rain, force", "'force' holds 3 c"),
    ):
        with pytest.raises(DataError, match=f"{odd}.*; several targets must all hold numbers, or two classes each"):
            proposed(weather, target)
    with pytest.raises(DataError, match="has no column 'snow'"):
        proposed(weather, "rain, snow")


def test_rows_without_one_of_the_targets_are_left_out_on_the_command_line(inside: Nnfs, tmp_path: Path) -> None:
    lines = [f"{i * 7 % 13},{'yn'[i % 3 == 0] if i % 10 else ''},{'ab'[i % 2] if i % 15 else ''}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,p,q", *lines]) + "\n")
    found = inside("init", "t.csv", "--target", "p,q")
    assert "the target 'p' or 'q' is empty in 8 rows of 60, which missing_target: drop leaves out" in found.stderr
    assert "target: [p, q]" in (tmp_path / "t.yaml").read_text()
    inside("train", "t.yaml", "--set", "epochs=1", "--quiet", "--no-report")
    assert "has no column 'r'" in one_message(inside("init", "t.csv", "--target", "p,r", "--force"), 2)


@pytest.mark.parametrize(
    "scale",
    [
        "low medium high",
        "S M L XL XXL",
        "1st 2nd 3rd 4th 10th",
        "Strongly disagree|Disagree|Neutral|Agree|Strongly agree",
        "Jan Feb Mar Dec",
        "janvier février août",
        "F D- C+ B A",
        "I II III IV IX",
        "<18|18-25|26-40|65+",
        "stage 1|stage 2|stage 10",
        "Fair|Good|Very Good|Premium|Ideal",
        "never rarely sometimes often always",
        "none mild moderate severe",
    ],
)
def test_steps_of_a_scale_are_put_in_order(scale: str) -> None:
    steps = scale.split("|") if "|" in scale else scale.split()
    for seed in range(5):
        mixed = np.random.default_rng(seed).permutation(steps).tolist()
        assert order_of(mixed) == tuple(steps)


@pytest.mark.parametrize(
    "labels",
    ["red low blue", "low medium high unknown", "1 2 3", "A1 B2 C3", "low high", "Ulm Jena Trier", "a x f", ""],
)
def test_words_that_are_no_scale_have_no_order(labels: str) -> None:
    assert order_of(labels.split()) == ()


@given(st.lists(st.text(max_size=8), max_size=6, unique=True))
def test_an_order_holds_each_label_once_or_nothing(labels: list[str]) -> None:
    order = order_of(labels)
    assert order == () or sorted(order) == sorted(labels)


def test_the_order_stands_in_a_comment_that_is_a_line_of_a_config(weather: Path) -> None:
    assert proposed(weather, "force").task.order == ("low", "medium", "high")
    path = weather.with_suffix(".yaml")
    text = path.read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("#   loss: "))
    assert yaml.read(line[4:].encode())[0] == {"loss": {"ordinal": ("low", "medium", "high")}}
    path.write_text(text.replace("loss: cross_entropy", "").replace(line, line[4:]))
    assert load(path).loss.name == "ordinal"
