"""The tables of the guide that say what a name of scikit-learn or Keras is here name things that exist and work."""

from __future__ import annotations

import re
import warnings
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas
import polars
import pytest
from sklearn.neural_network import MLPClassifier

import nnfs_cli
from nnfs_cli import Linear, NetClassifier, NnfsWarning, Sequential
from nnfs_cli.data.in_memory import InMemory
from tests.readme import GUIDE
from tests.session import Python

ROWS = re.compile(r"^\| (?!---)(.+) \| (.+) \|$", re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")
SETTING = re.compile(r"(\w+)=[^=]")
NAMES = {name: getattr(nnfs_cli, name) for name in nnfs_cli.__all__}
LABELS = np.arange(60) % 3
INPUTS = np.stack([LABELS, np.arange(60) % 7], axis=1).astype(float)
TABLE = {"size": INPUTS[:, 1], "color": [f"color {index % 4}" for index in range(60)]}


def settings(page: str, where: int) -> list[tuple[str, str]]:
    """Return all settings in one of the two cells of the rows of a page, each with the cell."""
    cells = [row[where] for row in ROWS.findall((GUIDE / f"{page}.md").read_text(encoding="utf-8"))]
    return [(span, cell) for cell in cells for span in SPAN.findall(cell) if SETTING.match(span)]


def value(code: str) -> Any:
    """Return the value of Python code with the names that nnfs offers."""
    names = dict(NAMES)
    Python(names).runsource(f"value = {code}")
    return names["value"]


def train(span: str, cell: str) -> None:
    """Train a small net with settings: an estimator if the cell says so, or else a net alone."""
    given = value(f"dict({span})")
    if "estimator" in cell:
        NetClassifier(**{"layers": ["linear: 4", "relu"], "epochs": 1, **given}).fit(TABLE, LABELS)
    else:
        net = Sequential(["linear: 4", "relu", "linear: 3"])
        net.fit(INPUTS, LABELS, **{"loss": "cross_entropy", "epochs": 1, **given})


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NnfsWarning)  # such as about more parameters than rows
        yield


@pytest.mark.parametrize(("span", "cell"), settings("scikit-learn", 1))
def test_a_setting_for_scikit_learn_users_trains_an_estimator(span: str, cell: str) -> None:
    train(span, f"{cell} of an estimator")


@pytest.mark.parametrize(("span", "cell"), settings("keras", 1))
def test_a_setting_for_keras_users_trains_a_net(span: str, cell: str) -> None:
    train(span, cell)


@pytest.mark.parametrize(("span", "_cell"), settings("scikit-learn", 0)[1:])
def test_a_setting_on_the_left_is_one_of_scikit_learn(span: str, _cell: str) -> None:
    given = value(f"dict({span})")
    if "class_weight" not in given:
        MLPClassifier(**given)._validate_params()


def test_every_layer_and_callback_for_keras_users_is_there() -> None:
    cells = [here for _, here in ROWS.findall((GUIDE / "keras.md").read_text(encoding="utf-8"))]
    made = [value(span) for cell in cells for span in SPAN.findall(cell) if re.match(r"[A-Z]\w*\(.*\)$", span)]
    named = [span for cell in cells for span in SPAN.findall(cell) if re.fullmatch(r"[A-Z]+[a-z]\w*", span)]
    assert len(made) > 10
    assert [name for name in named if name not in NAMES] == []


def test_the_losses_for_keras_users_are_there() -> None:
    text = (GUIDE / "keras.md").read_text(encoding="utf-8")
    losses = re.findall(r'^\| `.*` \| `(\{?"[a-z_]+".*?)`', text, re.MULTILINE)
    assert len(losses) == 4
    for loss in losses:
        classes = 2 if "binary" in loss else 3
        net = Sequential([f"linear: {classes - (classes == 2)}"])
        net.fit(INPUTS, LABELS % classes, loss=value(loss), epochs=1)


def test_alpha_of_scikit_learn_is_l2_times_the_rows_of_a_batch() -> None:
    X, y, alpha = INPUTS[:32], (LABELS[:32] > 0).astype(int), 3.0
    theirs = MLPClassifier((), solver="sgd", alpha=alpha, batch_size=32, momentum=0.0, learning_rate_init=0.1)
    theirs.partial_fit(X, y, classes=[0, 1])
    ours = Sequential([Linear(1, l2=alpha / 32)]).initialize(2, dtype="float64")
    ours.load({"0.weight": theirs.coefs_[0], "0.bias": theirs.intercepts_[0]})
    ours.fit(X, y, loss="binary_cross_entropy", optimizer="sgd", lr=0.1, epochs=1, batch_size="full")
    theirs.partial_fit(X, y)
    np.testing.assert_allclose(ours.weights["0.weight"], theirs.coefs_[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pandas.array([1, None, 3], dtype="Int64"), "numbers"),
        (np.array([1.5, np.nan, 3.0], np.float32), "numbers"),
        ([Decimal("1.5"), None, Decimal("3.0")], "numbers"),
        (pandas.array([True, None, False], dtype="boolean"), "numbers"),
        ([timedelta(hours=1), None, timedelta(hours=2)], "numbers"),
        (["01067", None, "10115"], "texts"),
        (["", None, "a"], "texts"),
        ([1, None, "a"], "texts"),
        (pandas.Categorical(["a", None, "b"]), "texts"),
        (polars.Series(["a", None, "b"], dtype=polars.Enum(["a", "b"])), "texts"),
        ([date(2026, 1, 1), None, date(2026, 1, 2)], "dates"),
        (pandas.to_datetime(["2026-01-01 01:00+01:00", None, "2026-01-02 01:00+01:00"]), "dates"),
    ],
)
def test_a_column_is_what_the_page_says(column: Any, kind: str) -> None:
    found = InMemory(target="other").of({"column": column, "other": [1, 2, 3]}).read().column("column")
    kinds = {"f": "numbers", "i": "numbers", "b": "numbers", "M": "dates"}
    assert (kinds[found.dtype.kind] if isinstance(found, np.ndarray) else "texts") == kind
    if kind == "dates":
        assert found[0] == np.datetime64("2026-01-01")
    else:
        assert [i for i, value in enumerate(found.tolist()) if value is None or value != value] == [1]
