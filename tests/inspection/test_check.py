"""What `nnfs check` says of a config and its data before any training."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli import workflows
from nnfs_cli.cli.check import _duration, _folded
from nnfs_cli.config.config import Config
from nnfs_cli.data.table import Table
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.inspection.cost_estimate import estimate_cost
from nnfs_cli.inspection.finding import Finding
from nnfs_cli.inspection.findings import find
from nnfs_cli.inspection.inspected_rows import InspectedRows
from nnfs_cli.inspection.net_cost import net_cost
from nnfs_cli.inspection.time_order import likeness_in_time
from tests.conftest import Nnfs, one_message

Write = Callable[[str, str], Path]
Check = Callable[..., list[Finding]]

CONFIG = """\
dataset: {csv: {path: t.csv, target: y}}
split: {validation: 0.2, test: 0.2}
preprocessing: {numbers: [impute, standardize], categories: {one_hot: {unseen: other}}}
layers: [linear: 1, sigmoid]
loss: binary_cross_entropy
epochs: 3
"""
REGRESSION = CONFIG.replace("[linear: 1, sigmoid]", "[linear: 1]").replace("binary_cross_entropy", "mse")


def csv_of(**columns: Sequence[Any]) -> str:
    rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    return "\n".join([*rows, ""])


@pytest.fixture
def check(write: Write) -> Check:
    """What is found in these columns, which are clean but for what a test adds."""

    def run(
        config: str = CONFIG, n: int = 200, overrides: Sequence[str] = (), **columns: Sequence[Any]
    ) -> list[Finding]:
        rng = np.random.default_rng(5)
        clean = {"a": rng.normal(size=n), "b": rng.normal(size=n)}
        y = {"y": (clean["a"] + rng.normal(size=n) > 0).astype(int) if "sigmoid" in config else rng.normal(size=n)}
        write("t.csv", csv_of(**{**clean, **y, **columns}))
        spec = Config.load(write("t.yaml", config), overrides)
        loaded = load_data(spec)
        return find(spec, loaded, workflows.prepare(spec), InspectedRows.of(loaded))

    return run


def by_column(findings: Sequence[Finding], what: str) -> dict[str | None, Finding]:
    return {finding.column: finding for finding in findings if finding.what == what}


@pytest.mark.parametrize("config", [CONFIG, REGRESSION])
def test_clean_data_gives_no_finding(check: Check, config: str) -> None:
    assert check(config, n=2000) == []


def test_useless_columns_are_found_with_the_line_that_drops_them(check: Check) -> None:
    columns = {
        "same": ["x"] * 200,
        "number": range(200),
        "name": [f"n{i}" for i in range(200)],
        "note": [f"a remark about customer {i}" for i in range(200)],
    }
    found = {finding.column: finding for finding in check(**columns)}
    assert {name: found[name].what for name in columns} == {
        "same": "constant",
        "number": "identifier",
        "name": "identifier",
        "note": "text",
    }
    assert all(str(found[name].suggestion) == f"dataset: {{csv: {{drop: [{name}]}}}}" for name in columns)


def test_gaps_are_counted_and_a_column_of_nearly_nothing_but_gaps_is_to_be_dropped(check: Check) -> None:
    some = ["" if i % 10 == 0 else i % 7 for i in range(200)]
    most = ["" if i % 10 else i % 7 for i in range(200)]
    nearly_all = ["" if i % 40 else i for i in range(200)]
    found = by_column(check(some=some, most=most, nearly_all=nearly_all), "missing")
    assert "10 %" in found["some"].message
    assert "90 %" in found["most"].message
    assert found["some"].suggestion is found["most"].suggestion is None  # the few values may tell a lot
    assert found["nearly_all"].suggestion is not None
    assert found["nearly_all"].suggestion.kind == "drop"


def test_a_column_that_repeats_another_is_to_be_dropped_but_a_coarser_one_is_not(check: Check) -> None:
    rng = np.random.default_rng(0)
    town, buy = rng.integers(0, 9, 200), rng.normal(size=200)
    found = check(
        town=town,
        town_name=[f"t{i}" for i in town],
        region=[f"r{i // 3}" for i in town],
        buy=buy,
        sell=buy + 0.02 * rng.normal(size=200),
    )
    assert {one.column for one in found if one.suggestion} == {"town_name"}
    assert "only their difference" in by_column(found, "repeats")["sell"].message


def patients(n: int = 60, visits: int = 4) -> dict[str, Sequence[Any]]:
    """Some rows for each of some patients, who stay what they are."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(n), visits)
    sex, smoker = rng.choice(["f", "m"], n), rng.choice(["yes", "no"], n)
    rest = {"a": rng.normal(size=n * visits), "b": rng.normal(size=n * visits), "y": rng.integers(0, 2, n * visits)}
    return {"who": who, "sex": sex[who], "smoker": smoker[who], **rest}


@pytest.mark.parametrize("name", ["patient", "case_id", "who"])
def test_an_owner_of_rows_is_one_finding_and_its_columns_are_none(check: Check, name: str) -> None:
    columns = patients()
    columns[name] = columns.pop("who")
    found = check(n=240, **columns)
    group = by_column(found, "group")[name]
    assert "(it determines 'sex' and 'smoker')" in group.message
    assert str(group.suggestion) == f"split: {{group: {name}}}"
    assert not by_column(check(n=240, overrides=[f"split.group={name}"], **columns), "group")
    assert not by_column(check(n=240, overrides=["split.time=a"], **columns), "group")


def test_a_city_or_a_binned_quantity_is_no_owner_of_rows(check: Check) -> None:
    columns = patients()
    columns["city"] = [f"c{i}" for i in columns.pop("who")]
    found = check(n=240, **columns)
    assert not by_column(found, "group")
    weight = np.random.default_rng(0).integers(0, 40, 240)
    found = check(n=240, weight=weight, heavy=weight > 19, heavier=[f"{w // 11}" for w in weight])
    assert not by_column(found, "group")


def test_the_line_for_a_group_can_be_trained(check: Check, write: Write) -> None:
    check(n=240, **patients())
    spec = Config.load(write("t.yaml", CONFIG), ["split.group=who"])
    loaded = load_data(spec)
    who = {part: set(loaded.readers[part].survey.texts("who")[rows].tolist()) for part, rows in loaded.rows.items()}
    assert not who["train"] & who["test"]
    assert "who" not in loaded.kinds


def test_a_column_that_leaks_the_target_is_found(check: Check) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    found = check(y=y, alive=["no" if i == 0 else "yes" for i in y])
    assert str(by_column(found, "leak")["alive"].suggestion) == "dataset: {csv: {drop: [alive]}}"
    price = rng.normal(size=200)
    found = check(REGRESSION, y=price, cents=np.round(100 * price))
    assert set(by_column(found, "leak")) == {"cents"}
    angle = rng.uniform(-3, 3, 200)
    found = by_column(check(REGRESSION, y=np.sin(angle), angle=angle), "leak")
    assert found["angle"].suggestion is None  # it may as well be what the target is to be predicted from


def test_outliers_are_found_unless_a_step_takes_care_of_them(check: Check) -> None:
    rng = np.random.default_rng(0)
    values = [*rng.normal(size=199), 1e6]
    config = CONFIG.replace("test: 0.2", "test: 0").replace("validation: 0.2", "validation: 0")
    found = by_column(check(config, x=values), "outliers")
    assert str(found["x"].suggestion) == (
        "preprocessing: {columns: {x: [impute, {views: [[robust, smooth_clip], quantile]}]}}"
    )
    assert not by_column(check(config, overrides=["preprocessing.numbers=[impute,quantile]"], x=values), "outliers")


def test_outliers_that_the_target_follows_are_left_as_they_are(check: Check) -> None:
    rng = np.random.default_rng(0)
    tail = rng.pareto(1.0, 1000)
    wrong = np.where(np.arange(1000) % 200 == 7, 1e6, tail)
    noise = tail.std() * rng.normal(size=1000)
    for y, follows in ((3 * tail + noise, True), (np.log1p(tail) + 0.2 * rng.normal(size=1000), False)):
        assert (by_column(check(REGRESSION, n=1000, x=tail, y=y), "outliers")["x"].suggestion is None) == follows
    found = check(REGRESSION, n=1000, x=wrong, y=3 * tail + noise)
    assert by_column(found, "outliers")["x"].suggestion is not None


def test_large_numbers_that_no_step_scales_are_found(check: Check) -> None:
    found = check(overrides=["preprocessing.numbers=none"], x=np.arange(200) % 17 * 1000)
    assert set(by_column(found, "scale")) == {"x"}


def test_codes_that_are_read_as_numbers_are_found(check: Check) -> None:
    codes = np.arange(200) % 7 * 11
    assert "one_hot" in str(by_column(check(zip=codes), "code")["zip"].suggestion)
    assert not by_column(check(overrides=["preprocessing.columns.zip=one_hot"], zip=codes), "code")


def test_rare_and_unequal_classes_are_found(check: Check) -> None:
    y = ["no"] * 193 + ["yes"] * 7
    found = check(y=y)
    assert str(by_column(found, "imbalance")["y"].suggestion) == "metrics: [accuracy, balanced_accuracy]"
    assert by_column(found, "rare")["y"].message.endswith(
        "has a rare class, 'yes': 5 to train, 1 to validate, 1 to test"
    )
    for setting in ("class_weights=balanced", "metrics=[roc_auc]"):
        assert not by_column(check(overrides=[setting], y=y), "imbalance")


def test_a_capped_or_skewed_target_is_found(check: Check) -> None:
    rng = np.random.default_rng(0)
    found = check(REGRESSION, n=500, y=np.minimum(rng.normal(size=500), 1))
    assert "largest value, 1," in by_column(found, "capped")["y"].message
    a, b = rng.normal(size=500), rng.exponential(size=500) ** 2
    found = check(REGRESSION, n=500, a=a, b=b, y=np.exp(2 * a + rng.normal(size=500)))
    assert str(by_column(found, "lopsided")["y"].suggestion) == "preprocessing: {target: [clamp, log1p, standardize]}"
    found = check(REGRESSION, n=500, a=a, b=b, y=np.maximum(b + a + rng.normal(size=500), 0))
    assert by_column(found, "lopsided")["y"].suggestion is None  # a sum becomes harder to learn


def test_rows_that_repeat_others_are_counted_as_numpy_counts_them(check: Check, write: Write) -> None:
    rng = np.random.default_rng(0)
    a, b, y = rng.integers(0, 6, 200), rng.integers(0, 6, 200), rng.integers(0, 2, 200)
    found = check(a=a, b=b, y=y)
    twice = 200 - len(np.unique(np.stack([a, b, y]), axis=1).T)
    assert f"{twice} rows of 200" in by_column(found, "duplicates")[None].message
    spec = Config.load(write("t.yaml", CONFIG))
    rows = load_data(spec).rows
    training = {(a[i], b[i], y[i]) for i in rows["train"]}
    shared = sum((a[i], b[i], y[i]) in training for i in rows["test"])
    messages = [finding.message for finding in found if finding.what == "two_parts"]
    assert any(message.startswith(f"{shared} of the 40 test rows") for message in messages)


def test_copies_in_two_splits_are_said_by_how_much_they_matter(check: Check) -> None:
    rng = np.random.default_rng(0)
    for times, effect in ((1, None), (2, "figures are much too good"), (0, "figures are slightly too good")):
        n = 400 // max(times, 1)
        again = np.tile(np.arange(n), max(times, 1))
        if not times:
            again[-8:] = range(8)
        found = check(a=rng.normal(size=n)[again], b=rng.normal(size=n)[again], y=(np.arange(n) % 2)[again])
        messages = [finding.message for finding in found if finding.what == "two_parts"]
        assert all(message.endswith(str(effect)) for message in messages)
        assert bool(messages) == (effect is not None)


def test_rows_that_are_equal_by_chance_are_as_usual(check: Check) -> None:
    rng = np.random.default_rng(0)
    found = check(a=rng.integers(0, 6, 200), b=rng.integers(0, 6, 200), y=rng.integers(0, 2, 200))
    messages = [finding.message for finding in found if finding.what == "two_parts"]
    assert messages
    assert all(message.endswith("as is usual where columns have few different values") for message in messages)


def test_rows_of_two_files_are_compared_too(check: Check, write: Write) -> None:
    write("later.csv", "b,y,a\n2.5,0,0.5\n7.5,1,0.25\n")
    found = check(overrides=["split.test=later.csv"], a=[0.5, *range(199)], b=[2.5] * 200, y=[0, 1] * 100)
    assert any(finding.message.startswith("1 of the 2 test rows") for finding in found)


def test_a_net_that_is_too_large_is_found(check: Check) -> None:
    found = by_column(check(overrides=["layers=[linear: 100, relu, linear: 1, sigmoid]"]), "parameters")
    assert "401 parameters for 120 training rows" in found[None].message


def test_few_validation_rows_are_found(check: Check) -> None:
    assert None in by_column(check(n=60), "few")


# The rehearsal


def experiment_of(write: Write, config: str) -> Experiment:
    rng = np.random.default_rng(0)
    word = rng.choice(["u", "v", "w"], 100)
    write("t.csv", csv_of(a=rng.normal(size=100), word=word, y=rng.integers(0, 2, 100)))
    return workflows.prepare(Config.load(write("t.yaml", config)))


NETS = [
    "[linear: 1, sigmoid]",
    "[linear: 4, batch_norm, relu, dropout: 0.1, linear: 1, sigmoid]",
    "[linear: 4, {residual: [layer_norm, linear: 4, prelu]}, linear: {units: 1, bias: false}, sigmoid]",
]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("step", ["one_hot", "embedding"])
def test_the_parameters_of_all_layers_are_those_of_the_net(write: Write, net: str, step: str) -> None:
    config = CONFIG.replace("[linear: 1, sigmoid]", net).replace("{one_hot: {unseen: other}}", step)
    experiment = experiment_of(write, config)
    found = [line for line in net_cost(experiment.predictor.model, 1).layers if line.depth == 0]
    assert sum(line.parameters for line in found) == experiment.predictor.model.n_parameters
    assert found[0].shape == experiment.predictor.model.input_shape
    assert found[-1].shape == (1,)


@pytest.mark.parametrize(
    "setting", ["optimizer: lbfgs", "averaging: ema", "schedule: reduce_on_plateau", "accumulate: 3", "log_every: 2"]
)
def test_a_rehearsal_leaves_the_weights_as_they_were(write: Write, setting: str) -> None:
    experiment = experiment_of(write, f"{CONFIG}{setting}\n")
    before = experiment.predictor.model.parameters.vector.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimate, memory = estimate_cost(experiment)
    assert np.array_equal(experiment.predictor.model.parameters.vector, before)
    assert estimate.seconds > 0
    assert all(n > 0 for n in memory.values())


@pytest.mark.slow
def test_the_time_counts_probes_and_blended_models_and_leaves_the_net_as_it_was(tmp_path: Path) -> None:
    seconds = []
    for more in ("", "probes: false\n", "probes: false\nblend: []\n"):
        (tmp_path / "c.yaml").write_text(f"dataset: iris\nepochs: 30\nthreads: 1\nmembers: 2\n{more}")
        experiment = workflows.prepare(workflows.load(tmp_path / "c.yaml"))
        before = experiment.predictor.model.parameters.vector.copy()
        estimate, _ = estimate_cost(experiment)
        np.testing.assert_array_equal(experiment.predictor.model.parameters.vector, before)
        assert experiment.predictor.blend is None
        seconds.append(estimate.seconds)
    with_probes, with_blend, alone = seconds
    assert with_probes > alone
    assert with_blend > alone + 0.05


def test_no_more_time_is_foreseen_for_fewer_epochs(write: Write) -> None:
    experiment = experiment_of(write, CONFIG)
    estimate, _ = estimate_cost(experiment)
    assert (estimate.epochs, estimate.steps) == (3, 2)
    assert estimate.seconds >= estimate.step_ms / 1000 * 6


# The command


def test_it_prints_what_it_found_and_the_net(inside: Nnfs, write: Write) -> None:
    experiment_of(write, CONFIG)
    done = inside("check", "t.yaml")
    assert (done.returncode, done.stderr) == (0, "next        nnfs train t.yaml\n")
    for words in (
        "t.csv: 100 rows, 60 to train, 20 to validate, 20 to test",
        "1 column of numbers, 1 column of categories",
    ):
        assert words in done.stdout
    for words in ("findings", "linear 1", "sigmoid", "memory", "time"):
        assert words in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not any(line != line.rstrip() for line in done.stdout.splitlines())


def test_lines_of_yaml_are_announced_only_where_there_are_some(inside: Nnfs, write: Write) -> None:
    columns = {"a": np.random.default_rng(0).normal(size=300), "y": [0, 1] * 150}
    write("t.yaml", CONFIG)
    write("t.csv", csv_of(a=["", *columns["a"][1:]], y=columns["y"]))
    assert "findings    1\n" in inside("check", "t.yaml").stdout
    write("t.csv", csv_of(same=[1] * 300, **columns))
    assert "findings    1; --fix writes the change below a finding into" in inside("check", "t.yaml").stdout


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "less than 0.1 s"),
        (0.04, "less than 0.1 s"),
        (0.38, "about 0.4 s"),
        (0.96, "about 1 s"),
        (9.7, "about 10 s"),
        (89.0, "about 89 s"),
        (170.0, "about 3 min"),
        (5400.0, "about 1.5 h"),
        (36_000_000.0, "about 10,000.0 h"),
    ],
)
def test_a_duration_is_plain_seconds_minutes_or_hours(seconds: float, text: str) -> None:
    assert _duration(seconds) == text


@given(st.lists(st.sampled_from(["1 MB", "20 %", "3,500 rows", "<1 %", "word", "and,", "'a'", "of"]), max_size=60))
def test_a_number_and_its_unit_are_never_torn_apart(words: list[str]) -> None:
    folded = _folded(f"{'label':<12}{' '.join(words)}", " " * 12)
    assert " ".join(folded.split()) == " ".join(["label", *" ".join(words).split()])
    assert not any(line.rstrip()[-1:].isdigit() for line in folded.splitlines()), folded


def test_as_json_it_holds_the_same(inside: Nnfs, write: Write) -> None:
    experiment_of(write, CONFIG)
    found = json.loads(inside("check", "t.yaml", "--json").stdout)
    assert found["data"]["rows"] == {"train": 60, "validation": 20, "test": 20}
    assert found["parameters"] == sum(layer["parameters"] for layer in found["layers"]) == 5
    assert all({"what", "column", "message", "suggestion", "fix"} == set(one) for one in found["findings"])
    assert found["fixed"] is None
    assert found["looked_at"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs: 3", "there is no key 'epoch'"),
        ("target: y", "no column 'z'"),
        ("{one_hot: {unseen: other}}", "word"),
        ("linear: 1", "outputs"),
    ],
)
def test_what_could_not_be_trained_is_an_error_as_in_training(
    inside: Nnfs, write: Write, change: str, message: str
) -> None:
    experiment_of(write, CONFIG)
    wrong = {"epochs: 3": "epochs: 3\nepoch: 2", "target: y": "target: z", "linear: 1": "linear: 7"}.get(change, "null")
    write("t.yaml", CONFIG.replace(change, wrong))
    checked, trained = inside("check", "t.yaml"), inside("train", "t.yaml", "--quiet")
    assert checked.returncode == trained.returncode == 2
    assert checked.stderr == trained.stderr
    assert message in checked.stderr


def test_a_set_of_its_own_can_be_checked(inside: Nnfs, write: Write) -> None:
    write("iris.yaml", "dataset: iris\nlayers: [linear: 3, softmax]\nloss: cross_entropy\nepochs: 2\n")
    done = inside("check", "iris.yaml")
    assert done.returncode == 0
    assert "150 rows" in done.stdout


def test_it_says_how_many_rows_were_looked_at(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment_of(write, CONFIG)
    spec = Config.load(write("t.yaml", CONFIG))
    loaded = load_data(spec)
    assert InspectedRows.of(loaded).sampled is None
    monkeypatch.setattr("nnfs_cli.inspection.inspected_rows.CELLS", 100)
    monkeypatch.setattr("nnfs_cli.inspection.inspected_rows.FEWEST", 10)
    data = InspectedRows.of(loaded)
    assert data.sampled == data.table.n_rows == 50
    assert sum(len(data.rows_of(split).columns["a"]) for split in data.rows) == 50
    assert find(spec, loaded, workflows.prepare(spec), data)


def test_a_config_that_is_not_there_is_one_message(inside: Nnfs) -> None:
    assert "no such file" in one_message(inside("check", "nothing.yaml"), 2)


def dates_of(n: int, per_date: int = 1) -> list[str]:
    return [str(np.datetime64("2020-01-01") + i // per_date) for i in range(n)]


@pytest.mark.parametrize("config", [CONFIG, REGRESSION])
@pytest.mark.parametrize("per_date", [1, 8])
def test_neighbours_in_time_that_are_alike_are_found(check: Check, config: str, per_date: int) -> None:
    config = config.replace("preprocessing: {", "preprocessing: {dates: calendar, ")
    walk = np.cumsum(np.random.default_rng(0).normal(size=400))
    y = (walk > np.median(walk)).astype(int) if "sigmoid" in config else walk
    order = np.random.default_rng(1).permutation(400)  # the order of the rows does not matter
    columns = {"n": 400, "when": np.array(dates_of(400, per_date))[order], "y": y[order]}
    (finding,) = by_column(check(config, **columns), "time").values()
    assert str(finding).startswith("'when' orders rows in time, and 'y' of neighbours is alike (by 0.")
    assert str(finding.suggestion) == "split: {time: when}"
    assert not by_column(check(config.replace("test: 0.2", "test: 0.2, time: when"), **columns), "time")


@given(st.integers(0, 10_000), st.sampled_from([100, 300]), st.sampled_from([1, 10]), st.booleans())
def test_targets_that_do_not_depend_on_time_are_not_alike(seed: int, n: int, per_date: int, classes: bool) -> None:
    rng = np.random.default_rng(seed)
    y = np.sort(rng.integers(0, 3, n) if classes else rng.exponential(size=n))  # of no use within one date
    when = rng.permutation(np.array(dates_of(n, per_date), "datetime64[us]"))
    assert abs(likeness_in_time(Table("t", {"when": when, "y": y}), "when", "y", classes)) < 0.5
    one_date = np.full(n, np.datetime64("2020-01-01", "us"))
    assert abs(likeness_in_time(Table("t", {"when": one_date, "y": y}), "when", "y", classes)) < 0.5
