"""The JSON Schema accepts and refuses the same single values as nnfs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from nnfs_cli.components.component import Component
from nnfs_cli.components.section import Section
from nnfs_cli.config import yaml
from nnfs_cli.config.config import Config
from nnfs_cli.config.json_schema import as_json, config_schema
from nnfs_cli.errors import ConfigError
from tests.conftest import CONFIGS, Nnfs

Check = Callable[[Any], object]
Schema = dict[str, Any]

SCHEMA: Schema = json.loads(as_json(config_schema()))
FAMILIES = [name for name in SCHEMA["$defs"] if name.replace("_", " ") in Component.families]
FILES = sorted(CONFIGS.rglob("*.yaml"))
every_config = pytest.mark.parametrize("path", FILES, ids=[path.relative_to(CONFIGS).as_posix() for path in FILES])

GOOD = """\
name: good
dataset:
  csv: {path: flowers-*.csv, target: [kind], drop: id, delimiter: ';', decimal: ',', encoding: utf-16,
    header: [id, kind], null: [NA, 'null', '-']}
split: {validation: 0.2, test: test.csv, stratify: Off, group: plant, time: null}
preprocessing:
  numbers: [impute: {by: constant, value: 0}, {standardize: }]
  categories: {one_hot: {unseen: other}}
  dates: {calendar: [trend]}
  columns: {soil: {ordinal: [dry, wet]}, '3': log1p, 'null': [quantile: 10, clip]}
  target: null
layers:
  - linear: {units: 4, bias: no, init: {constant: 1}}
  - sequential: [relu, dense: {units: 4, activation: {gelu: {form: tanh}}}]
  - linear: 3
loss: {cross_entropy: {reduction: sum}}
optimizer: {sgd: {momentum: 0.9, nesterov: true}}
lr: 1
epochs: 10
batch_size: full
metrics: [accuracy]
memory_limit: 1.5 GB
"""
WRONG = [
    ("epochs: 10", "epoch: 10", []),
    ("epochs: 10", "epochs: ten", ["epochs"]),
    ("epochs: 10", "epochs: '10'", ["epochs"]),
    ("epochs: 10", "epochs: 1.5", ["epochs"]),
    ("epochs: 10", "epochs: 0", ["epochs"]),
    ("epochs: 10", "epochs: true", ["epochs"]),
    ("lr: 1", "lr: -1", ["lr"]),
    ("name: good", "name: not/good", ["name"]),
    ("batch_size: full", "batch_size: empty", ["batch_size"]),
    ("metrics: [accuracy]", "metrics: accuracy", ["metrics"]),
    ("metrics: [accuracy]", "metrics: [acuracy]", ["metrics", 0]),
    ("Off", "never", ["split", "stratify"]),
    ("validation: 0.2", "validation: 2", ["split", "validation"]),
    ("validation: 0.2", "valdiation: 0.2", ["split"]),
    ("target: [kind]", "target: []", ["dataset"]),
    ("path: flowers-*.csv, ", "", ["dataset"]),
    ("decimal: ','", "decimal: ',,'", ["dataset"]),
    ("encoding: utf-16", "encoding: 16", ["dataset"]),
    ("header: [id, kind]", "header: [id, id]", ["dataset"]),
    ("null: [NA", "null: [1", ["dataset"]),
    ("null: [NA", "nul: [NA", ["dataset"]),
    ("group: plant", "groups: plant", ["split"]),
    ("group: plant", "group: [plant]", ["split", "group"]),
    ("memory_limit: 1.5 GB", "memory_limit: 1.5 gb", ["memory_limit"]),
    ("memory_limit: 1.5 GB", "memory_limit: 0.0 GB", ["memory_limit"]),
    ("memory_limit: 1.5 GB", "memory_limit: 0", ["memory_limit"]),
    ("memory_limit: 1.5 GB", "memory_limit: 1.5", ["memory_limit"]),
    ("numbers: [", "number: [", ["preprocessing"]),
    ("numbers: [impute", "numbers: [imput", ["preprocessing"]),
    ("by: constant", "by: constnat", ["preprocessing"]),
    ("categories: {one_hot: {unseen: other}}", "categories: {one_hot: {unseen: some}}", ["preprocessing"]),
    ("categories: {one_hot: {unseen: other}}", "categories: [one_hot]", ["preprocessing"]),
    ("calendar: [trend]", "calendar: [trends]", ["preprocessing"]),
    ("calendar: [trend]", "calendar: []", ["preprocessing"]),
    ("ordinal: [dry, wet]", "ordinal: [dry, dry]", ["preprocessing"]),
    ("'3': log1p", "'3': log10", ["preprocessing"]),
    ("quantile: 10", "quantile: 1", ["preprocessing"]),
    ("csv: {", "cvs: {", ["dataset"]),
    ("{sgd: {momentum: 0.9, nesterov: true}}", "{sgd: 0.9, adam: }", ["optimizer"]),
    ("momentum: 0.9", "momentum: 1", ["optimizer"]),
    ("reduction: sum", "reduction: max", ["loss"]),
    ("- linear: 3", "- lienar: 3", ["layers", 2]),
    ("- linear: 3", "- linear", ["layers", 2]),
    ("- linear: 3", "- linear:", ["layers", 2]),
    ("- linear: 3", "- linear: {unit: 3}", ["layers", 2]),
    ("- linear: 3", "- linear: 3\n    relu:", ["layers", 2]),
    ("- linear: 3", "- {relu: {slope: 1}}", ["layers", 2]),
    ("- linear: 3", "- prelu: {constant: 1}", ["layers", 2]),
    ("form: tanh", "form: sinh", ["layers", 1]),
]
VALUES = [
    None, True, False, "yes", "Off", "TRUE", "maybe", "", ";", "a b", "relu", "zeros", "sgd", "full", "none", "float32",
    -1, -0.5, 0, 1e-9, 0.5, 0.999, 1, 1.5, 2, 1000, 1001, 2**32 - 1, 2**32, [], ["a"], ["a", "a"], [""], ["relu"],
    [1, 2], [0], ["relu", {"linear": 3}], {}, {"linear": 3}, {"linear": None}, {"constant": 1}, {"zeros": None},
    {"linear": 3, "relu": None}, {"relu": {"a": 1}}, {"sgd": 0.9}, {"x": 1}, [["a"]], {"validation": 0.1},
    {"numbers": {"none": None}}, {"csv": {"path": "a", "target": "b"}}, {"csv": "a"}, {"npz": "a"},
    ",", ",,", "2 GB", "0 MB", "1.5 KB", "2 gb", "2  GB", "3.TB", "9999999999 GB", "1e3 MB", "utf-8", "cp1252",
    "base64", "impute", "log1p", ["impute", "standardize"], ["a", "b"], {"impute": "mean"}, {"impute": "mode"},
    {"quantile": 10}, ["impute", {"quantile": 1}], [{"clip": {"low": 0.1}}], {"columns": {"a": "log1p"}},
    {"columns": {"a": ["log1p", "robust"], "b": {"one_hot": {"min_frequency": 2}}}}, {"columns": {"a": "log2"}},
    {"columns": {"a": []}}, {"columns": ["a"]}, {"columns": None}, {"columns": {}}, {"a": "log1p"}, {"a": ["log1p"]},
    {"group": "a"}, {"time": ""}, ["trend", "weekend"], ["trend", "trend"], ["low", "high"],
]  # fmt: skip

TEXTS = [value for value in VALUES if isinstance(value, str) and value]
LEFT_TO_PYTHON: dict[str, list[Any]] = {
    "dataset csv.encoding": [text for text in TEXTS if text not in ("utf-8", "cp1252")],  # it has a list
    **{f"preprocessing_step views{at}": [["impute", "standardize"]] for at in ("", ".chains")},
}


def read(text: str) -> Any:
    """YAML as JSON values, with lists for tuples."""
    return json.loads(json.dumps(yaml.read(text.encode())[0]))


def validator(schema: Schema = SCHEMA) -> Draft202012Validator:
    """Of a part of the schema, or of all of it."""
    return Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]})


def definition(family: str) -> Schema:
    return SCHEMA["$defs"][family.replace(" ", "_")]  # type: ignore[no-any-return]


@every_config
def test_a_config_is_valid_and_names_its_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    validator().validate(read(text))
    *_, comment = text.partition("\n\n")[0].splitlines()
    assert comment.startswith("# yaml-language-server: $schema=")
    assert (path.parent / comment.partition("=")[2]).resolve() == CONFIGS / "schema.json"


@every_config
def test_a_config_with_every_default_spelled_out_is_valid(path: Path) -> None:
    validator().validate(read(Config.load(path).to_yaml(path.parent)))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_example_is_valid(family: str) -> None:
    members = Component.families[family.replace("_", " ")].registered.values()
    for example in (example for member in members for example in member.examples):
        validator(definition(family)).validate(read(example))


def test_the_grammar_is_valid_in_all_its_forms() -> None:
    validator().validate(read(GOOD))


@pytest.mark.parametrize(("old", "new", "place"), WRONG, ids=[new for _, new, _ in WRONG])
def test_what_nnfs_refuses_is_invalid_at_the_same_position(
    old: str, new: str, place: list[str | int], write: Callable[[str, str], Path]
) -> None:
    assert GOOD.count(old) == 1
    text = GOOD.replace(old, new)
    with pytest.raises(ConfigError):
        Config.load(write("config.yaml", text), files_must_exist=False)
    assert [list(error.absolute_path) for error in validator().iter_errors(read(text))][:1] == [place]


def settings(of: str, section: type[Section], schema: Schema) -> Iterator[Any]:
    """How nnfs checks each setting of a section, and what the schema says of it."""
    block = next((part for part in (schema, *schema.get("anyOf", ())) if "properties" in part), {})
    for key, field in section.model_fields.items():
        check = TypeAdapter(field.rebuild_annotation()).validate_python
        yield pytest.param(check, block["properties"][key], id=f"{of}.{key}")
        if "properties" in str(block["properties"][key]):
            yield from settings(key, cast("type[Section]", field.annotation), block["properties"][key])


def all_settings() -> Iterator[Any]:
    yield from settings("config", Config, SCHEMA)
    for key in FAMILIES:
        family = Component.families[key.replace("_", " ")]
        yield pytest.param(family.resolve, definition(key), id=key)
        for name, schema in definition(key)["anyOf"][1]["properties"].items():
            yield pytest.param(lambda value, f=family, n=name: f.resolve({n: value}), schema, id=f"{key} {name}")
            yield from settings(f"{key} {name}", family.registered[name], schema)


def accepts(check: Check, value: object) -> bool:
    try:
        check(value)
    except (ValidationError, PydanticCustomError):
        return False
    return True


@pytest.mark.parametrize(("check", "schema"), [*all_settings()])
def test_a_value_is_valid_where_nnfs_accepts_it_and_nowhere_else(
    check: Check, schema: Schema, request: pytest.FixtureRequest
) -> None:
    one = validator(schema)
    valid = [value for value in VALUES if one.is_valid(value)]
    if request.node.callspec.id in LEFT_TO_PYTHON:
        valid = [value for value in valid if value not in LEFT_TO_PYTHON[request.node.callspec.id]]
    assert valid == [value for value in VALUES if accepts(check, value)]


@pytest.mark.parametrize(
    "text",
    ["numbers: one_hot", "categories: log1p", "dates: one_hot", "target: clip", "numbers: [log1p, impute]"],
)
def test_the_kind_of_a_step_is_left_to_nnfs(text: str, write: Callable[[str, str], Path]) -> None:
    wrong = GOOD.replace("target: null", text)
    lines = [line for line in wrong.splitlines() if not line.startswith(f"  {text.partition(':')[0]}:") or text in line]
    wrong = "\n".join(lines)
    validator().validate(read(wrong))
    with pytest.raises(ConfigError, match=r"is for columns of|has no inverse|impute must come first"):
        Config.load(write("config.yaml", wrong), files_must_exist=False)


def test_the_schema_in_configs_is_up_to_date(nnfs: Nnfs, tmp_path: Path) -> None:
    done = nnfs("schema", "--output", tmp_path / "schema.json")
    assert done.returncode == 0, done.stderr
    today = (tmp_path / "schema.json").read_bytes()
    assert today == (CONFIGS / "schema.json").read_bytes(), "run  nnfs schema --output configs/schema.json"
    Draft202012Validator.check_schema(json.loads(today))


def test_the_schema_on_stdout_is_the_same_with_indentation(nnfs: Nnfs) -> None:
    done = nnfs("schema")
    assert json.loads(done.stdout) == json.loads((CONFIGS / "schema.json").read_text(encoding="utf-8"))
    assert '\n  "properties":{\n    "name":' in done.stdout


def test_the_schema_has_the_description_and_default_of_a_setting() -> None:
    members = definition("layer")["anyOf"][1]["properties"]
    assert members["relu"]["description"].startswith("Rectified linear unit")
    assert members["leaky_relu"]["properties"]["slope"] == {
        "description": "Slope below zero; 0 gives relu.", "default": 0.01, "type": "number", "minimum": 0,
    }  # fmt: skip
    assert members["prelu"]["anyOf"][1]["properties"]["init"]["default"] == {"constant": 0.25}
