"""Which run a name stands for, and how a model is replaced by a newer run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from nnfs_cli.errors import RunError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.serve.sources import RunSource
from tests.serve.house import House, rows_of


def copied(run: Path, to: Path, begun: str, state: str = "finished") -> Path:
    """Copy a run, as one that was begun at another time."""
    made = RunDirectory(shutil.copytree(run, to))
    made.status_file._write({**made.status(), "begun": begun, "state": state})
    return to


def test_a_source_is_a_run_or_the_newest_finished_one(runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    ten = copied(runs / "flats-1", folder / "flats-10", "2100-01-03T00:00:00.000+00:00")
    copied(runs / "flats-1", folder / "flats-9", "2100-01-02T00:00:00.000+00:00")
    copied(runs / "flats-1", folder / "flats-11", "2100-01-04T00:00:00.000+00:00", "running")
    dear = copied(runs / "dear-1", folder / "dear-1", "2100-01-05T00:00:00.000+00:00")
    (folder / "flats-12").mkdir()
    broken = copied(runs / "flats-1", folder / "flats-13", "2100-01-06T00:00:00.000+00:00")
    (broken / "status.json").write_text("{", encoding="utf-8")

    def found(text: str) -> tuple[str, Path]:
        source = RunSource.of(text, folder)
        return source.name, source.resolve().path

    assert found(f"{folder}/flats") == found("flats") == ("flats", ten)
    assert found(f"{folder}/flats-9") == found("flats-9") == ("flats", folder / "flats-9")
    assert found(f"home={folder}/flats") == ("home", ten)
    assert found(f"all={folder}") == ("all", dear)
    assert found(f"{folder}") == ("runs", dear)
    for name in ("flat", "flats-1", "flats-12"):
        with pytest.raises(RunError, match=f"there is no run .*{name}$"):
            RunSource.of(f"{folder}/{name}", folder).resolve()
    shutil.rmtree(dear)
    shutil.rmtree(ten)
    shutil.rmtree(folder / "flats-9")
    with pytest.raises(RunError, match="there is no finished run"):
        RunSource.of("flats", folder).resolve()


def test_a_name_with_signs_is_a_name(runs: Path, tmp_path: Path) -> None:
    odd = copied(runs / "flats-1", tmp_path / "runs" / "a={x} & <ü>-1", "2100-01-01T00:00:00.000+00:00")
    with House(str(odd), f"{{model_id}}={odd}") as house:
        assert house.models.first == "a={x} & <ü>"
        assert house.ask("/models/a={x} & <ü>/predict", rows_of(1)).status == 200
        assert house.ask("/models/{model_id}/predict", rows_of(1)).status == 200
        paths = house.ask("/openapi.json").json["paths"]
        assert "/models/a%3D%7Bx%7D%20%26%20%3C%C3%BC%3E/predict" in paths
        page = house.ask("/").body.decode()
        assert "a={x} &amp; &lt;ü&gt;" in page
        assert "<ü>" not in page
        assert 'model="a={x} & <ü>"' in house.ask("/metrics").body.decode()


def test_a_model_is_replaced_only_by_a_run_that_can_be_loaded(runs: Path, tmp_path: Path) -> None:
    folder, rows = tmp_path / "runs", rows_of(3)
    first = copied(runs / "flats-1", folder / "flats-1", "2100-01-01T00:00:00.000+00:00")
    with House(f"{folder}/flats") as house:
        house.run(house.models.reload(only_changed=True))
        assert house.told == []
        second = copied(runs / "flats-1", folder / "flats-2", "2100-01-02T00:00:00.000+00:00")
        (second / "weights" / "best.npz").write_bytes(b"nothing")
        for _ in range(2):
            house.run(house.models.reload(only_changed=True))
        assert len(house.told) == 1
        assert re.fullmatch(rf"'flats' stays {first}: {second}/weights/best.npz is damaged .*", house.told.pop())
        assert house.ask("/predict", rows).status == 200
        third = copied(runs / "flats-1", folder / "flats-3", "2100-01-03T00:00:00.000+00:00")
        house.run(house.models.reload(only_changed=True))
        assert house.told == [f"'flats' is now {third}"]
        assert house.ask("/models").json == {"flats": {"run": "flats-3"}}
        house.run(house.models.reload(only_changed=False))
        assert len(house.told) == 2
        assert house.metrics.reloads.values == {(("model", "flats"),): 2}
