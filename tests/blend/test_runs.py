"""A run with a blend: what it predicts, keeps and repeats."""

from __future__ import annotations

import copy
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnfs_cli import ConfigError, NetClassifier, NetRegressor, Run, RunError, workflows
from nnfs_cli.arrays import Array
from nnfs_cli.blend.trees import Trees
from nnfs_cli.config.config import Config
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.runs.directory import RunDirectory
from tests.blend.runs import BLEND, NUMBERS, WEIGHTED, experiment, table, trained
from tests.conftest import Nnfs, one_message, unsealed
from tests.twins import record

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")


def by_hand(run: RunDirectory, X: Array, y_hat: Array) -> Array:
    """The outputs for new rows, from the file of the run and those of the net alone."""
    with np.load(run.path / "blend.npz", allow_pickle=False) as file:
        kept = dict(file)
    weights, probable = kept["weights"][0], len(y_hat[0]) > 1
    shares = np.bincount(kept["sets"]) / len(kept["sets"])

    def walked(i: int) -> Array:
        """The values of the leaves, (rows, sets, rounds, trees of a round, values)."""
        found = np.empty((len(X), *kept[f"{i}.roots"].shape, kept[f"{i}.value"].shape[1]))
        for row, x in enumerate(X):
            for place, root in np.ndenumerate(kept[f"{i}.roots"]):
                node = int(root)
                while kept[f"{i}.left"][node] != node:
                    larger = x[kept[f"{i}.feature"][node]] > kept[f"{i}.threshold"][node]
                    node = int(kept[f"{i}.left"][node] + larger)
                found[(row, *place)] = kept[f"{i}.value"][node]
        return found

    def softmax(z: Array) -> Array:
        p = np.exp(z - z.max(axis=-1, keepdims=True))
        return np.asarray(p / p.sum(axis=-1, keepdims=True))

    parts = [y_hat.astype(float)] if weights[0] else []
    if weights[1]:
        z = walked(0)[..., 0].sum(axis=2) + kept["0.bias"]
        parts.append(np.einsum("rso,s->ro", softmax(z) if probable else z, shares))
    if weights[2]:
        values = walked(1)[..., 0, :]
        means = (values.sum(axis=2) + kept["1.mean"]) / (values.shape[2] + 1) if probable else values.mean(axis=2)
        parts.append(np.einsum("rso,s->ro", means, shares))
    if weights[3]:
        z = np.einsum("ri,sio->rso", X[:, kept["2.columns"]], kept["2.weight"]) + kept["2.bias"]
        z = softmax(z) if probable else np.clip(z, kept["2.range"][:, 0], kept["2.range"][:, 1])
        parts.append(np.einsum("rso,s->ro", z, shares))
    if weights[4]:
        parts.append(np.tile(shares @ kept["3.mean"], (len(X), 1)))
    some = weights[weights > 0]
    if not probable:
        return np.asarray(np.tensordot(some, parts, 1))
    return softmax(np.tensordot(some, np.log(np.maximum(parts, 1e-7)), 1))


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_predictions_follow_from_the_files_of_the_run(kind: str, request: pytest.FixtureRequest) -> None:
    run: RunDirectory = request.getfixturevalue(kind)
    predictor, new = workflows.restore(run), table().sample(20, random_state=1)
    rows = rows_for(new, predictor.config.dataset).read(predictor.encoder.kinds)
    X = predictor.encoder.encode(rows, np.dtype(np.float32))
    expected = predictor.answer(by_hand(run, X, predictor.model.predict(X)))
    found = Run(run).predict(new)
    names = [name for name in found.columns if name != "prediction"] or ["prediction"]
    np.testing.assert_allclose(np.stack([found[name] for name in names], axis=1), expected, 1e-5, 1e-6)
    one = Run(run).predict(new.iloc[3].to_dict())
    assert [float(one[name][0]) for name in names] == pytest.approx(expected[3].tolist(), 1e-4)
    assert not np.allclose(predictor.answer(predictor.model.predict(X)), expected, rtol=0.01)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_the_figures_are_those_of_the_blend_out_of_fold(kind: str, request: pytest.FixtureRequest) -> None:
    run: RunDirectory = request.getfixturevalue(kind)
    blend = workflows.restore(run).blend
    assert blend is not None
    metrics = run.metrics()
    assert metrics["validation"]["loss"] == pytest.approx(blend.losses[0], rel=1e-5)
    assert metrics["validation"]["loss"] < blend.losses[1]  # the net alone
    last = run.epochs()[-1]["val_loss"]
    assert last == pytest.approx(blend.losses[1], rel=1e-4)  # the log shows it
    again = workflows.evaluate(run, ["validation", "test"])
    assert {split: again[split] for split in again} == {split: metrics[split] for split in ("validation", "test")}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        pytest.param({**NUMBERS, "dataset": WEIGHTED}, marks=pytest.mark.slow),
        pytest.param({"split": {"group": "b", "test": 0.2}}, marks=pytest.mark.slow),
        pytest.param({"members": 11, "class_weights": "balanced", "averaging": "ema"}, marks=pytest.mark.slow),
        pytest.param({"layers": [{"linear": 3}]}, marks=pytest.mark.slow),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_killed_while_trees_are_fitted_is_resumed_and_ends_in_the_same_bytes(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = record(trained(tmp_path / "whole", **changes).path)

    class Killed(BaseException):
        """What cannot be caught, and leaves no time for anything."""

    def killed(*_: Any) -> None:
        raise Killed

    made = experiment(tmp_path / "broken", **changes)
    run = workflows.begin(made, tmp_path / "broken" / "runs")
    with monkeypatch.context() as patch:
        patch.setattr(Trees, "fit", killed)
        with pytest.raises(Killed):
            workflows.train(made, run)
    assert not (run.path / "blend.npz").exists()
    run.release()
    again = RunDirectory.open(run.path)
    workflows.resume(workflows.reopen(again), again)
    assert record(again.path) == whole


def test_a_run_is_verified_with_its_blend_by_any_number_of_threads(
    classes: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnfs_cli.system.parallel_map.WORKERS", 1)
    assert workflows.verify(RunDirectory.open(classes.path)).exact


def test_what_another_blend_predicts_is_found_by_verify(classes: RunDirectory, tmp_path: Path) -> None:
    path = unsealed(copy_of(classes, tmp_path))
    with np.load(path / "blend.npz") as file:
        arrays = dict(file)
    arrays["weights"] = arrays["weights"][:, ::-1]
    np.savez(path / "blend.npz", **arrays)
    with pytest.raises(RunError, match="blended models"):
        workflows.verify(RunDirectory.open(path))


def test_the_spec_of_a_run_trains_the_same_run(classes: RunDirectory, tmp_path: Path) -> None:
    table().to_csv(tmp_path / "t.csv", index=False)
    spec = (classes.path / "spec.yaml").read_text().replace("../../t.csv", "t.csv")
    assert yaml.safe_load(spec)["blend"][0]["trees"]["most"] == 8
    (tmp_path / "c.yaml").write_text(spec)
    made = workflows.prepare(Config.load(tmp_path / "c.yaml"))
    run = workflows.begin(made, tmp_path / "runs")
    workflows.train(made, run)
    assert (run.path / "blend.npz").read_bytes() == (classes.path / "blend.npz").read_bytes()
    assert run.metrics() == classes.metrics()


# --- Damaged runs ---


def copy_of(run: RunDirectory, folder: Path) -> Path:
    shutil.copytree(run.path, folder / "runs" / run.path.name)
    table().to_csv(folder / "t.csv", index=False)
    return folder / "runs" / run.path.name


def test_a_run_that_lacks_its_blend_is_refused_in_one_sentence(
    classes: RunDirectory, tmp_path: Path, inside: Nnfs
) -> None:
    path = unsealed(copy_of(classes, tmp_path))
    (path / "blend.npz").unlink()
    message = one_message(inside("predict", "--run", path, "--input", "t.csv"), 2)
    assert "damaged: it lacks blend.npz, the models that are blended with its net" in message


def test_a_blend_of_another_net_is_refused_in_one_sentence(
    classes: RunDirectory, numbers: RunDirectory, tmp_path: Path, inside: Nnfs
) -> None:
    path = unsealed(copy_of(classes, tmp_path))
    shutil.copyfile(numbers.path / "blend.npz", path / "blend.npz")
    message = one_message(inside("predict", "--run", path, "--input", "t.csv"), 2)
    assert path.name in message
    (path / "blend.npz").write_bytes(b"PK")
    assert "blend.npz is damaged" in one_message(inside("predict", "--run", path, "--input", "t.csv"), 2)


# --- Estimators ---

FAST: dict[str, Any] = {"members": 2, "epochs": 2, "log_every": 2, "blend": BLEND}


@pytest.mark.parametrize("kind", ["classes", pytest.param("numbers", marks=pytest.mark.slow)])
def test_estimators_keep_their_blend_when_they_are_saved_pickled_or_copied(kind: str, tmp_path: Path) -> None:
    rows = table()
    X, y = rows[["a", "b", "kind"]], rows["y" if kind == "classes" else "price"]
    net: Any = (NetClassifier if kind == "classes" else NetRegressor)(**FAST).fit(X, y)
    assert net.result_.outcome.blend is not None

    def answer(one: Any) -> Array:
        return np.asarray(one.predict_proba(X) if kind == "classes" else one.predict(X))

    run = net.save(tmp_path / "run")
    unpickled = pickle.loads(pickle.dumps(net))  # noqa: S301 - its own bytes
    for other in (type(net).load(run.path), unpickled, copy.deepcopy(net)):
        np.testing.assert_array_equal(answer(other), answer(net))
    named = f"probability_{net.classes_[1]}" if kind == "classes" else "prediction"
    same = answer(net)[:, 1] if kind == "classes" else answer(net)
    np.testing.assert_array_equal(Run(run).predict(X)[named], same)
    alone = net.result_.predictor.model
    assert alone.loss.name == net.config_.loss.name
    again = type(net).load(run.path).save(tmp_path / "again")
    assert (again.path / "blend.npz").read_bytes() == (run.path / "blend.npz").read_bytes()


def test_cross_validation_blends_in_every_fold(tmp_path: Path) -> None:
    made = {"blend": experiment(tmp_path).config, "net": experiment(tmp_path, blend=[]).config}
    found = workflows.cross_validate(made, 2)
    right = {name: np.mean([fold["accuracy"] for fold in found.figures[name]]) for name in made}
    assert right["blend"] > right["net"] + 0.1


# --- Config ---


@pytest.mark.parametrize(
    ("changes", "place", "sentence"),
    [
        ({"holdout": None}, "blend", "the weights of a blend are chosen out of fold; set holdout: fold"),
        (
            {**NUMBERS, "loss": "huber"},
            "blend",
            "blended models are fitted to the losses binary_cross_entropy, cross_entropy, mse and ordinal; leave",
        ),
        ({"blend": ["linear", {"linear": 2}]}, "blend", "linear is listed twice"),
        ({"blend": ["tree"]}, "blend", "there is no blended model 'tree'; did you mean 'trees'?"),
        ({"blend": [{"forest": 0}]}, "blend", "greater than 0"),
        ({"layers": [{"linear": 3}, "sigmoid"]}, "blend", "a blend needs probabilities, so the net must end in"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_blended_is_refused_with_its_place(
    changes: dict[str, Any], place: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as error:
        experiment(tmp_path, **changes)
    text = str(error.value)
    assert sentence in text
    lines = (tmp_path / "c.yaml").read_text().splitlines()
    at = next(i for i, line in enumerate(lines, 1) if line.startswith(place))
    found = int(text.split("c.yaml:")[1].split(":")[0])
    assert at <= found <= at + 3


def test_an_empty_list_switches_the_blend_of_the_preset_off(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "t.csv", index=False)
    dataset = {"csv": {"path": "t.csv", "target": "y", "drop": ["price"]}}
    for blend, names in (({}, ["trees", "forest", "linear", "constant"]), ({"blend": []}, [])):
        (tmp_path / "c.yaml").write_text(yaml.safe_dump({"dataset": dataset, **blend}))
        assert [model.name for model in workflows.load(tmp_path / "c.yaml").blend] == names
