"""Members that are each scored on later rows than those they were trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError, DataError
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.workflows.fit import fit
from nnfs_cli.workflows.load_run import config_of

N, TEST, MEMBERS, FOLDS = 120, 0.2, 12, 3
SPEC: dict[str, Any] = {
    "dataset": {"csv": {"path": "t.csv", "target": "y", "drop": ["day"]}},
    "split": {"time": "when", "test": TEST},
    "preprocessing": {
        "numbers": ["impute", {"views": [["robust", "smooth_clip"], [{"piecewise_linear": 4}]]}],
        "columns": {
            "few": {"one_hot": {"unseen": "other"}},
            "many": {"embedding": {"unseen": "other"}},
            "code": "target_mean",
        },
        "dates": "calendar",
    },
    "layers": [{"linear": 6}, "relu", {"linear": 3}, "softmax"],
    "members": MEMBERS,
    "holdout": "fold",
    "loss": "cross_entropy",
    "class_weights": "balanced",
    "optimizer": "adamw",
    "lr": 0.01,
    "epochs": 4,
    "log_every": 4,  # no figure of later rows chooses the epoch
}


def table(path: Path, poisoned_from: int = N) -> None:
    """Write rows in random order; from some day on they have huge numbers and weights, and other categories."""
    rng = np.random.default_rng(0)
    lines = []
    for day in range(N):
        x, code, many, label = rng.normal(), rng.integers(5), rng.integers(9), "abc"[rng.integers(3)]
        row = f"{x:.4f},{'pq'[day % 2]},m{many},c{code}", label, f"{0.5 + rng.random():.3f}"
        if day >= poisoned_from:
            row = f"{1e6 * x:.4f},new,n{many},d{code}", "a", "77"
        lines.append(f"{np.datetime64('2026-01-01') + day},{row[0]},{row[1]},{row[2]},{day}")
    path.write_text("\n".join(["when,x,few,many,code,y,w,day", *rng.permutation(lines)]) + "\n")


def config(folder: Path, **changes: Any) -> Config:
    (folder / "c.yaml").write_text(yaml.safe_dump({**SPEC, **changes}))
    return workflows.load(folder / "c.yaml")


def days_of(experiment: Experiment, split: str) -> Array:
    """Return the days of the rows of a split, from what the calendar made of them."""
    encoder = experiment.predictor.encoder
    calendar = next(block for block in encoder.inputs if block.columns == ("when",)).fit  # type: ignore[union-attr]
    trend = experiment.splits[split].X[:, encoder.names.index("when trend")]
    first = (np.datetime64("2026-01-01") - np.datetime64("1970-01-01")).astype(int)
    return np.round(trend * calendar["scale"] + calendar["mean"] - first).astype(int)


@pytest.mark.parametrize("gap", [None, "3 days"])
def test_each_member_trains_before_its_fold_and_statistics_come_from_before_all_folds(
    tmp_path: Path, gap: str | None
) -> None:
    table(tmp_path / "t.csv")
    experiment = workflows.prepare(config(tmp_path, split={**SPEC["split"], "gap": gap}))
    train, scored = days_of(experiment, "train"), days_of(experiment, "validation")
    apart = 3 if gap else 1
    assert sorted(train.tolist()) == [*range(97 - apart)]
    assert sorted(days_of(experiment, "test").tolist()) == [*range(96, 120)]
    member, folds = experiment.splits["validation"].member, experiment.splits["train"].folds
    assert member is not None
    assert folds is not None
    n_scored = round(0.25 * len(train))
    assert set(member.tolist()) == {*range(FOLDS)}
    assert sorted(scored.tolist()) == [*range(len(train) - n_scored, len(train))]
    _, _, weight = experiment.training_rows.take(slice(None))
    assert weight is not None
    for j in range(FOLDS):
        np.testing.assert_array_equal(weight[:, j] > 0, train <= scored[member == j].min() - apart)
    assert (weight[:, FOLDS:] > 0).all()
    np.testing.assert_allclose(weight.mean(axis=0), 1, 1e-6)
    encoder, early = experiment.predictor.encoder, train <= scored.min() - apart
    calendar = next(block for block in encoder.inputs if block.columns == ("when",)).fit  # type: ignore[union-attr]
    since = train[early] + 20_454  # days since 1970
    assert (calendar["mean"], calendar["scale"]) == pytest.approx((since.mean(), since.std()))
    counts = np.bincount(experiment.splits["train"].truth[early])
    assert encoder.class_weights == pytest.approx(early.sum() / (3 * counts))  # as in scikit-learn


@pytest.mark.parametrize("weight", [None, "w"])
def test_no_later_row_changes_a_member_or_what_it_predicts(tmp_path: Path, weight: str | None) -> None:
    source = {"csv": {**SPEC["dataset"]["csv"], "drop": ["day"] if weight else ["day", "w"]}}
    source["csv"] |= {"weight": weight} if weight else {}

    def trained() -> tuple[Experiment, dict[str, Array]]:
        experiment = workflows.prepare(config(tmp_path, dataset=source))
        fit(experiment)
        return experiment, experiment.predictor.model.parameters.arrays

    table(tmp_path / "t.csv")
    before, arrays = trained()
    member = before.splits["validation"].member
    assert member is not None
    days = days_of(before, "validation")
    for j in range(FOLDS):
        table(tmp_path / "t.csv", poisoned_from=int(days[member == j].max()) + 1)
        after, found = trained()
        for k in range(j + 1):
            for name, array in arrays.items():
                np.testing.assert_array_equal(found[name][k], array[k])
            rows = np.flatnonzero(member == k)
            predicted = [
                one.predictor.evaluate(one.splits["validation"].take(rows))[1].y_hat for one in (before, after)
            ]
            np.testing.assert_array_equal(*predicted)
        for k in {*range(j + 2, FOLDS), MEMBERS - 1} if j < FOLDS - 1 else ():  # they do see later rows
            assert not np.array_equal(found["0.weight"][k], arrays["0.weight"][k])


def test_earlier_runs_keep_their_folds_at_random(tmp_path: Path) -> None:
    table(tmp_path / "t.csv")
    changes = {"preprocessing": {"categories": "one_hot", "dates": "calendar"}}
    experiment = workflows.prepare(config(tmp_path, **changes, edition=1))
    assert len(experiment.splits["validation"]) == len(experiment.splits["train"])
    with pytest.raises(ConfigError, match="target_mean shows every member its held-out targets"):
        config(tmp_path, edition=1)


def test_a_run_with_forward_folds_is_evaluated_and_compared_on_them(tmp_path: Path) -> None:
    table(tmp_path / "t.csv")
    experiment = workflows.prepare(config(tmp_path, class_weights=None))
    run = workflows.begin(experiment, tmp_path / "runs")
    workflows.train(experiment, run)
    metrics = run.metrics()
    assert metrics["validation"]["rows"] == 24
    assert metrics["train"]["rows"] == experiment.description["rows"]["train"] == 96
    assert workflows.evaluate(run, ["validation"])["validation"] == metrics["validation"]
    assert workflows.verify(run).exact
    assert config_of(run).forward
    others = workflows.compare(run)["validation"]
    train, truth = days_of(experiment, "train"), experiment.splits["train"].truth
    held_out = experiment.splits["validation"]
    assert held_out.member is not None
    losses = [
        -np.log(np.mean(truth[train < days_of(experiment, "validation")[held_out.member == j].min()] == y))
        for j, y in zip(held_out.member, held_out.truth, strict=True)
    ]
    assert others["constant"]["log_loss"] == pytest.approx(np.mean(losses))


def test_a_preset_takes_as_many_members_as_groups_allow_and_as_many_folds_as_instants_allow(tmp_path: Path) -> None:
    lines = [f"{2000 + i // 30},{i % 7},g{i % 5},{i % 3}.{i % 10}" for i in range(300)]
    (tmp_path / "t.csv").write_text("\n".join(["year,x,g,y", *lines]))
    source = {"csv": {"path": "t.csv", "target": "y"}}
    found = {}
    configs: dict[str, dict[str, Any]] = {
        "time": {"split": {"time": "year"}},
        "time, nets alone": {"split": {"time": "year"}, "blend": []},
        "group": {"split": {"group": "g", "test": 0.2}},
    }
    for by, settings in configs.items():
        (tmp_path / "c.yaml").write_text(yaml.safe_dump({"dataset": source, **settings}))
        one = workflows.load(tmp_path / "c.yaml")
        member = workflows.prepare(one).splits["validation"].member
        assert member is not None
        steps = [step.name for step in one.preprocessing.target or ()]
        found[by] = one.members, [*np.bincount(member)], steps
    assert found == {
        "time": (8, [30, 60], ["standardize"]),
        "time, nets alone": (16, [30, 30, 30], ["standardize"]),  # of three instants, though four folds are wanted
        "group": (4, [60] * 4, ["clamp", "standardize"]),
    }


@pytest.mark.parametrize("split", [{"time": "x"}, {"group": "x"}])
def test_one_group_or_instant_is_an_error(tmp_path: Path, split: dict[str, str]) -> None:
    (tmp_path / "t.csv").write_text("x,z,y\n" + "".join(f"1,{i},{i}\n" for i in range(40)))
    spec = {"dataset": {"csv": {"path": "t.csv", "target": "y"}}, "split": split}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(spec))
    with pytest.raises(DataError, match=r"column 'x' has 1 (different value in the training rows, too few|group, but)"):
        workflows.prepare(workflows.load(tmp_path / "c.yaml"))


# --- rows that depend on each other ---


def rows_at(times: Any) -> EncodedRows:
    n = len(times)
    return EncodedRows(np.zeros((n, 1)), np.zeros((n, 1)), np.zeros((n, 1)), time=np.asarray(times))


@given(st.lists(st.integers(0, 200), min_size=1, max_size=400))
def test_blocks_hold_consecutive_instants_and_are_of_equal_size(times: list[int]) -> None:
    blocks, values = rows_at(times).units, np.array(times)
    assert blocks is not None
    assert 0 <= blocks.min() <= blocks.max() < 20
    assert (np.diff(blocks[np.argsort(values, kind="stable")]) >= 0).all()
    assert all(len(set(blocks[values == time])) == 1 for time in set(times))
    apart = rows_at(np.arange(len(times))).units
    assert apart is not None
    assert np.ptp(np.bincount(apart)) <= 1 + len(times) % 20


# --- cross-validation ---


def test_cross_validation_by_time_has_the_folds_of_scikit_learn(tmp_path: Path) -> None:
    table(tmp_path / "t.csv")
    changes = {"split": {"time": "when", "test": 0.1, "gap": "2 days"}, "holdout": None, "members": 1}
    found = workflows.cross_validate({"a": config(tmp_path, **changes)}, folds=5)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    days = np.array([int(lines[row].rpartition(",")[2]) for row in found.predictions["row"]])
    for fold, (_, test) in enumerate(TimeSeriesSplit(5, gap=1).split(np.arange(108)), 1):
        assert sorted(days[found.predictions["fold"] == fold].tolist()) == test.tolist()
    with pytest.raises(ConfigError, match="folds by time are the same in every repeat; leave repeats out"):
        workflows.cross_validate({"a": config(tmp_path, **changes)}, folds=5, repeats=2)


def test_no_later_row_changes_the_predictions_for_a_fold(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"split": {"time": "when", "validation": 0.2, "test": 0.1}, "members": 1, "holdout": None}
    table(tmp_path / "t.csv")
    before = workflows.cross_validate({"a": config(tmp_path, **changes)}, folds=3).predictions
    table(tmp_path / "t.csv", poisoned_from=54)  # the last two of four blocks
    after = workflows.cross_validate({"a": config(tmp_path, **changes)}, folds=3).predictions
    for column, values in before.items():
        first, others = before["fold"] == 1, before["fold"] == 3
        np.testing.assert_array_equal(values[first], after[column][first])
        assert not column.startswith("probability") or not np.array_equal(values[others], after[column][others])
