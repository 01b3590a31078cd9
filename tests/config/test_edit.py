"""Keys of a config are changed in its text, which keeps its comments and its order."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.config import yaml
from nnfs_cli.config.edit import edited
from nnfs_cli.config.yaml import YamlError

MAIN = {"preprocessing": "numbers"}
FLOW = """\
# top
dataset: iris  # data
layers:
  - linear: 20   # first
  - relu
  - linear: {units: 3, bias_init: {constant: -30}}  # last
  - sigmoid
loss: cross_entropy
lr: 0.1  # rate
preprocessing: none
epochs: 10
"""
BLOCK = """\
dataset:
  csv:
    # where
    path: x.csv
    target: y
    drop:
      - a
      - b
preprocessing:
  numbers: none
layers:
- linear:
    units: 3
    bias_init:
      constant: -30
- relu

- linear: 1
epochs: 3"""


@pytest.mark.parametrize(
    ("text", "edits", "changed"),
    [
        (FLOW, {"lr": 0.5}, "-lr: 0.1  # rate|+lr: 0.5  # rate"),
        (FLOW, {"layers.3": "softmax"}, "-  - sigmoid|+  - softmax"),
        ("epochs: 3\n...\n", {"lr": 0.5}, "+lr: 0.5"),
        (FLOW, {"layers.1": None}, "-  - relu"),
        (
            FLOW,
            {"layers.0": {"linear": {"units": 20, "bias": False}}},
            "-  - linear: 20   # first|+  - linear: {units: 20, bias: false}   # first",
        ),
        (
            FLOW,
            {"layers.2.linear.bias_init": None},
            "-  - linear: {units: 3, bias_init: {constant: -30}}  # last|+  - linear: {units: 3}  # last",
        ),
        (FLOW, {"preprocessing.numbers": "standardize"}, "-preprocessing: none|+preprocessing: standardize"),
        (
            FLOW,
            {"preprocessing.target": "log1p"},
            "-preprocessing: none|+preprocessing: {numbers: none, target: log1p}",
        ),
        (FLOW, {"lr": None}, "-lr: 0.1  # rate"),
        (FLOW, {"metrics": None}, ""),
        (FLOW, {"clip": {"norm": 1.0}, "members": 2}, "+clip: {norm: 1.0}|+members: 2"),
        (BLOCK, {"dataset.csv.drop": ["a", "c"]}, "-    drop:|-      - a|-      - b|+    drop: [a, c]"),
        (BLOCK, {"dataset.csv.drop": None}, "-    drop:|-      - a|-      - b"),
        (BLOCK, {"dataset.csv.drop": ["a", "b", "c", "d"]}, "+      - c|+      - d"),
        (BLOCK, {"dataset.csv.weight": "w"}, "+    weight: w"),
        (BLOCK, {"preprocessing.columns.2020": "standardize"}, "+  columns:|+    '2020': standardize"),
        (BLOCK, {("parse", "a.b"): "number"}, "+parse:|+  a.b: number"),
        (BLOCK, {"layers.0.linear.bias_init": None}, "-    bias_init:|-      constant: -30"),
        (BLOCK, {"layers.2": None}, "-- linear: 1"),
        (BLOCK, {"loss": "mse"}, "+loss: mse"),
    ],
)
def test_only_the_lines_of_a_changed_key_differ(text: str, edits: Any, changed: str) -> None:
    after = edited(text, edits, MAIN)
    lines = difflib.unified_diff(text.splitlines(), after.splitlines(), n=0, lineterm="")
    assert [line for line in list(lines)[2:] if line[0] in "+-"] == list(filter(None, changed.split("|")))


QUOTED = """\
dataset: {csv: {path: 't.csv', target: "y"}}  # the data
split: {validation: 0.2,
        test: 0.1}  # held out
metrics: [ 'f1', # of both
  "accuracy",
]  # figures
callbacks: []
"""


@pytest.mark.parametrize(
    ("edits", "old", "new"),
    [
        ({"dataset.csv.drop": ["a"]}, '"y"}}', '"y", drop: [a]}}'),
        ({"split.group": "who"}, "test: 0.1}", "test: 0.1, group: who}"),
        ({"metrics": ["f1", "accuracy", "r2"]}, "]  # figures", "r2]  # figures"),
        ({"callbacks": ["x"]}, "[]", "[x]"),
        ({"split.time": "a, b", "split.gap": 3}, "test: 0.1}", "test: 0.1, time: 'a, b', gap: 3}"),
    ],
)
def test_a_value_in_brackets_grows_before_the_last_bracket(edits: Mapping[str, Any], old: str, new: str) -> None:
    after = edited(QUOTED, edits, {})
    assert after.split() == QUOTED.replace(old, new).split()
    assert after.count("\n") == QUOTED.count("\n")


@pytest.mark.parametrize("name", ["layers.9", "layers.x", "lr.x", "layers.0.linear.bias.x"])
def test_a_name_that_leads_nowhere_is_an_error(name: str) -> None:
    with pytest.raises(YamlError):
        edited(FLOW, {name: 1}, {})


KEYS = st.sampled_from(["a", "b", "no", "2020", "with space", "é"])
SCALARS = st.one_of(
    st.integers(-9, 9), st.booleans(), st.sampled_from(["x", "no", "1", "a: b", "# c", "it's", "", "ü"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), st.data(), st.booleans())
def test_the_text_then_holds_the_new_value_and_everything_else_as_before(
    config: dict[str, Any], data: st.DataObject, comments: bool
) -> None:
    text = yaml.dump(config)
    if comments:
        text = "# begin\n" + text.replace("\n", "\n\n", 1) + "# end\n"
    before, positions = yaml.read(text.encode())
    path = data.draw(st.sampled_from([path for path in positions.values if path]))
    value = data.draw(st.one_of(st.none(), VALUES))
    after = edited(text, {".".join(map(str, path)): value}, {})
    assert (yaml.read(after.encode())[0] or {}) == _with(before, path, _plain(value))
    assert not comments or (after.startswith("# begin") and after.endswith("# end\n"))


def _with(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return plain values in which the one at `path` is another, or is missing."""
    key, rest = path[0], path[1:]
    items = dict(enumerate(data)) if isinstance(data, tuple) else dict(data)
    items[key] = _with(items[key], rest, value) if rest else value
    if items[key] is None and not rest:
        del items[key]
    return tuple(items.values()) if isinstance(data, tuple) else items


def _plain(value: Any) -> Any:
    return yaml.read(yaml.dump(value).encode())[0]
