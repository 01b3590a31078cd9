"""Whether a what-if finds the nearest rows with another answer, and only such rows."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_cli import DataError, Run, UserError, train
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.data.profile import profile
from nnfs_cli.data.table import Table
from nnfs_cli.explain.whatif.cells import cells_of
from nnfs_cli.explain.whatif.whatif import nearest_answers
from nnfs_cli.prediction.batch_predict import BatchPredictor
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.workflows.load_run import restore
from tests.conftest import Nnfs, one_message

RNG = np.random.default_rng(5)
N = 120
MIXED: dict[str, list[Any]] = {
    "age": RNG.integers(18, 90, N).tolist(),
    "income": np.round(RNG.lognormal(10, 1, N), 2).tolist(),
    "city": RNG.choice(["Bonn", "Rome", "Oslo"], N).tolist(),
    "member": RNG.choice([True, False], N).tolist(),
    "since": [f"20{year:02}-{month:02}-15" for year, month in RNG.integers(1, 13, (N, 2)).tolist()],
    "height": [None if i % 9 == 0 else f"{RNG.normal(1.7, 0.1):.2f} m" for i in range(N)],
    "band": [f"{low} to {low + width}" for low, width in RNG.integers(1, 30, (N, 2)).tolist()],
    "loan": ["yes" if i % 3 else "no" for i in range(N)],
}
PARSED = {"since": "date", "height": "number", "band": "range"}
Net = tuple[Predictor, Any]
SETTINGS: dict[str, Any] = {
    "dataset": {"table": "loan"},
    "parse": PARSED,
    "preprocessing": {"numbers": ["impute", "standardize"], "categories": "one_hot", "dates": "calendar"},
    "layers": ["linear: 4", "tanh", "linear: 1"],
    "loss": "binary_cross_entropy",
    "epochs": 1,
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with columns of every kind."""
    return train(SETTINGS, MIXED, folder=tmp_path_factory.mktemp("mixed"), verbose=False)


@pytest.fixture(scope="module")
def net(mixed: Run) -> Net:
    """The net of this run, to be given other weights, and what is known about its columns."""
    return restore(mixed._directory), mixed._directory.records.data()["inputs"]


def straight(folder: Path, columns: dict[str, Any], target: list[float], **settings: Any) -> Run:
    """A run that has learned a linear target."""
    steps = {"numbers": "standardize", "target": "standardize"}
    how = {"layers": ["linear: 1"], "loss": "mse", "preprocessing": steps, "epochs": 60, "lr": 0.3}
    table = {**columns, "y": target}
    return train({"dataset": {"table": "y"}, **how, **settings}, table, folder=folder, verbose=False)


# What is found is true


DRAWN = st.integers(0, 10_000), st.integers(0, N - 1), st.sets(st.sampled_from([*MIXED][:-1])), st.booleans()


@settings(max_examples=6)
@given(*DRAWN)
def test_answers_stay_in_the_ranges_change_only_what_may_and_are_confirmed_by_predict(
    net: Net, seed: int, place: int, named: set[str], vary: bool
) -> None:
    check_answers(net, seed, place, named, vary)


@pytest.mark.slow
@settings(max_examples=200)
@given(*DRAWN)
def test_so_do_those_of_many_nets(net: Net, seed: int, place: int, named: set[str], vary: bool) -> None:
    check_answers(net, seed, place, named, vary)


def check_answers(net: Net, seed: int, place: int, named: set[str], vary: bool) -> None:
    """Check what is found for a row of a net with drawn weights."""
    predictor, inputs = net
    for array in predictor.model.parameters.arrays.values():
        array[:] = np.random.default_rng(seed).normal(0, 1, array.shape)
    row = {name: [cells[place]] for name, cells in MIXED.items()}
    now = BatchPredictor(predictor, inputs, rows_for(row, predictor.config.dataset)).all()["prediction"].at(0)
    wish = "no" if now == "yes" else "yes"
    chosen = sorted(named) if vary or len(named) < 7 else []
    found = nearest_answers(predictor, inputs, row, wish, *((chosen, ()) if vary else ((), chosen)))
    free = {*MIXED} - {"loan"} if not chosen else {*chosen} if vary else {*MIXED} - {*chosen}
    assert not found.reached
    assert {*found.varied} == free - {"loan"}
    for answer in found.answers:
        changed = {change.column for change in answer.changes}
        assert changed <= free
        assert {name for name, cell in answer.row.items() if not same(cell, row[name][0])} == changed
        again = BatchPredictor(predictor, inputs, rows_for({**answer.row, "loan": ""}, predictor.config.dataset)).all()
        assert again["prediction"].at(0) == wish == answer.prediction.prediction
        for change in answer.changes:
            check_cell(change.column, change.after)
    sets = [{change.column for change in answer.changes} for answer in found.answers]
    assert not any(earlier <= later for earlier, later in itertools.combinations(sets, 2))


def same(one: object, other: object) -> bool:
    return one == other or {one, other} == {None, ""}


def check_cell(column: str, cell: Any) -> None:
    """Check that a cell is one that the training rows could have had."""
    known = MIXED[column]
    match column:
        case "city" | "member":
            assert cell in known
            assert type(cell) is type(known[0])
        case "age":
            assert type(cell) is int
            assert min(known) <= cell <= max(known)
        case "income":
            assert min(known) <= cell <= max(known)
            assert round(cell, 2) == cell
        case "since":
            assert min(known) <= cell <= max(known)
            assert len(cell) == 10
        case "height":
            number, unit = cell.split()
            sizes = [float(text[:4]) for text in known if text]
            assert unit == "m"
            assert min(sizes) <= float(number) <= max(sizes)
        case "band":
            low, high = map(float, cell.split(" to "))
            assert low <= high


def test_the_answer_of_a_linear_net_is_the_first_number_beyond_the_closed_form(tmp_path: Path) -> None:
    x = [*range(60)]
    run = straight(tmp_path, {"x": x}, [2.0 * one for one in x])
    start, slope = run.predict({"x": [0, 1]})["prediction"]
    slope -= start
    for bound, (low, high) in {
        ">= 90": (90, np.inf), "<= 31.5": (-np.inf, 31.5), "60..70": (60, 70), "> 51": (51, np.inf)
    }.items():  # fmt: skip
        right = [one for one in x if low <= start + slope * one <= high]
        found = run.whatif({"x": 22}, bound)
        assert found.answers[0].changes[0].after == min(right, key=lambda one: abs(one - 22))


def test_the_nearest_answer_of_a_linear_net_changes_the_column_in_which_it_is_nearest(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.permutation(200).tolist() for name in "abc"}
    truth = [a - 3 * b + 2 * c for a, b, c in zip(*columns.values(), strict=True)]
    run = straight(tmp_path, columns, [float(one) for one in truth])
    found = run.whatif({"a": 100, "b": 100, "c": 100}, ">= 150")
    assert [[one.column for one in answer.changes] for answer in found.answers] == [["b"], ["c"]]
    assert found.answers[0].changes[0].after == pytest.approx(50, abs=2)
    assert found.answers[0].distance == pytest.approx(50 / 200, abs=0.02)
    assert found.answers[1].distance == pytest.approx(75 / 200, abs=0.02)
    assert [answer.distance for answer in run.whatif({"a": 100, "b": 100, "c": 100}, ">= 150", keep="b").answers] == [
        found.answers[1].distance
    ]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))])
def test_no_row_of_all_possible_ones_is_nearer(seed: int, tmp_path: Path) -> None:
    """Compare with all 21 x 21 x 3 rows that there are, for a net that is not linear."""
    rng = np.random.default_rng(seed)
    a, b = (np.repeat(np.arange(21), 21), np.tile(np.arange(21), 21))
    table = {"a": a.tolist(), "b": b.tolist(), "c": rng.choice(["u", "v", "w"], 441).tolist()}
    how = {**SETTINGS, "parse": {}, "layers": ["linear: 5", "tanh", "linear: 1"]}
    run = train(how, {**table, "loan": ["no", "yes"] * 220 + ["no"]}, folder=tmp_path, verbose=False)
    predictor, inputs = restore(run._directory), run._directory.records.data()["inputs"]
    for array in predictor.model.parameters.arrays.values():
        array[:] = rng.normal(0, 1.5, array.shape)
    everything = {
        "a": np.tile(a, 3).tolist(),
        "b": np.tile(b, 3).tolist(),
        "c": np.repeat(["u", "v", "w"], 441).tolist(),
    }
    answers = (
        BatchPredictor(predictor, inputs, rows_for(everything, predictor.config.dataset)).all()["prediction"].tolist()
    )
    i = int(rng.integers(len(answers)))
    row = {name: cells[i] for name, cells in everything.items()}
    wish = "no" if answers[i] == "yes" else "yes"
    cost = sum(
        np.abs(np.array(everything[name]) - row[name]) / 21 + 0.1 * (np.array(everything[name]) != row[name])
        for name in "ab"
    )
    cost += 1.1 * (np.array(everything["c"]) != row["c"])
    possible = cost[np.array(answers) == wish]
    found = nearest_answers(predictor, inputs, row, wish)
    assert bool(found.answers) == bool(len(possible))
    if found.answers:
        best = found.answers[0]
        assert best.distance + 0.1 * len(best.changes) == pytest.approx(possible.min(), abs=0.06)


def test_two_columns_change_where_neither_alone_gives_the_answer(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 2, (200, 2))
    table = {"a": (x[:, 0] * 10).tolist(), "b": (x[:, 1] * 10).tolist(), "y": (x.sum(axis=1) * 1.0).tolist()}
    steps = {"numbers": "standardize", "target": "standardize"}
    how = {
        "dataset": {"table": "y"},
        "layers": ["linear: 1"],
        "loss": "mse",
        "preprocessing": steps,
    }
    found = train({**how, "epochs": 60, "lr": 0.3}, table, folder=tmp_path, verbose=False).whatif(
        {"a": 0, "b": 0}, ">= 1.9"
    )
    assert [[one.column for one in answer.changes] for answer in found.answers] == [["a", "b"]]


def test_an_answer_whose_cells_do_not_go_together_is_called_unusual(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=300)
    columns = {"a": a.tolist(), "b": (a + 0.05 * rng.normal(size=300)).tolist()}
    run = straight(tmp_path, columns, (10 * a).tolist())
    predictor, inputs = restore(run._directory), run._directory.records.data()["inputs"]
    net = predictor.model.parameters.arrays["0.weight"]
    net[:] = [[0.9], [0.1]]
    background = predictor.encoder.encode(Table("t", {name: np.array(cells) for name, cells in columns.items()}), "f4")
    (odd,) = nearest_answers(predictor, inputs, {"a": 1.0, "b": 1.0}, "<= -8", "a", background=background).answers
    assert odd.unusual == "unusual: farther from 300 training rows than all of them are from each other"
    (fine,) = nearest_answers(predictor, inputs, {"a": 1.0, "b": -0.8}, "<= -8", "a", background=background).answers
    assert fine.unusual == ""
    assert odd.plain()["unusual"] == odd.unusual


# How a row is asked about


def test_a_threshold_that_the_run_keeps_decides(mixed: Run) -> None:
    row = {name: cells[1] for name, cells in MIXED.items()}
    try:
        for threshold in (0.999, 0.001):
            mixed.decide(threshold)
            now = mixed.predict(row)["prediction"][0]
            assert now == ("no" if threshold > 0.5 else "yes")
            assert mixed.whatif(row, now).reached
    finally:
        mixed.decide("none")


def test_one_of_several_labels_is_named(tmp_path: Path) -> None:
    x = [*range(40)]
    table = {
        "x": x,
        "hail": ["yes" if one > 20 else "no" for one in x],
        "rain": ["yes" if one > 10 else "no" for one in x],
    }
    how = {
        "dataset": {"table": ["hail", "rain"]}, "layers": ["linear: 2"], "loss": "binary_cross_entropy",
        "preprocessing": "standardize", "epochs": 300, "lr": 1.0,
    }  # fmt: skip
    run = train(how, table, folder=tmp_path, verbose=False)
    assert run.predict({"x": 15})["prediction_hail"][0] == "no"
    found = run.whatif({"x": 15}, "hail=yes").answers[0]
    assert run.predict(found.row)["prediction_hail"][0] == "yes"
    assert run.predict({"x": found.changes[0].after - 1})["prediction_hail"][0] == "no"
    with pytest.raises(UserError, match="the run has 2 targets, 'hail' and 'rain'; name one, as in 'hail="):
        run.whatif({"x": 15}, "yes")


def test_what_cannot_be_asked_gets_a_sentence(mixed: Run, tmp_path: Path) -> None:
    row = {name: cells[1] for name, cells in MIXED.items()}
    for target, options, sentence in (
        ("maybe", {}, "the target 'loan' has no class 'maybe'; its classes are 'no' and 'yes'"),
        ("yess", {}, "no class 'yess'; did you mean 'yes'?"),
        ("no", {"keep": "agee"}, "the run has no input column 'agee'; did you mean 'age'?"),
        ("no", {"vary": ["age"], "keep": ["age"]}, "'age' can either change or not; name it once"),
        ("no", {"answers": 0}, "the number of answers is 1 or more, found 0"),
    ):
        with pytest.raises(UserError, match=sentence.replace("?", "[?]")):
            mixed.whatif(row, target, **options)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="the row has 120 rows, and a what-if is about one; choose it with --number"):
        mixed.whatif(MIXED, "no")
    with pytest.raises(DataError, match="the row has no row 121; it has 120 rows"):
        mixed.whatif(MIXED, "no", number=121)
    run = straight(tmp_path, {"x": [*range(20)]}, [float(x) for x in range(20)], epochs=1)
    for target in ("300", "ten", "=> 3"):
        with pytest.raises(UserError, match="give a bound or a range, such as '>= 300000', '<= 5' or"):
            run.whatif({"x": 1}, target)
    for target in (">= 1e999", (math.nan, 3), (math.inf, math.inf)):
        with pytest.raises(UserError, match="has no finite bound; give a bound or a range, such as"):
            run.whatif({"x": 1}, target)
    assert run.whatif({"x": 1}, ">= 300", keep="x").facts[-1] == ("answer", "none: no column may change")
    with pytest.raises(UserError, match="no number from 20 to 10; the lower end comes first"):
        run.whatif({"x": 1}, (20, 10))


# The command


def test_the_command_shows_what_changes_and_what_it_found_none_of(
    inside: Nnfs, write: Callable[[str, str], Path], tmp_path: Path
) -> None:
    write("t.csv", "x,z,y\n" + "".join(f"{i},{i % 4},{2 * i}\n" for i in range(40)))
    write("row.csv", "z,x\n1,5\n2,30\n")
    write(
        "c.yaml",
        "dataset: {csv: {path: t.csv, target: y}}\nlayers: [linear: 1]\nloss: mse\nlr: 0.3\nepochs: 60\n"
        "preprocessing: {numbers: standardize, target: standardize}\n",
    )
    assert inside("train", "c.yaml", "-q").returncode == 0
    ask = ["whatif", "c-1", "--row", "row.csv", "--number", "1", "--target"]
    done = inside(*ask, ">= 29")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[1] == "wanted      prediction of 29 or more"
    assert [line.split()[:3] for line in lines[4:6]] == [["column", "now", "then"], ["x", "5", "15"]]
    assert done.stderr == "next        all columns may change; name those that cannot with --keep\n"
    plain = json.loads(inside(*ask, ">= 29", "--json").stdout)
    assert plain["answers"][0]["row"] == {"x": 15, "z": 1}
    assert not plain["reached"]
    none = inside(*ask, ">= 29", "--keep", "x")
    assert none.returncode == 0  # a question that was answered, as an empty search is
    assert "none: within the ranges of the training rows, with 'x' as now, none of the" in " ".join(none.stdout.split())
    assert json.loads(inside(*ask, ">= 29", "--keep", "x", "--json").stdout)["answers"] == []
    assert "the row has it already; nothing needs to change" in inside(*ask, "<= 29").stdout
    assert "row.csv has 2 rows" in one_message(inside("whatif", "c-1", "--row", "row.csv", "--target", "10..20"), 2)


# Where a cell stands among the training rows


@pytest.mark.parametrize("kind", ["even", "normal", "skewed", "counts", "mostly zero", "nearly all zero"])
def test_the_position_of_a_number_is_near_its_share_of_rows(kind: str) -> None:
    rng = np.random.default_rng(1)
    x = {
        "even": rng.random(4_000),
        "normal": rng.normal(size=4_000),
        "skewed": np.exp(1.5 * rng.normal(size=4_000)),
        "counts": rng.poisson(2, 4_000).astype(float),
        "nearly all zero": np.where(rng.random(4_000) < 0.99, 0, rng.integers(1, 9, 4_000).astype(float)),
        "mostly zero": np.where(rng.random(4_000) < 0.7, 0, rng.exponential(size=4_000)),
    }[kind]
    cells = cells_of(profile(Table("t", {"x": x}), "x", "number"), Table("r", {"x": x[:1]}))
    assert cells is not None
    for value in np.quantile(x, [0, 0.02, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1]):
        share = ((x < value).mean() + (x <= value).mean()) / 2
        assert cells.position(float(value)) == pytest.approx(share, abs=0.07)
