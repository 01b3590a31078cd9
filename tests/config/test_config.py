"""Configs as values: defaults, YAML round trips, overrides, and equality of configs from files and from code."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnfs_cli import workflows
from nnfs_cli.components.component import Component
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.data import DataSource
from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.steps import PreprocessingStep
from nnfs_cli.data.steps.impute import Impute
from nnfs_cli.data.steps.standardize import Standardize
from nnfs_cli.errors import ConfigError, NnfsError
from nnfs_cli.metrics import Metric
from nnfs_cli.nn.initializers import Initializer, Zeros
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.training.schedules import Schedule

FAMILIES = (Layer, Initializer, Loss, Optimizer, Schedule, Averaging, Metric, DataSource, PreprocessingStep)
MEMBERS = [
    pytest.param(member, id=f"{name}-{family.family}")
    for family in FAMILIES
    for name, member in family.registered.items()
]
EXAMPLES = [
    pytest.param(member, example, id=example)
    for family in FAMILIES
    for name, member in family.registered.items()
    for example in member.examples or (name,)
]

SMALLEST = """\
dataset: iris
layers: [linear: 3]
loss: cross_entropy
epochs: 2
"""
SPELLED_OUT = """\
name: config
preset: null
dataset: iris
missing_target: refuse
on_error: stop
split:
  validation: 0.2
  test: 0.0
  stratify: true
  column: null
  group: null
  time: null
  gap: null
  hash: null
parse: {}
preprocessing:
  numbers: standardize
  categories: null
  dates: null
  columns: {}
  target: none
layers:
  - linear:
      units: 3
      bias: true
      init: uniform_fan_in
      bias_init: zeros
      l1: null
      l2: null
members: 1
holdout: null
blend: []
loss:
  cross_entropy:
    reduction: mean
    label_smoothing: 0.0
class_weights: null
optimizer:
  sgd:
    weight_decay: 0.0
    momentum: 0.0
    nesterov: false
lr: 0.01
schedule:
  constant:
    warmup: 0.0
penalty:
  l1: 0.0
  l2: 0.0
clip: null
epochs: 2
batch_size: 32
accumulate: 1
shuffle: true
replacement: false
drop_last: false
averaging: null
metrics:
  - accuracy
early_stopping: null
checkpoint:
  every: null
  monitor: val_loss
  mode: min
callbacks: []
max_minutes: null
threads: null
engine: auto
memory_limit: null
log_every: 1
probes: true
track: {}
background: 128
seed: 0
dtype: float32
search: {}
edition: 2
"""
CONFIGS = {
    "smallest": SMALLEST,
    "nested": """\
dataset: {moons: {rows: 50, noise: 0}}
layers:
  - sequential:
      - linear: {units: 5, bias: off, init: {normal: 0.5}}
      - sequential: [tanh, dense: {units: 4, activation: {sequential: [relu, identity]}}]
  - linear: {units: 1, bias_init: constant: 0.1}
  - sigmoid
loss: {binary_cross_entropy: {reduction: sum}}
epochs: 2
batch_size: full
split: {validation: 0.1, test: 0.3, stratify: off}
""".replace("bias_init: constant: 0.1", "bias_init: {constant: 0.1}"),
    "dense": """\
name: no
dataset: diabetes
layers: [dense: 20, dense: {units: 1, activation: identity}]
members: 3
loss: mse: 0.5
lr: 1e-05
epochs: 2
metrics: []
seed: 4294967295
dtype: float64
preprocessing: none
""".replace("loss: mse: 0.5", "loss: {mse: 0.5}"),
    "csv": """\
dataset: {csv: {path: data/here.csv, target: [b, 'no'], drop: '1e-3', delimiter: "\\t"}}
layers: [linear: 2]
loss: mse
epochs: 2
split: {validation: data/val.csv, test: 0}
""",
    "columns": """\
dataset: {csv: {path: data/here.csv, target: b}}
layers: [linear: 2]
loss: cross_entropy
epochs: 2
split: {column: part}
""",
    "kinds": """\
dataset:
  csv:
    path: data/h*.csv
    target: b
    delimiter: ;
    decimal: ','
    encoding: cp1252
    header: [a, b, c, 'no']
    null: [NA, 'null', '~', '-999', ' x']
layers: [linear: 1]
loss: mse
epochs: 2
split: {hash: 'no', test: 0.1}
memory_limit: 1.5 GB
preprocessing:
  numbers: [impute: mean, {clip: {low: 0, high: 0.9}}, robust]
  categories: {one_hot: {min_frequency: 5, unseen: other}}
  dates: {calendar: [weekend, year_cycle]}
  columns:
    a: {ordinal: [low, 'no', '3']}
    '1e-3': [impute: {by: constant, value: -1}, quantile: 20]
    c: {embedding: 8}
    no: {target_mean: {smoothing: 3, folds: 2}}
  target: [log1p, min_max]
""",
    "group": """\
dataset: {csv: {path: data/here.csv, target: b, null: NA}}
layers: [linear: 1]
loss: mse
epochs: 2
split: {group: a}
memory_limit: 300000000
preprocessing: [impute, standardize]
""",
    "time": """\
dataset: {csv: {path: data/here.csv, target: b, null: []}}
layers: [linear: 1]
loss: mse
epochs: 2
split: {time: a}
preprocessing: {numbers: none, categories: {hashing: 8}, dates: calendar, target: none}
""",
}


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Config]:
    """Load a text as config.yaml of the test's folder."""

    def load_text(text: str, *overrides: str, **options: bool) -> Config:
        (tmp_path / "config.yaml").write_text(text)
        return Config.load(tmp_path / "config.yaml", overrides, **options)

    return load_text


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A CSV file in a folder below the configs."""
    (tmp_path / "data").mkdir()
    rows = "".join(f"{i},{i % 2},{i},{i}\n" for i in range(20))
    (tmp_path / "data" / "here.csv").write_text(f"a,b,no,1e-3\n{rows}")
    (tmp_path / "data" / "val.csv").write_text(f"a,b,no,1e-3\n{rows}")
    return tmp_path / "data" / "here.csv"


def resolved(family: type[Component], text: str) -> Component:
    """A component as a config would name it, in a list of them."""
    document = Document("test", Path())
    document.override(f"entries=[{text}]")
    return family.resolve(document.data["entries"][0])


def family_of(member: type[Component]) -> type[Component]:
    return next(family for family in FAMILIES if issubclass(member, family))


# Every component, in every way a config may write it


@pytest.mark.parametrize(("member", "example"), EXAMPLES)
def test_an_example_names_its_component_and_survives_a_round_trip(member: type[Component], example: str) -> None:
    family = family_of(member)
    component = resolved(family, example)
    assert type(component) is member
    assert family.resolve(component.plain()) == component


@pytest.mark.parametrize(("member", "example"), EXAMPLES)
def test_the_plain_form_spells_out_every_setting(member: type[Component], example: str) -> None:
    plain = resolved(family_of(member), example).plain()
    settings = plain[member.name] if isinstance(plain, dict) else {}
    assert list(settings) == list(member.model_fields)


@pytest.mark.parametrize(("member", "example"), [e for e in EXAMPLES if e.id and ":" in e.id and "{" not in e.id])
def test_a_bare_value_is_the_main_setting(member: type[Component], example: str) -> None:
    _, _, value = example.partition(": ")
    long_form = f"{member.name}: {{{member.main}: {value}}}"
    assert resolved(family_of(member), example) == resolved(family_of(member), long_form)


@pytest.mark.parametrize(
    "member", [m for m in MEMBERS if not any(f.is_required() for f in m.values[0].model_fields.values())]
)
def test_a_name_alone_is_the_component_with_its_defaults(member: type[Component]) -> None:
    family = family_of(member)
    assert family.resolve(member.name) == family.resolve({member.name: {}}) == member()


@pytest.mark.parametrize("member", MEMBERS)
def test_a_component_has_a_short_label(member: type[Component]) -> None:
    assert member.headline()


# Spelled out and read back


def test_every_default_is_spelled_out(load: Callable[..., Config], tmp_path: Path) -> None:
    assert load(SMALLEST).to_yaml(tmp_path) == SPELLED_OUT


def test_a_config_with_every_default_spelled_out_is_equal(load: Callable[..., Config], tmp_path: Path) -> None:
    spec = load(SMALLEST)
    assert load(spec.to_yaml(tmp_path)) == spec


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("folder", [".", "runs/config-1", "elsewhere", ".."])
def test_a_config_written_to_any_folder_loads_back_equal(name: str, folder: str, here: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIGS[name])
    spec = Config.load(tmp_path / "config.yaml")
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    written = tmp_path / folder / "spec.yaml"
    written.write_text(spec.to_yaml(written.parent))
    again = Config.load(written)
    assert again.model_dump() == spec.model_dump()
    assert again.to_yaml(written.parent) == written.read_text()
    assert str(tmp_path) not in written.read_text()


def test_a_config_written_to_another_folder_finds_the_same_files(
    load: Callable[..., Config], here: Path, tmp_path: Path
) -> None:
    (tmp_path / "runs" / "config-1").mkdir(parents=True)
    written = tmp_path / "runs" / "config-1" / "spec.yaml"
    written.write_text(load(CONFIGS["csv"]).to_yaml(written.parent))
    spec = Config.load(written)
    assert isinstance(spec.dataset, FileSource)
    assert os.path.samefile(spec.dataset.path, here)
    assert os.path.samefile(spec.split.files["validation"], here.parent / "val.csv")
    assert "path: ../../data/here.csv" in written.read_text()


def test_paths_are_relative_to_the_config_and_not_to_the_working_directory(
    load: Callable[..., Config], here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    spec = Config.load(Path("..", "config.yaml")) if load(CONFIGS["csv"]) else None
    assert spec is not None
    assert isinstance(spec.dataset, FileSource)
    assert os.path.samefile(spec.dataset.path, here)


def test_a_path_from_the_command_line_is_relative_to_the_config_too(load: Callable[..., Config], here: Path) -> None:
    spec = load(SMALLEST, "dataset={csv: {path: data/here.csv, target: b}}")
    assert isinstance(spec.dataset, FileSource)
    assert os.path.samefile(spec.dataset.path, here)


def test_an_absolute_path_stays_absolute(load: Callable[..., Config], here: Path) -> None:
    spec = load(SMALLEST, f"dataset={{csv: {{path: '{here}', target: b}}}}")
    assert isinstance(spec.dataset, FileSource)
    assert spec.dataset.path == here


@pytest.mark.parametrize(
    ("stem", "name"),
    [("iris", "iris"), ("my net (2)", "my_net_2_"), ("..a", "a"), ("ünï", "n_"), ("x" * 150, "x" * 100)],
)
def test_a_run_is_named_after_its_file_in_portable_letters(stem: str, name: str, tmp_path: Path) -> None:
    (tmp_path / f"{stem}.yaml").write_text(SMALLEST)
    assert Config.load(tmp_path / f"{stem}.yaml").name == name


@pytest.mark.parametrize(
    ("loss", "dataset", "metrics", "target"),
    [("cross_entropy", "iris", ["accuracy"], "none"), ("mse", "diabetes", ["rmse", "r2"], "standardize")],
)
def test_defaults_follow_the_task(
    loss: str, dataset: str, metrics: list[str], target: str, load: Callable[..., Config]
) -> None:
    units = 3 if dataset == "iris" else 1
    spec = load(f"dataset: {dataset}\nloss: {loss}\nlayers: [linear: {units}]\nepochs: 2\n")
    assert [metric.name for metric in spec.metrics or ()] == metrics
    assert [step.name for step in spec.preprocessing.target or ()] == [target]


@pytest.mark.parametrize(
    ("words", "n_bytes"),
    [("1 KB", 10**3), ("500MB", 5 * 10**8), ("0.5 GB", 5 * 10**8), ("2 TB", 2 * 10**12), ("1", 1), ("0.0001 KB", 1)],
)
def test_an_amount_of_memory_has_a_unit_or_is_in_bytes(words: str, n_bytes: int, load: Callable[..., Config]) -> None:
    assert load(SMALLEST, f"memory_limit={words}").memory_limit == n_bytes


def test_steps_are_for_columns_of_their_kind_or_for_one_by_name(load: Callable[..., Config]) -> None:
    preprocessing = load(
        f"{SMALLEST}preprocessing: {{categories: one_hot, columns: {{a: {{embedding: 2}}, b: [impute, log1p]}}}}\n"
    ).preprocessing

    def names(column: str, kind: Any) -> list[str]:
        return [step.name for step in preprocessing.steps(column, kind)]

    assert names("x", "number") == ["standardize"]
    assert names("x", "category") == ["one_hot"]
    assert names("x", "date") == []
    assert names("a", "category") == names("a", "number") == ["embedding"]
    assert names("b", "number") == ["impute", "log1p"]
    assert preprocessing.kinds == {"a": "category", "b": "number"}
    assert [preprocessing.takes_gaps(column) for column in ("x", "b")] == [False, True]


@pytest.mark.parametrize("word", ["null", "~", "Null", "NULL", "true", "no"])
def test_a_null_token_is_the_text_itself(word: str, load: Callable[..., Config], here: Path) -> None:
    """Also one that YAML elsewhere takes for nothing, or for a switch: they stand in files."""
    text = f"dataset: {{csv: {{path: data/here.csv, target: b, null: ['{word}', NA]}}}}\n"
    spec = load(text + "layers: [linear: 1]\nloss: mse\nepochs: 2\n")
    assert spec.dataset.null == (word, "NA")  # type: ignore[attr-defined]
    assert load(spec.to_yaml(here.parents[1])) == spec


def test_the_source_is_kept_byte_for_byte(tmp_path: Path) -> None:
    source = b"\xef\xbb\xbf# \xc3\xbc\r\n" + SMALLEST.replace("\n", "\r\n").encode()
    (tmp_path / "config.yaml").write_bytes(source)
    assert Config.load(tmp_path / "config.yaml", ["epochs=3"]).source == source


def test_a_config_cannot_be_changed(load: Callable[..., Config]) -> None:
    spec = load(SMALLEST)
    with pytest.raises(ConfigError, match=r"config\.epochs cannot change; make a new Config instead"):
        spec.epochs = 3  # type: ignore[misc]


# Switches


@pytest.mark.parametrize(
    "word", ["yes", "on", "true", "Yes", "ON", "'true'", "no", "off", "false", "No", "OFF", "'no'"]
)
def test_a_switch_takes_the_words_people_use(word: str, load: Callable[..., Config]) -> None:
    text = SMALLEST.replace("linear: 3", f"linear: {{units: 3, bias: {word}}}")
    spec = load(f"{text}shuffle: {word}\ndrop_last: {word}\nsplit: {{stratify: {word}}}\n")
    (linear,) = spec.layers
    assert isinstance(linear, Linear)
    assert [spec.shuffle, spec.drop_last, spec.split.stratify, linear.bias] == [
        word.strip("'").lower() in ("yes", "on", "true")
    ] * 4


@pytest.mark.parametrize("word", ["yes", "no", "on", "off"])
def test_words_of_a_switch_are_texts_elsewhere(word: str, load: Callable[..., Config]) -> None:
    assert load(f"{SMALLEST}name: {word}\n").name == word


# Overrides


def test_an_override_acts_as_if_it_were_in_the_file(load: Callable[..., Config], tmp_path: Path) -> None:
    changed = load(
        SMALLEST, "layers.0.linear=5", "layers.0={linear: {units: 3}}", "layers.0.linear.bias=no", "lr=1e-3",
        "split.test=0.1", "optimizer=sgd", "loss.cross_entropy.reduction=sum", "dataset=wine", "metrics=[accuracy]",
    )  # fmt: skip
    text = """\
dataset: wine
layers: [linear: {units: 3, bias: no}]
loss: {cross_entropy: {reduction: sum}}
epochs: 2
lr: 1e-3
split: {test: 0.1}
"""
    assert changed.to_yaml(tmp_path) == load(text).to_yaml(tmp_path)


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("epochs=2.5", "expected a whole number, found 2.5"),
        ("layers.0=lienar", "there is no layer 'lienar'; did you mean 'linear'?"),
        ("layers.0.linear=2", "the net gives 2 outputs; iris has 3 classes"),
        ("loss=mse", "iris has 3 classes; mse predicts numbers"),
        ("metrics=[mae]", "mae is a metric for regression"),
        ("split=1", "expected a fraction of the rows"),
        ("preprocessing.columns.a.embedding=0", "must be greater than 0, found 0"),
        ("preprocessing.columns.species=one_hot", "'species' is the target"),
        ("dataset={csv: {path: gone.csv, target: b}}", "there is no file"),
    ],
)
def test_a_wrong_override_is_quoted(assignment: str, words: str, load: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(SMALLEST, assignment)
    assert str(caught.value).startswith(f"--set {assignment}: error: ")
    assert words in str(caught.value)


def test_a_fault_of_the_file_that_an_override_replaces_is_not_reported(load: Callable[..., Config]) -> None:
    assert load(SMALLEST.replace("epochs: 2", "epochs: two"), "epochs=2").epochs == 2


def test_missing_files_can_be_allowed(load: Callable[..., Config], tmp_path: Path) -> None:
    spec = load(CONFIGS["columns"], files_must_exist=False)
    assert isinstance(spec.dataset, FileSource)
    assert spec.dataset.path == tmp_path / "data" / "here.csv"
    with pytest.raises(NnfsError, match="there is no file"):
        workflows.prepare(spec)


# From code


def in_code(**changes: Any) -> Config:
    settings = {"name": "config", "dataset": "iris", "layers": [{"linear": 3}], "loss": "cross_entropy", "epochs": 2}
    return Config(**settings | changes)


def test_a_config_made_in_code_equals_one_from_a_file(load: Callable[..., Config], tmp_path: Path) -> None:
    assert in_code() == load(SMALLEST)
    assert in_code().to_yaml(tmp_path) == SPELLED_OUT


def test_components_can_be_objects() -> None:
    layers = (Linear(units=3, bias_init=Zeros()), ReLU(), {"linear": 1})
    preprocessing = Preprocessing(numbers=(Impute(), Standardize()), columns={"age": (Standardize(),)})
    spec = in_code(dataset="diabetes", layers=layers, loss=MSE(), preprocessing=preprocessing)
    assert [layer.name for layer in spec.layers] == ["linear", "relu", "linear"]
    assert spec.preprocessing.numbers == (Impute(), Standardize())
    assert spec.preprocessing.target == (Standardize(),)
    given = {"numbers": ["impute", Standardize()], "columns": {"age": Standardize()}, "target": "standardize"}
    assert in_code(dataset="diabetes", layers=layers, loss=MSE(), preprocessing=given) == spec


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_a_config_made_in_code_trains_to_the_same_bytes(load: Callable[..., Config], tmp_path: Path) -> None:
    runs = []
    for spec in (in_code(), load(SMALLEST)):
        experiment = workflows.prepare(spec)
        runs.append(workflows.begin(experiment, tmp_path / "runs"))
        workflows.train(experiment, runs[-1])
    files = [(run.path / "weights" / "best.npz").read_bytes() for run in runs]
    assert files[0] == files[1]
    assert (runs[0].path / "spec.yaml").read_bytes() == (runs[1].path / "spec.yaml").read_bytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset": "irsi"}, "there is no dataset 'irsi'; did you mean 'iris'?"),
        ({"epoch": 2}, "'epoch'; did you mean 'epochs'?"),
        ({"lr": -1}, "must be greater than 0, found -1"),
        ({"layers": []}, "expected at least one entry"),
        ({"loss": "mse"}, "iris has 3 classes; mse predicts numbers"),
        ({"layers": [{"linear": 2}]}, "the net gives 2 outputs; iris has 3 classes"),
        ({"metrics": ["rmse"]}, "rmse is a metric for regression"),
        ({"replacement": True, "shuffle": False}, "leave shuffle out"),
        ({"split": {"column": "part"}}, "iris has no such column"),
        ({"split": {"test": "test.csv"}}, "iris is not a file; give a fraction"),
        ({"split": {"group": "part"}}, "iris has no such column"),
        ({"preprocessing": "one_hot"}, "one_hot is for columns of categories"),
        ({"preprocessing": {"columns": {"species": "one_hot"}}}, "'species' is the target"),
        ({"memory_limit": "little"}, "expected an amount of memory"),
    ],
)
def test_a_wrong_config_made_in_code_is_refused_before_training(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        workflows.prepare(in_code(**changes))
    assert words in str(caught.value)
