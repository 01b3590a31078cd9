"""Reasons as columns beside the predictions, from the command line and in Python."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow.csv import read_csv

import nnfs_cli
from nnfs_cli import Run, workflows
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, RunError, UserError
from nnfs_cli.explain import attributions
from nnfs_cli.explain.reasons import MainReasons
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.background import background_of
from tests.conftest import Nnfs, one_message, unsealed

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")  # such as that nets are large


@pytest.fixture(autouse=True)
def _few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose samples among fewer, which takes less time and makes them less exact."""
    monkeypatch.setattr(attributions, "CANDIDATES", 6)


N = 90
DAYS = [f"{2020 + i // 12 % 2}-{1 + i % 12:02}-15" for i in range(N)]
USUAL: dict[str, Any] = {
    "dataset": {"csv": {"path": "t.csv", "target": "y"}},
    "layers": [{"linear": 6}, "relu", {"linear": 1}],
    "loss": "mse",
    "optimizer": "adam",
    "lr": 0.02,
    "epochs": 5,
    "split": 0,
    "engine": "numpy",
    "probes": False,
}


def trained(folder: Path, rows: str, **changes: Any) -> RunDirectory:
    (folder / "t.csv").write_text(rows)
    config = folder / "c.yaml"
    config.write_text(json.dumps({**USUAL, **changes}))
    experiment = workflows.prepare(nnfs_cli.config.config.Config.load(config))
    run = workflows.begin(experiment, folder / "runs")
    workflows.train(experiment, run)
    return run


def numbers() -> str:
    rows = [f"{DAYS[i]},{i * 7 % 11}.5,{'uvw'[i % 3]},{i % 4}-{i % 4 + 3},{i * 7 % 11 + 5 * (i % 3)}" for i in range(N)]
    return "day,size,word,years,y\n" + "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    preprocessing = {"numbers": ["impute", "standardize"], "categories": {"one_hot": {"unseen": "other"}}}
    folder = tmp_path_factory.mktemp("numbers")
    text = numbers().replace("\n2020-03-15,3.5,", "\n2020-03-15,,", 1)
    return trained(folder, text, parse={"years": "range"}, preprocessing={**preprocessing, "dates": "calendar"})


NEW = "id,day,size,word,years,y\n" + "".join(
    f"r{i},{DAYS[i]},{'' if i == 4 else i % 11 + 0.25},{'uvwx'[i % 4]},{i % 4}-{i % 4 + 3},\n" for i in range(40)
)


def explained(run: RunDirectory, path: Path, most: int = 3, **options: Any) -> Mapping[str, Any]:
    predictions = workflows.batch_predictor(run, path, **options)
    predictions.more = MainReasons.of_run(run, predictions.predictor, most)
    return predictions.all()


def test_reasons_name_the_columns_with_the_largest_effects_and_their_cells(run: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(NEW)
    found = explained(run, tmp_path / "new.csv", 4)
    assert [*found] == ["prediction", "base", *(f"{what}_{k}" for k in (1, 2, 3, 4) for what in ("reason", "effect"))]
    effects = [found[f"effect_{k}"] for k in (1, 2, 3, 4)]
    assert all((np.abs(larger) >= np.abs(smaller)).all() for larger, smaller in pairwise(effects))
    np.testing.assert_allclose(found["base"] + sum(effects), found["prediction"], rtol=1e-5)
    cells = [{found[f"reason_{k}"].tolist()[i] for k in (1, 2, 3, 4)} for i in (3, 4)]
    assert cells[0] == {"day = 2020-04-15", "size = 3.25", "word = x", "years low = 3, years high = 6"}
    assert "size is empty" in cells[1]


def test_a_row_has_the_same_reasons_in_any_file_and_any_block(run: RunDirectory, tmp_path: Path) -> None:
    header, *lines = NEW.splitlines()
    (tmp_path / "new.csv").write_text(NEW)
    (tmp_path / "other.csv").write_text("\n".join([header, *lines[30:], *lines[:30]]))
    whole, turned = explained(run, tmp_path / "new.csv"), explained(run, tmp_path / "other.csv")
    (tmp_path / "one.csv").write_text("\n".join([header, lines[7]]))
    one = explained(run, tmp_path / "one.csv")
    for name, column in whole.items():
        if name == "prediction":  # its last bits may depend on how many rows are predicted together
            continue
        values, others = (each.tolist() for each in (column, turned[name]))
        assert others == values[30:] + values[:30]
        assert one[name].tolist() == values[7:8]


def test_the_command_writes_reasons_for_rows_that_can_be_used(run: RunDirectory, inside: Nnfs, tmp_path: Path) -> None:
    lines = NEW.splitlines()
    (tmp_path / "new.csv").write_text("\n".join([*lines[:4], "bad,soon,1,u,1-4,", *lines[4:6]]))
    options = ["predict", "--run", run.path, "--input", "new.csv", "--quiet", "--keep", "id", "--explain"]
    done = inside(*options, "--on-error", "null", "--output", "null.csv")
    assert done.returncode == 0, done.stderr
    table = read_csv(tmp_path / "null.csv").to_pydict()
    assert table["id"] == ["r0", "r1", "r2", "bad", "r3", "r4"]
    for name in ("prediction", "base", "reason_1", "effect_3"):
        assert [i for i, cell in enumerate(table[name]) if cell in (None, "")] == [3]
    assert "reason_4" not in table
    done = inside(*options, "1", "--on-error", "skip", "--samples", "7", "--output", "skip.parquet")
    assert done.returncode == 0, done.stderr
    assert "reason_2" not in done.stdout
    assert "at least 1, found 0" in inside(*options, "0").stderr
    message = one_message(inside("predict", "--run", run.path, "--input", "new.csv", "--samples", "9"), 2)
    assert "add --explain" in message


def targets(folder: Path) -> tuple[RunDirectory, RunDirectory]:
    """Return a run with two targets of numbers, and one with three classes."""
    rows = [f"{i % 7},{i * 3 % 5},{i % 7 + i * 3 % 5},{2 * (i % 7)},{'abc'[i % 7 // 3]}" for i in range(60)]
    text = "p,q,y,z,kind\n" + "\n".join(rows) + "\n"
    of_two = {"csv": {"path": "t.csv", "target": ["y", "z"], "drop": ["kind"]}}
    two = trained(folder, text, dataset=of_two, layers=[{"linear": 4}, "relu", {"linear": 2}])
    of_kinds = {"csv": {"path": "t.csv", "target": "kind", "drop": ["y", "z"]}}
    layers = [{"linear": 4}, "relu", {"linear": 3}]
    return two, trained(folder, text, dataset=of_kinds, loss="cross_entropy", layers=layers, epochs=40)


def test_each_target_and_each_predicted_class_has_its_own_reasons(tmp_path: Path) -> None:
    two, kinds = targets(tmp_path)
    found = explained(two, tmp_path / "t.csv", 2)
    for target in ("y", "z"):
        total = sum(found[f"effect_{k}_{target}"] for k in (1, 2)) + found[f"base_{target}"]
        np.testing.assert_allclose(total, found[f"prediction_{target}"], rtol=1e-4, atol=1e-4)
    found = explained(kinds, tmp_path / "t.csv", 2)
    predicted = found["prediction"].tolist()
    assert len({*predicted}) > 1
    p = np.array([found[f"probability_{label}"][i] for i, label in enumerate(predicted)], np.float64)
    total = sum(found[f"effect_{k}"] for k in (1, 2)) + found["base"]
    np.testing.assert_allclose(total, np.log(p / (1 - p)), atol=1e-4)
    reasons = Run(kinds).reasons(tmp_path / "t.csv")
    assert [*reasons.labels] == predicted
    np.testing.assert_allclose(reasons.explained, np.log(p / (1 - p)), atol=1e-4)
    of_class = Run(kinds).reasons(tmp_path / "t.csv", label="b")
    assert {*of_class.labels} == {"b"}
    assert len({*of_class.base.tolist()}) == 1
    with pytest.raises(UserError, match="there is no class 'd'"):
        Run(kinds).reasons(tmp_path / "t.csv", label="d")
    with pytest.raises(UserError, match="name one, as in target='y'"):
        Run(two).reasons(tmp_path / "t.csv")
    total = Run(two).reasons(tmp_path / "t.csv", target="z")
    np.testing.assert_allclose(total["p"] + total["q"], total.explained - total.base, atol=1e-9)


def test_of_two_classes_the_effects_on_the_first_have_the_other_sign(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{'yes' if i % 7 > 3 else 'no'}\n" for i in range(60))
    run = Run(trained(tmp_path, f"x,y\n{rows}", loss="binary_cross_entropy"))
    usual, first = run.reasons({"x": [1, 5]}), run.reasons({"x": [1, 5]}, label="no")
    assert [*usual.labels, *first.labels] == ["yes", "yes", "no", "no"]
    assert (usual["x"] == -first["x"]).all()
    assert (usual.explained == -first.explained).all()
    assert repr(run.reasons({"x": 1})).splitlines()[1].startswith("x = 1  ")
    assert "log-odds of yes" in run.reasons({"x": 1})._repr_html_()
    assert run.predict({"x": 1}, explain=3).columns[-3:] == ("base", "reason_1", "effect_1")


def test_words_lead_from_the_base_value_to_the_prediction(run: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(NEW)
    reasons = Run(run).reasons(tmp_path / "new.csv")
    assert reasons.columns == ("day", "size", "years", "word")
    first, *lines, last = reasons.in_words(-36, 2).splitlines()
    assert [first.split()[:2], last.split()[:3]] == [["base", "value"], ["prediction", "of", "y"]]
    assert len(lines) == 3
    assert lines[2].startswith("2 other columns")
    ends = [float(line.split()[-1]) for line in (first, *lines, last)]
    assert abs(sum(ends[:-1]) - ends[-1]) < 0.01
    assert "size is empty" in reasons.in_words(4)


def test_a_run_without_background_rows_reads_its_data_again(tmp_path: Path) -> None:
    run = trained(tmp_path, numbers(), background=0, preprocessing={"categories": "one_hot", "dates": "calendar"})
    other = trained(tmp_path, numbers(), preprocessing={"categories": "one_hot", "dates": "calendar"})
    assert not (run.path / "background.npz").exists()
    predictor = workflows.load_run.restore(run)
    assert (background_of(run, predictor) == background_of(other, predictor)).all()
    (tmp_path / "t.csv").unlink()
    with pytest.raises(DataError, match="keeps no training rows for reasons, and its data is missing"):
        background_of(run, predictor)
    assert len(background_of(other, predictor)) == N
    copy = tmp_path / "copy"
    shutil.copytree(other.path, copy)
    for rows in (np.zeros((3, 2)), np.zeros((0, predictor.model.input_shape[0]))):
        np.savez(unsealed(copy) / "background.npz", X=rows)
        with pytest.raises(RunError, match=r"background.npz is damaged: it should hold rows of \d+ finite inputs"):
            background_of(RunDirectory.open(copy), predictor)


def test_weights_of_rows_draw_the_background(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i},{int(i >= 50)}\n" for i in range(60))
    dataset = {"csv": {"path": "t.csv", "target": "y", "weight": "w"}}
    run = trained(tmp_path, f"x,y,w\n{rows}", dataset=dataset, background=20)
    predictor = workflows.load_run.restore(run)
    X = background_of(run, predictor)
    assert len(X) == 10  # the rows with a weight


def test_effects_are_on_calibrated_probabilities_where_these_are_shown(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{'yes' if i * 5 % 7 > 3 else 'no'}\n" for i in range(200))
    run = trained(tmp_path, f"x,y\n{rows}", loss="binary_cross_entropy", split=0.5, epochs=30)
    (tmp_path / "new.csv").write_text("x\n1\n5\n")
    usual, calibrated = (explained(run, tmp_path / "new.csv", 1, interval=level) for level in (None, 0.8))
    assert (usual["probability_yes"] != calibrated["probability_yes"]).all()
    for found in (usual, calibrated):
        p = found["probability_yes"].astype(np.float64)
        np.testing.assert_allclose(found["base"] + found["effect_1"], np.log(p / (1 - p)), atol=1e-4)


def test_a_count_with_an_exposure_is_explained_as_a_rate(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{1 + i % 3},{i % 7 * (1 + i % 3)}\n" for i in range(60))
    dataset = {"csv": {"path": "t.csv", "target": "y", "exposure": "years"}}
    layers = [{"linear": 4}, "relu", {"linear": 1}, "exp"]
    run = trained(tmp_path, f"x,years,y\n{rows}", dataset=dataset, loss="poisson", layers=layers)
    found = explained(run, tmp_path / "t.csv", 1)
    np.testing.assert_allclose(found["base"] + found["effect_1"], found["rate"], rtol=1e-5)


@pytest.mark.parametrize("most", [0, -3])
def test_a_prediction_has_at_least_one_reason(run: RunDirectory, most: int) -> None:
    predictor = workflows.load_run.restore(run)
    with pytest.raises(UserError, match="1 reason or more"):
        MainReasons.of_run(run, predictor, most)


def test_texts_of_reasons_are_kept_once(run: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(NEW)
    found = explained(run, tmp_path / "new.csv", 1)["reason_1"]
    assert isinstance(found, Texts)
    assert len(found.distinct) == len({*found.tolist()})
