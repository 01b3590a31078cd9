"""What a report says of predictions, against scikit-learn, the run's own predictions and its table."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from nnfs_cli import Run
from nnfs_cli.charts.chart import Chart
from nnfs_cli.data.table import Table
from nnfs_cli.prediction.calibration import ClassCalibration
from nnfs_cli.report.blocks import Charts, Rows, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.run_report import run_report
from nnfs_cli.report.sections.confusion import confusion
from nnfs_cli.report.sections.coverage import coverage
from nnfs_cli.report.sections.figures import figures
from nnfs_cli.report.sections.members import disagreement, out_of_fold
from nnfs_cli.report.sections.probabilities import probabilities
from nnfs_cli.report.sections.ranking import curves, ranking, steps
from nnfs_cli.report.sections.residuals import residuals
from nnfs_cli.report.sections.surface import SIDE, surface
from nnfs_cli.report.sections.worst_rows import worst_rows
from nnfs_cli.runs.directory import RunDirectory
from tests.report.kinds import CLASS, HOSTILE, KINDS, run_of, trained

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")


def charts(section: Section | None) -> dict[str, Any]:
    assert section is not None
    return {chart.title: chart for block in section.blocks if isinstance(block, Charts) for chart, _ in block.charts}


def tables(section: Section | None) -> list[Rows]:
    assert section is not None
    return [block for block in section.blocks if isinstance(block, Rows)]


def data_of(html: str, name: str) -> Any:
    match = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html)
    assert match
    return json.loads(match[1])


def rows_of(run: RunDirectory) -> list[dict[str, str]]:
    with (run.path.parent.parent / "rows.csv").open() as file:
        return list(csv.DictReader(file))


# --- every kind of run -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_any_kind_is_whole_small_and_shows_names_as_text(kind: str) -> None:
    facts = RunFacts(run_of(kind))
    html = run_report(facts)
    assert facts.faults == []
    assert len(html) < 3_000_000
    assert HOSTILE not in html
    assert "<b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert re.search("<title>.+?</title><desc>.+?</desc>", svg, re.DOTALL)


def test_the_page_at_the_end_of_a_training_is_the_one_that_is_made_later(tmp_path: Path) -> None:
    for kind in ("binary", "members and folds"):
        experiment, run = trained(tmp_path, kind)
        assert run_report(RunFacts(run, experiment)) == run_report(RunFacts(run))


# --- figures and classes ---------------------------------------------------------------------------------------------


def test_figures_are_those_of_the_run_with_the_intervals_of_evaluate() -> None:
    run = run_of("binary")
    table = tables(figures(RunFacts(run)))[0]
    found = Run(run).evaluate(splits=["train", "validation", "test"])
    low, high = found.intervals["test"]["accuracy"] or (0, 0)
    row = next(row for row in table.rows if row[0] == "accuracy")
    assert row[-1] == f"{found['test']['accuracy']:.4f} [{low:.4f}, {high:.4f}]"
    assert run.metrics()["test"]["accuracy"] == found["test"]["accuracy"]


def test_the_confusion_matrix_is_that_of_scikit_learn() -> None:
    run = run_of("multi-class")
    predicted = Run(run).predict(run.path.parent.parent / "rows.csv")["prediction"]
    facts = RunFacts(run)
    found = facts.predictions
    assert found is not None
    places = found.table("test", np.arange(len(found.rows["test"])))
    assert places is not None
    truth = np.array([row["three"] for row in rows_of(run)])[places[1]]
    labels = list(found.predictor.labels)
    expected = sk.confusion_matrix(truth, np.array(list(predicted))[places[1]], labels=labels)
    matrix = charts(confusion(facts))["Confusion matrix of the test rows"]
    assert [[int(cell.split(" ")[0]) for cell in row] for row in matrix.texts] == expected.tolist()
    assert matrix.x_names == labels


@pytest.mark.slow
def test_baselines_are_shown_where_they_are_asked_for() -> None:
    run = run_of("regression")
    assert len(tables(figures(RunFacts(run)))) == 2
    _, _, *beside = tables(figures(RunFacts(run, baselines=True)))
    assert [row[0] for row in beside[-1].rows] == [run.path.name, "constant", "linear", "boosting"]


def test_the_loss_is_shown_beside_that_of_the_best_constant() -> None:
    facts = RunFacts(run_of("binary"))
    found = facts.predictions
    assert found is not None
    _, table = tables(figures(facts))
    assert [row[0] for row in table.rows] == ["the net", "a linear model on the same inputs", "the best constant"]
    share = found.rows["train"].truth.mean()
    truth = found.predicted("test").y
    assert table.rows[2][2] == f"{sk.log_loss(truth, np.full(len(truth), share)):.4f}"
    assert table.rows[0][2] == f"{sk.log_loss(truth, found.predicted('test').y_hat[:, 1]):.4f}"


def test_a_calibration_error_that_chance_explains_is_never_told_as_zero() -> None:
    facts = RunFacts(run_of("binary"))
    found = facts.predictions
    assert found is not None
    assert isinstance(found.calibration, ClassCalibration)
    calibration = replace(found.calibration, temperature=0.66, errors=(0.0476, 0.0))
    facts.__dict__["predictions"] = replace(found, calibration=calibration)
    section = probabilities(facts)
    assert section is not None
    (text,) = (block.text for block in section.blocks if isinstance(block, Text))
    assert text.endswith("is 0.0476 before it, and no more than chance explains after it.")


@pytest.mark.slow
def test_predicted_quantiles_are_tried_on_held_out_rows(tmp_path: Path) -> None:
    _, run = trained(tmp_path, "regression", loss={"quantile": [0.1, 0.5, 0.9]}, layers=[{"linear": 3}], epochs=40)
    rows = tables(coverage(RunFacts(run)))[-1].rows
    assert [row[0] for row in rows] == ["0.1", "0.5", "0.9"]
    predicted = Run(run).predict(tmp_path / "rows.csv")
    found = RunFacts(run).predictions
    assert found is not None
    cells = found.table("test", np.arange(len(found.rows["test"])))
    assert cells is not None
    below = cells[0].numbers("number") <= np.asarray(predicted["quantile_0.9"])[cells[1]]
    assert rows[2][2] == f"{below.mean():.4f}"


# --- thresholds ------------------------------------------------------------------------------------------------------


def test_the_slider_counts_what_scikit_learn_counts_at_every_threshold() -> None:
    run = run_of("binary")
    facts = RunFacts(run)
    found = facts.predictions
    assert found is not None
    rows = found.predicted("test")
    data = data_of(run_report(facts), "threshold-data")
    for place in range(0, len(data["thresholds"]), 7):
        said = rows.y_hat[:, 1] >= data["thresholds"][place]
        (rejected, alarms), (missed, hits) = sk.confusion_matrix(rows.y, said, labels=[0, 1]).tolist()
        assert (data["hits"][place], data["falseAlarms"][place]) == (hits, alarms)
        assert (data["ofClass"], data["others"]) == (hits + missed, rejected + alarms)


def test_the_threshold_that_was_decided_is_where_the_slider_begins(tmp_path: Path) -> None:
    _, run = trained(tmp_path, "binary")
    Run(run).decide(0.3217)
    html = run_report(RunFacts(run))
    data = data_of(html, "threshold-data")
    start = int(re.search(r'id="threshold" .*?value="(\d+)"', html)[1])  # type: ignore[index]
    assert data["thresholds"][start] == 0.3217
    assert "back to the one that was kept" in html


def test_curves_enclose_the_areas_that_their_legends_name() -> None:
    found = RunFacts(run_of("multi-class")).predictions
    assert found is not None
    rows = found.predicted("test")
    for label, curve in curves(found, "test").items():
        k = found.predictor.labels.index(label)
        assert curve.roc_auc == pytest.approx(sk.roc_auc_score(rows.y == k, rows.y_hat[:, k]))
        recall, precision = steps(curve)
        assert np.trapezoid(precision, recall) == pytest.approx(curve.average_precision)
    legends = "".join(chart.svg() for chart in charts(ranking(RunFacts(run_of("multi-class")))).values())
    assert f"{curve.roc_auc:.3f}" in legends
    assert f"{curve.average_precision:.3f}" in legends


def test_the_points_of_the_roc_curve_lie_where_the_axes_say() -> None:
    facts = RunFacts(run_of("binary"))
    found = facts.predictions
    assert found is not None
    chart = charts(ranking(facts))["ROC curve"]
    assert isinstance(chart, Chart)
    mark = re.search(r'id="chosen-roc" data-x="([\d.]+)" data-y="([\d.]+)"', chart.svg())
    assert mark
    x, y = (scale.split() for scale in re.findall(r'data-[xy]="([^"]+ linear)"', chart.svg()))
    rows = found.predicted("test")
    said = rows.y_hat[:, 1] >= 0.5
    for pixel, (low, high, start, end, _), of in ((mark[1], x, rows.y == 0), (mark[2], y, rows.y == 1)):
        share = (float(pixel) - float(start)) / (float(end) - float(start))
        value = float(low) + share * (float(high) - float(low))
        assert value == pytest.approx(said[of].mean(), abs=0.005)


# --- numbers, intervals, members, surface, rows ----------------------------------------------------------------------


def test_residuals_are_truth_minus_prediction() -> None:
    facts = RunFacts(run_of("regression"))
    found = facts.predictions
    assert found is not None
    rows = found.predicted("test")
    points = charts(residuals(facts))["Residuals"].series[0]
    np.testing.assert_allclose(points.y, (rows.y - rows.y_hat)[:, 0])
    np.testing.assert_allclose(points.x, rows.y_hat[:, 0])


def test_coverage_is_shown_for_rows_that_calibrated_and_for_others() -> None:
    for kind in ("regression", "binary"):
        chart = next(iter(charts(coverage(RunFacts(run_of(kind)))).values()))
        assert [series.name for series in chart.series] == ["validation rows", "test rows", "as promised"]


def test_each_member_is_scored_on_its_own_fold() -> None:
    found = RunFacts(run_of("members and folds")).predictions
    assert found is not None
    by_member, rows = out_of_fold(found), found.predicted("validation")
    assert by_member is not None
    member = found.rows["validation"].member
    expected = [sk.accuracy_score(rows.y[member == j], rows.decided[member == j]) for j in range(4)]
    np.testing.assert_allclose(by_member.figures, expected)
    assert by_member.together == pytest.approx(sk.accuracy_score(rows.y, rows.decided))
    name, spread = disagreement(found, "test")
    assert name == "probability of the predicted class"
    assert spread.max() > 0


def test_the_surface_shows_what_the_net_predicts_there() -> None:
    facts = RunFacts(run_of("two inputs"))
    found = facts.predictions
    assert found is not None
    plane, *dots = next(iter(charts(surface(facts)).values())).series
    (low_x, high_x), (low_y, high_y) = plane.x, plane.y
    cells = [(row, column) for row in range(SIDE) for column in range(SIDE)]
    x = np.array([low_x + (high_x - low_x) * (column + 0.5) / SIDE for _, column in cells])
    y = np.array([low_y + (high_y - low_y) * (row + 0.5) / SIDE for row, _ in cells])
    answer = found.predictor.outputs(Table("the cells", {HOSTILE: x, "x": y}))
    np.testing.assert_array_equal(plane.colours, answer.argmax(axis=1).reshape(SIDE, SIDE))
    assert sum(len(each.x) for each in dots) == len(found.rows["validation"])


def test_the_worst_rows_are_those_with_the_largest_loss_and_their_own_cells() -> None:
    run = run_of("binary")
    facts = RunFacts(run)
    (table,) = tables(worst_rows(facts))
    answers = Run(run).predict(run.path.parent.parent / "rows.csv", keep="all")
    names = list(table.header)
    for shown in table.rows:
        row = rows_of(run)[int(shown[0]) - 1]
        p = float(answers[f"probability_{row['two']}"][int(shown[0]) - 1])
        assert float(shown[names.index("loss")]) == pytest.approx(-np.log(p), abs=1e-3)
        assert shown[names.index(HOSTILE)] == row[HOSTILE].removesuffix(".0")
        assert shown[names.index("kind")] == row["kind"]
        assert shown[names.index("true class")] == row["two"]
    losses = [float(shown[names.index("loss")]) for shown in table.rows]
    assert losses == sorted(losses, reverse=True)
    assert CLASS in {shown[names.index("true class")] for shown in table.rows}


def test_no_row_is_in_a_report_without_rows() -> None:
    assert [*charts(residuals(RunFacts(run_of("regression"), rows=False)))] == ["Spread of the residuals"]
    for kind in ("binary", "two inputs"):
        facts = RunFacts(run_of(kind), rows=False)
        assert worst_rows(facts) is None
        if kind == "two inputs":
            assert len(next(iter(charts(surface(facts)).values())).series) == 1
        cells = {row[HOSTILE] for row in rows_of(run_of(kind))}
        numbers = set(re.findall(r"-?\d+\.\d+", re.sub(r"(?s)<svg.*?</svg>", "", run_report(facts))))
        shown = cells & numbers
        assert len(shown) <= 2, "only the range of the column"


# --- what is missing -------------------------------------------------------------------------------------------------


def test_a_report_without_the_data_says_so_and_shows_the_rest(tmp_path: Path) -> None:
    _, run = trained(tmp_path, "binary")
    (tmp_path / "rows.csv").unlink()
    html = run_report(RunFacts(run))
    assert "There are no predictions: the data of" in html
    assert "is no longer at" in html
    assert "Loss by epoch" in html
    assert "ROC curve" not in html
    assert f"{run.metrics()['test']['accuracy']:.4f}" in html


@pytest.mark.slow
def test_a_report_of_changed_data_says_so(tmp_path: Path) -> None:
    _, run = trained(tmp_path, "regression")
    with (tmp_path / "rows.csv").open("a") as file:
        file.write("1,2,p,plain,plain,3\n")
    html = run_report(RunFacts(run))
    assert "rows.csv has changed since" in html
    assert "Residuals" not in html


def test_an_interrupted_run_shows_its_best_weights_so_far() -> None:
    html = run_report(RunFacts(run_of("interrupted")))
    assert "The training is interrupted; these figures are for the best weights so far." in html
    assert "ROC curve" in html


def test_a_run_that_has_no_weights_yet_shows_what_there_is(tmp_path: Path) -> None:
    _, run = trained(tmp_path, "interrupted")
    for file in (run.path / "weights").iterdir():
        file.unlink()
    html = run_report(RunFacts(RunDirectory.open(run.path)))
    assert "There are no predictions: " in html


@pytest.mark.parametrize("streamed", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_report_of_a_table_that_is_not_in_memory_says_why_it_shows_no_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool
) -> None:
    why = "is large; <code>nnfs report</code> shows them"
    if streamed:
        why = "does not fit into the memory limit"
        monkeypatch.setattr("nnfs_cli.data.csv.source.Csv.table_size", lambda source: 1 << 40)
    monkeypatch.setattr("nnfs_cli.experiment.experiment.KEPT_CELLS", 10)
    experiment, run = trained(tmp_path, "binary", memory_limit="300 MB")
    html = run_report(RunFacts(run, experiment))
    assert f"Their inputs are left out, since the table {why}." in html
    assert "predicted class" in html
    assert ("Their inputs are left out" in run_report(RunFacts(run))) is streamed
