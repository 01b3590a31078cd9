"""The YAML reader and writer: types of scalars, positions, and --set."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.config.yaml import YamlError, dump, dump_value
from nnfs_cli.config.yaml import read as read_text
from nnfs_cli.errors import ConfigError, Fault
from tests.conftest import EXAMPLES

NET = """\
dataset: iris
layers:
  - linear: 10
  - relu
  - sequential:
      - linear: {units: 3, bias: no}
lr:  0.5   # a comment
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write texts into, one after another."""
    return tmp_path_factory.mktemp("document") / "config.yaml"


def read(file: Path, text: str) -> Document:
    file.write_bytes(text.encode())
    return Document.load(file)


def same(a: object, b: object) -> bool:
    """Equal in type as well as in value, where one nan is like another."""
    return repr(a) == repr(b)


# What a scalar is


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3), ("-1", -1), ("+2", 2), ("010", 10), ("0x1F", 31), ("0o17", 15), ("0", 0), ("-0", 0),
        ("1e-3", 0.001), ("1E3", 1000.0), ("1e+2", 100.0), ("+1.5e3", 1500.0), (".5", 0.5), ("-.5", -0.5),
        ("5.", 5.0), ("1.0", 1.0), ("-0.0", -0.0), ("1e999", math.inf),
        (".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf), (".nan", math.nan), (".NaN", math.nan),
        ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
        ("null", None), ("Null", None), ("NULL", None), ("~", None), ("", None), ("# nothing else", None),
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("No", "No"), ("y", "y"), ("n", "n"),
        ("1_000", "1_000"), ("1,000", "1,000"), ("0b11", "0b11"), ("-0x1F", "-0x1F"), ("0x", "0x"), ("0o8", "0o8"),
        ("12:30", "12:30"), ("1e", "1e"), ("e3", "e3"), (".", "."), ("-", ("null",)), ("1.2.3", "1.2.3"),
        ("1e-3x", "1e-3x"), ("inf", "inf"), ("nan", "nan"), ("-.nan", "-.nan"), ("tRUE", "tRUE"), ("nUll", "nUll"),
        ("2024-01-01", "2024-01-01"), ("2024-01-01 12:30:00", "2024-01-01 12:30:00"), ("=", "="), ("<<", "<<"),
        ("'3'", "3"), ('"1e-3"', "1e-3"), ("'true'", "true"), ('"null"', "null"), ("''", ""), ("'~'", "~"),
        ("two words", "two words"), ("ünï", "ünï"), (r'"\x41\n"', "A\n"), ("|\n  a\n  b", "a\nb\n"),
        (">-\n  a\n  b", "a b"),
        ("[1, '1', a]", (1, "1", "a")), ("{a: 1, b: {c: no}}", {"a": 1, "b": {"c": "no"}}), ("[]", ()), ("{}", {}),
    ],
)  # fmt: skip
def test_a_scalar_is_what_yaml_1_2_says(text: str, value: object, file: Path) -> None:
    if text == "-":
        value = (None,)  # on a line of its own the sign begins a list
        text = "\n  -"
    assert same(read(file, f"key: {text}\n").data["key"], value)


@pytest.mark.parametrize("key", ["1", "true", "null", "1e-3", "no", "'1'", '"true"', "a b"])
def test_a_key_is_always_a_text(key: str, file: Path) -> None:
    assert read(file, f"{key}: 1\n").data == {key.strip("'\""): 1}


# What is written reads back

LIKE_OTHERS = ["no", "yes", "on", "1e-3", "0x1F", ".5", "~", "null", "true", "1_000", "2024-01-01", "<<", "=", ""]
LIKE_YAML = [
    "a: b",
    "- a",
    "# a",
    "a #b",
    " a",
    "a ",
    "a\n",
    "\na",
    "a\nb",
    "a\tb",
    "---",
    "...",
    "&a",
    "*a",
    "!a",
    "\x85",
]
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(LIKE_OTHERS + LIKE_YAML),
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), PLAIN, max_size=4))
@settings(max_examples=2 * EXAMPLES)
@example({"a": "1e-3", "1e-3": "no", "no": ("", " ", "\n"), "": "\x85"})
def test_dumped_values_read_back_equal(file: Path, data: dict[str, Any]) -> None:
    assert same(read(file, dump(data)).data, data)


def test_a_value_that_occurs_twice_is_written_twice(file: Path) -> None:
    block = {"units": (1, 2)}
    assert read(file, dump({"a": block, "b": block})).data == {"a": block, "b": block}


def test_what_is_nested_too_deeply_to_be_read_is_not_dumped(file: Path) -> None:
    data: Any = 1
    for _ in range(10):
        data = {"a": (data,)}
    assert read(file, dump(data)).data == data
    with pytest.raises(YamlError, match="at most 20 levels deep"):
        dump((data,))


@pytest.mark.slow
@pytest.mark.parametrize("data", [{"a": ("b",) * 49_997}, {"a": {f"b{i}": 1 for i in range(24_998)}}])
def test_as_much_can_be_written_as_can_be_read(file: Path, data: dict[str, Any]) -> None:
    assert same(read(file, dump(data)).data, data)
    with pytest.raises(YamlError, match="at most 50,000 values"):
        dump({**data, "c": 1, "d": 1})
    with pytest.raises(ConfigError, match="at most 50,000 values"):
        read(file, dump(data) + "c: 1\nd: 1\n")
    with pytest.raises(YamlError, match="1,000,000 bytes"):
        dump({"a": "x" * 1_000_000})


def test_blocks_are_written_one_key_a_line_in_their_own_order() -> None:
    assert dump({"b": {"units": 3, "a": ("x", 1e-05)}}) == "b:\n  units: 3\n  a:\n    - x\n    - 1.0e-05\n"


# Where it stands


@pytest.mark.parametrize(
    ("path", "at_key", "place", "underlined"),
    [
        (("dataset",), False, "1:10", "iris"),
        (("dataset",), True, "1:1", "dataset"),
        (("layers", 0), False, "3:5", "linear: 10"),
        (("layers", 0, "linear"), True, "3:5", "linear"),
        (("layers", 0, "linear"), False, "3:13", "10"),
        (("layers", 1), False, "4:5", "relu"),
        (("layers", 2, "sequential", 0, "linear", "units"), False, "6:25", "3"),
        (("layers", 2, "sequential", 0, "linear", "bias"), True, "6:28", "bias"),
        (("lr",), False, "7:6", "0.5"),
        (("lr",), True, "7:1", "lr"),
        (("layers", 2, "sequential", 0, "linear", "init"), True, "6:9", "linear"),  # missing: shown at its block
        (("layers", 0, "linear", "units"), False, "3:13", "10"),  # a main setting: at the bare value
    ],
)
def test_a_fault_is_shown_at_its_position(
    path: tuple[str | int, ...], at_key: bool, place: str, underlined: str, file: Path
) -> None:
    first, line, carets = str(read(file, NET).error([Fault(path, "is wrong", at_key)])).splitlines()
    assert first == f"{file}:{place}: error: is wrong"
    start = carets.index("^")
    assert line[start : start + carets.count("^")] == underlined


def test_faults_come_in_the_order_of_the_file_and_are_counted(file: Path) -> None:
    document = read(file, NET)
    message = str(
        document.error([Fault(("lr",), "third"), Fault(("dataset",), "first"), Fault(("layers", 1), "second")])
    )
    assert [line.split()[-1] for line in message.splitlines() if "error: " in line] == ["first", "second", "third"]
    assert message.endswith("\n3 errors")


def test_a_repeated_fault_is_shown_once(file: Path) -> None:
    assert str(read(file, NET).error([Fault(("lr",), "wrong")] * 2)).count("wrong") == 1


# Overrides


@pytest.mark.parametrize(
    ("assignment", "changed"),
    [
        ("lr=1e-3", {"lr": 0.001}),
        ("lr='1e-3'", {"lr": "1e-3"}),
        ("lr=", {"lr": None}),
        ("lr==", {"lr": "="}),
        ("name=a=b", {"name": "a=b"}),
        ("metrics=[a, b]", {"metrics": ("a", "b")}),
        ("split={test: 0.1}", {"split": {"test": 0.1}}),
        ("a.b=1", {"a": {"b": 1}}),
        ("a.b.c.d=no", {"a": {"b": {"c": {"d": "no"}}}}),
        ("dataset.iris.rows=3", {"dataset": {"iris": {"rows": 3}}}),
        ("layers.0.linear=30", {"layers": ({"linear": 30}, "relu", {"linear": {"units": 3}})}),
        ("layers.1.relu.slope=1", {"layers": ({"linear": 10}, {"relu": {"slope": 1}}, {"linear": {"units": 3}})}),
        ("layers.1=tanh", {"layers": ({"linear": 10}, "tanh", {"linear": {"units": 3}})}),
        ("layers.2.linear.bias=off", {"layers": ({"linear": 10}, "relu", {"linear": {"units": 3, "bias": "off"}})}),
        ("layers=[relu]", {"layers": ("relu",)}),
        ("empty.a=1", {"empty": {"a": 1}}),
    ],
)
def test_an_override_changes_one_value(assignment: str, changed: dict[str, Any], file: Path) -> None:
    text = "dataset: iris\nlayers: [linear: 10, relu, {linear: {units: 3}}]\nlr: 0.5\nempty:\n"
    document = read(file, text)
    before = document.data
    document.override(assignment)
    assert same(document.data, before | changed)


def test_overrides_build_on_each_other(file: Path) -> None:
    document = read(file, "dataset: iris\n")
    for assignment in ("dataset=moons", "dataset.moons.rows=30", "dataset.moons.noise=0.5"):
        document.override(assignment)
    assert document.data == {"dataset": {"moons": {"rows": 30, "noise": 0.5}}}
    with pytest.raises(ConfigError, match=r"^--set dataset\.moons\.rows=40: error: dataset\.moons\.rows is set twice"):
        document.override("dataset.moons.rows=40")


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("lr", "expected key=value, such as --set lr=0.05"),
        ("=1", "expected key=value"),
        (".=1", "expected key=value"),
        ("a..b=1", "expected key=value"),
        ("layers.3=relu", "layers is a list; its entries are 0 to 2, and there is no '3'"),
        ("layers.-1=relu", "there is no '-1'"),
        ("layers.relu=1", "there is no 'relu'"),
        ("layers.2.sequential.4=relu", "layers.2.sequential is a list; its entries are 0 to 0"),
        ("lr.a=1", "lr is 0.5 and has no 'a'; set all of it"),
        ("dataset.wine.rows=1", "dataset is 'iris' and has no 'wine'"),
        ("lr=[1", "not valid YAML"),
        ("lr={a: 1, a: 2}", "given twice"),
        ("lr=!!int 1", "a config cannot use tags"),
        ("lr=&x 1", "a config cannot use anchors and aliases"),
        ("lr=*x", "a config cannot use anchors and aliases"),
        ("lr=" + "[" * 25, "a config is nested at most 20 levels deep"),
        ("lr=" + "9" * 5000, "too long"),
        ("lr=#", "expected a value"),
        ("lr=1\n---\n2", "second document"),
    ],
)  # fmt: skip
def test_a_wrong_override_changes_nothing_and_says_why(assignment: str, words: str, file: Path) -> None:
    document = read(file, NET)
    before = document.data
    with pytest.raises(ConfigError) as caught:
        document.override(assignment)
    assert str(caught.value).startswith(f"--set {assignment}: error: ")
    assert words in str(caught.value)
    assert document.data == before


# Nothing but a ConfigError comes out

VALID = (
    """\
name: net-1
dataset:
  moons: {rows: 30, seed: 3, noise: 2}
split: {validation: 0.2, test: 0.1, stratify: yes}
preprocessing: {numbers: standardize, target: none}
layers:
  - linear: {units: 8, bias: no, init: he_normal}
  - sequential: [linear: 5, tanh]
  - dense: {units: 2, activation: softmax}
loss: {cross_entropy: {reduction: mean}}
optimizer: sgd
lr: 1e-3
epochs: 2
batch_size: full
metrics: [accuracy]
""",
    """\
dataset: {csv: {path: here.csv, target: [a, b], drop: c, delimiter: ';'}}
split:
  column: part
layers: [linear: 2]
loss:
  mse: 0.5
epochs: 2
shuffle: off
seed: 3
""",
)
SIGNS = ["", " ", "\n", "\t", ":", ": ", "- ", "[", "]", "{", "}", ",", "#", "'", '"', "? ", "|", ">", "@", "%", "\\"]
YAML = [
    "&a ",
    "*a",
    "!a ",
    "<<: ",
    "---\n",
    "%YAML 1.2\n",
    "layers:\n",
    "loss: mse\n",
    "epochs: 1\n",
    "dataset: iris\n",
]
NUMBERS = ["0", "-1", "2", "0.5", "1e999", ".nan", ".inf", "0x1F", "1_000", "9" * 400, "9" * 5000, f"0x{'f' * 5000}"]
WORDS = ["null", "true", "no", "~", "linear", "relu", "softmax", "mse", "csv", "iris", "moons", "path", "x" * 5000]
PATHS = [
    "/",
    "..",
    "~nobody-here/x",
    "here.csv",
    "test",
    "validation",
    "[]",
    "{}",
    "[a, b]",
    "{a: 1}",
    "[[a], {b: []}]",
]
CHARACTERS = ["\r", "\0", "\x1b", "\x85", "\u2028", "\ufeff", "é", "😀", '"\\0"', '"\\ud800"', '"\\Uffffffff"']
TOKENS = st.sampled_from([*SIGNS, *YAML, *NUMBERS, *WORDS, *PATHS, *CHARACTERS])


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid config in which a few words or stretches are replaced by something else, or by each other."""
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 4))):
        words = [match.span() for match in re.finditer(r"[^\s:,{}\[\]]+", text)] or [(0, len(text))]
        if draw(st.booleans()):
            start, end = draw(st.sampled_from(words))
        else:
            start = draw(st.integers(0, len(text)))
            end = min(len(text), start + draw(st.integers(0, 12)))
        other = slice(*draw(st.sampled_from(words)))
        text = text[:start] + draw(TOKENS | st.just(text[other]) | st.text(max_size=3)) + text[end:]
    return text


@pytest.mark.parametrize("text", VALID)
def test_the_configs_that_are_mutated_are_valid(text: str, file: Path) -> None:
    file.write_text(text)
    assert Config.load(file, files_must_exist=False).to_yaml(file.parent)


def load(file: Path, content: bytes, *overrides: str) -> None:
    """Load what should be a spec, whose YAML is then one too, or a config error that says where."""
    file.write_bytes(content)
    try:
        text = Config.load(file, overrides, files_must_exist=False).to_yaml(file.parent)
    except ConfigError as error:
        message = str(error)
    else:
        file.write_text(text)
        message = "" if Config.load(file, files_must_exist=False).to_yaml(file.parent) == text else "another spec"
    assert message == "" or message.startswith((f"{file}:", *(f"--set {override}: " for override in overrides)))


OTHERS = [
    "null", "true", "-1", "0", "1e999", ".nan", "9" * 400, f"0x{'f' * 5000}", "x" * 5000, "~nobody-here/x", '""',
    "{}", "[]", "[[a], {b: []}]", "{a: {b: 1}}", "'{}%s{0}'", r'"a\0b"', r'"a\nb"', r'"\ud800"', r'"\Uffffffff"',
]  # fmt: skip


@pytest.mark.parametrize("one_in", [3, pytest.param(1, marks=pytest.mark.slow)])  # words for each of the others
@pytest.mark.parametrize("text", VALID)
def test_each_word_of_a_config_replaced_by_something_else(text: str, one_in: int, file: Path) -> None:
    words = [*re.finditer(r"[^\s:,{}\[\]]+", text)]
    for match, other in [*itertools.product(words, OTHERS)][::one_in]:
        load(file, (text[: match.start()] + other + text[match.end() :]).encode())


@given(mutated())
@settings(max_examples=2 * EXAMPLES)
def test_a_mutated_config_loads_or_raises_a_config_error(file: Path, text: str) -> None:
    load(file, text.encode())


@given(st.text() | st.text(alphabet="ab1:- []{}'\"\n\t#,&*!|>?%@\\.x~") | st.lists(TOKENS).map("".join))
@settings(max_examples=2 * EXAMPLES)
def test_any_text_is_a_config_error(file: Path, text: str) -> None:
    load(file, text.encode())


@given(st.binary())
@settings(max_examples=2 * EXAMPLES)
def test_any_bytes_are_a_config_error(file: Path, content: bytes) -> None:
    load(file, content)


@given(st.text(alphabet="lrayesud.0123=[]{}:, '\"\\\n-x~&*!#") | st.lists(TOKENS).map("lr=".join))
@settings(max_examples=2 * EXAMPLES)
def test_any_override_loads_or_raises_a_config_error(file: Path, assignment: str) -> None:
    load(file, VALID[0].encode(), assignment)


@given(name=st.text(st.sampled_from("a0 \n\r\t'\":#-?[]{},&*!|>%@`\x85\u2028\u202e\u2066é"), max_size=8))
def test_a_value_is_written_on_a_single_line_and_may_be_a_key(name: str) -> None:
    line = dump_value(name)
    assert line.splitlines() == [line] or not line
    assert line.isprintable()
    assert read_text(f"columns:\n  {line}: one_hot\n".encode())[0] == {"columns": {name: "one_hot"}}
