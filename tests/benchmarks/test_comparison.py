"""What is said of the figures of several models follows from them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel, wilcoxon

from tests.benchmarks.accuracy_report import markdown, mean_ranks, splits_of, summary, tried
from tests.benchmarks.comparison import Figures, corrected_p, duel, means, ranks, scores, shared, worst


def figures(**losses: list[list[float]]) -> Figures:
    """Figures of models on tables a, b, c ... from their losses, by model and then by table."""
    found: Figures = {}
    for model, tables in losses.items():
        for table, splits in zip("abcdefghij", tables, strict=False):
            found.setdefault(table, {})[model.replace("_", " ")] = [
                {"split": split, "loss": loss, "seconds": 2.0, "megabytes": 100.0} for split, loss in enumerate(splits)
            ]
    return found


def test_ranks_and_scores() -> None:
    losses = {"one": {"a": 1.0, "b": 2.0, "c": 3.0}, "two": {"a": 5.0, "b": 4.0, "c": 5.0}}
    assert ranks(losses) == {"a": 1.75, "b": 1.5, "c": 2.75}
    assert scores(losses) == {"a": 0.5, "b": 0.75, "c": 0.0}


def test_only_splits_that_all_models_have_are_compared() -> None:
    found = figures(x=[[1, 2, 3], [1, 1]], y=[[5, 6], []])
    assert means(shared(found, ["x", "y"])) == {"a": {"x": 1.5, "y": 5.5}}
    assert splits_of(found) == "3 splits of each table (2 to 3 for x; 0 to 2 for y)"
    assert splits_of(figures(x=[[1, 2]], y=[[1, 2]])) == "2 splits of each table"


def test_a_variant_is_ranked_in_place_of_nnfs() -> None:
    found = figures(constant=[[0]], linear=[[4]], CatBoost=[[3]], nnfs=[[2]], nnfs_fast=[[5]], nnfs_best=[[1]])
    assert mean_ranks(found) == {"linear": 3, "CatBoost": 2, "nnfs": 1, "nnfs fast": 3, "nnfs best": 1}


def test_the_test_of_splits_is_a_paired_t_test_with_a_greater_error() -> None:
    ours, theirs = np.random.default_rng(0).normal(size=(2, 5))
    known = ttest_rel(ours, theirs)
    assert corrected_p(ours, theirs, 0) == pytest.approx(known.pvalue)
    assert corrected_p(ours, theirs) > known.pvalue
    assert corrected_p([1.0], [2.0]) == corrected_p([1.0, 2.0], [1.0, 2.0]) == 1


def test_equal_models_differ_beyond_noise_in_a_twentieth_of_all_cases() -> None:
    """In the model of Nadeau and Bengio, splits correlate by the share of the test rows, which is 0.2 here."""
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(1_500, 1)), rng.normal(size=(1_500, 5))
    differences = math.sqrt(0.2) * common + math.sqrt(0.8) * own
    found = np.mean([corrected_p(of, np.zeros(5)) < 0.05 for of in differences])
    assert found == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 1_500))


def test_a_duel_counts_tables() -> None:
    ours = [[1.0, 1.1, 0.9], [2.0, 4.0, 3.0], [5.0, 5.0, 5.0]]
    theirs = [[2.0, 2.1, 1.9], [2.5, 3.0, 3.4], [4.0, 4.1, 3.9]]
    of = duel(figures(nnfs=ours, x=theirs), "nnfs", "x")
    logs = np.log(np.mean(ours, axis=1) / np.mean(theirs, axis=1))
    counted = (of.tables, of.better, of.worse, of.surely_better, of.surely_worse)
    assert counted == (3, 1, 2, 1, 1)
    assert of.ratio == pytest.approx(np.exp(logs.mean()))
    assert of.p == wilcoxon(logs).pvalue


def test_the_worst_table_is_that_with_the_greatest_ratio_to_the_best_simple_model() -> None:
    found = figures(constant=[[3], [1]], linear=[[2], [2]], MLP=[[4], [2]], nnfs=[[2.2], [1.05]])
    assert worst(found, "nnfs") == ("a", pytest.approx(1.1))
    assert worst(figures(nnfs=[[1]]), "nnfs") is None


def test_the_reports_show_every_model() -> None:
    machine = {"processor": "P", "python": "3", "packages": {"numpy": "2"}}
    found = figures(constant=[[4, 4]], linear=[[3, 3]], CatBoost=[[2, 2.1]], nnfs=[[1, 1]], nnfs_best=[[1, 1]])
    results = {"date": "2000-01-01", "machine": machine, "figures": found}
    assert summary(results).splitlines()[2:] == [
        "| **nnfs** | 1.0 |  | 2.00 |",
        "| CatBoost | 2.0 | 1 of 1 | 2.00 |",
        "| linear | 3.0 | 1 of 1 | 2.00 |",
        "",
        "2000-01-01, P, one thread, 2 splits of each table.",
    ]
    text = markdown(results)
    assert "| a | 4 | 3 | 2.05 | **1** |" in text
    assert "| nnfs best | 1.00 | 1.00 | 1 | 2.00 | 2.0 | 100 |" in text
    assert "| CatBoost | 1 / 0 | 1 / 0 | 0.488 | nan |" in text
    assert "of the tables, which alone" not in text
    found["b"] = {"nnfs": found["a"]["nnfs"]}
    assert "All models were measured on 1 of the tables, which alone count for ranks and scores." in markdown(results)


def test_what_was_tried_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "tried.json"
    assert tried(path) == "Not measured yet.\n"
    one = {"what": "more", "percent": -1.25, "error": 0.5, "seconds": 2, "kept": True, "note": "all tables"}
    path.write_text(json.dumps([one, {**one, "percent": None, "error": None, "seconds": None, "kept": False}]))
    assert tried(path).splitlines()[2:] == [
        "| more | -1.25 ± 0.50 | 2.0 | yes | all tables |",
        "| more | - | - | no | all tables |",
    ]
