"""The sections show the numbers of the run's files, and leave out what there is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnfs_cli.arrays import Array
from nnfs_cli.charts.chart import Chart
from nnfs_cli.display.text import value
from nnfs_cli.report.blocks import Block, Charts, Folded, Rows, Section
from nnfs_cli.report.page import TEMPLATES
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.run_report import SECTIONS, run_report
from nnfs_cli.report.sections.data import data
from nnfs_cli.report.sections.environment import environment
from nnfs_cli.report.sections.layers import LINES, PANELS, layers
from nnfs_cli.report.sections.learning import learning
from nnfs_cli.report.sections.probabilities import reliability_note
from nnfs_cli.report.sections.repeat import repeat
from nnfs_cli.runs.directory import RunDirectory
from tests.charts.pictures import of_class, parsed, points_of, ticks_of, to_data

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")


def facts_of(run: RunDirectory, **replaced: Any) -> RunFacts:
    """Return the facts of a run, some of them replaced."""
    facts = RunFacts(run)
    facts.__dict__.update(replaced)
    return facts


def charts_of(section: Section | None) -> dict[str, Chart]:
    assert section is not None
    pairs = [pair for block in section.blocks if isinstance(block, Charts) for pair in block.charts]
    return {chart.title: chart for chart, _ in pairs if isinstance(chart, Chart)}


def tables_of(blocks: Any) -> list[Rows]:
    found: list[Rows] = []
    for block in blocks:
        if isinstance(block, Folded):
            found += tables_of(block.blocks)
        elif isinstance(block, Rows):
            found.append(block)
    return found


def probes(depth: int, epochs: Array) -> dict[str, Array]:
    """Return probes of `depth` layers whose gradient norm is 10 ** -layer, and whose outputs have the mean `layer`."""
    columns: dict[str, Array] = {"epoch": epochs, "step": 10 * epochs}
    ones = np.ones(len(epochs))
    for layer in range(depth):
        path = f"layers.{layer}"
        for name in ("std", "min", "max", "zeros", "dead", "saturated"):
            columns[f"{path}.output.{name}"] = 0 * ones
        columns[f"{path}.output.mean"] = layer * ones
        columns[f"{path}.gradient.norm"] = 10.0**-layer * ones
        columns[f"{layer}.weight.norm"] = (layer + 1) * ones
        columns[f"{layer}.bias.norm"] = columns[f"{layer}.weight.gradient"] = ones
        columns[f"{layer}.weight.update"] = np.r_[np.nan, 1e-3 * ones[1:]]
    return columns


def test_a_caption_says_which_class_is_rarer_than_its_probability() -> None:
    assert "'benign' is rarer than the net says" in reliability_note(("malignant", "benign"))
    assert "too confident" in reliability_note(("a", "b", "c"))


def test_numbers_of_the_data_have_the_digits_that_they_need() -> None:
    shown = {1.0: "1", 129800.0: "129800", 1890.0: "1890", 63248.4567: "63248.5", 0.25: "0.25", -1e-9: "-1e-09"}
    assert {number: value(number) for number in shown} == shown
    assert [value(number) for number in (None, np.nan, np.inf, 1e300)] == ["-", "-", "inf", "1e+300"]


def test_the_gradients_of_all_layers_share_a_chart(run: RunDirectory) -> None:
    charts = charts_of(layers(facts_of(run, probes=probes(3, np.arange(5)))))
    root = parsed(charts["Gradients by layer"].svg())
    heights = [points_of(line)[0, 1] for line in of_class(root, "ch-line") if len(points_of(line)) == 5]
    np.testing.assert_allclose(to_data(np.array(heights), ticks_of(root)[1], log=True), [1, 0.1, 0.01], rtol=0.02)
    assert {"0 linear", "1 tanh", "2 linear"} <= {element.text for element in root.iter("text")}
    assert {"0 linear", "1 tanh", "2 linear", "Updates", "Weights"} <= set(charts)
    assert not {"Dead units", "Saturated outputs"} & set(charts)


def test_a_place_that_the_net_does_not_have_is_named_by_its_numbers_alone(run: RunDirectory) -> None:
    known = probes(1, np.arange(5))
    foreign = ("layers.²³", "layers.7", "__class__")
    more = {name.replace("layers.0", path): column for path in foreign for name, column in known.items()}
    charts = charts_of(layers(facts_of(run, probes=known | more)))
    assert {"0 linear", "²³", "7", "__class__"} <= set(charts)


def test_dead_units_are_shown_where_there_are_any(run: RunDirectory) -> None:
    columns = probes(3, np.arange(5)) | {"layers.1.output.dead": np.array([0, 0, 0.25, 0.5, 0.5])}
    root = parsed(charts_of(layers(facts_of(run, probes=columns)))["Dead units"].svg())
    (line,) = of_class(root, "ch-line")
    np.testing.assert_allclose(to_data(points_of(line)[:, 1], ticks_of(root)[1]), [0, 0, 25, 50, 50], atol=0.5)


def test_a_deep_net_is_folded(run: RunDirectory) -> None:
    section = layers(facts_of(run, probes=probes(200, np.arange(60))))
    charts = charts_of(section)
    assert len(charts) == PANELS + 3
    assert f"Gradients by layer: {LINES} of 200" in charts
    assert section is not None
    assert sum(len(chart.svg()) for chart in charts.values()) < 200_000
    (table,) = tables_of(section.blocks)
    assert len(table.rows) == 200


@pytest.mark.parametrize("bad", [np.inf, np.nan, -np.inf, 1e308])
def test_numbers_that_are_not_finite_do_no_harm(run: RunDirectory, bad: float) -> None:
    columns = {name: column + 0.0 for name, column in probes(3, np.arange(5)).items()}
    for name in [*columns][2:]:
        columns[name][3:] = bad
    facts = facts_of(run, probes=columns)
    assert "Gradients by layer" in run_report(facts)
    assert facts.faults == []


def test_the_number_of_a_layer_that_is_none_does_no_harm(run: RunDirectory) -> None:
    columns = {
        name.replace("layers.2", f"layers.{'9' * 5_000}\u00b2"): each for name, each in probes(3, np.arange(5)).items()
    }
    facts = facts_of(run, probes=columns)
    assert "Gradients by layer" in charts_of(layers(facts))
    assert facts.faults == []


def test_a_run_without_probes_has_no_section_about_its_layers(run: RunDirectory) -> None:
    assert layers(facts_of(run, probes=None)) is None


@pytest.mark.parametrize("epochs", [1, 100_000])
def test_short_and_long_logs_have_curves(run: RunDirectory, epochs: int) -> None:
    time = np.arange(1.0, epochs + 1)
    log = {"epoch": time, "step": time, "lr": 0.1 / time, "train_loss": 1 / time, "val_loss": 1 + 1 / time}
    charts = charts_of(learning(facts_of(run, log=log, metrics={"best_epoch": epochs})))
    assert set(charts) == ({"Loss by epoch", "Learning rate"} if epochs > 1 else {"Loss by epoch"})
    svg = charts["Loss by epoch"].svg()
    assert f"best, epoch {epochs:,}" in svg
    assert len(svg) < 40_000


def test_losses_that_are_not_finite_are_told(run: RunDirectory) -> None:
    log = {"epoch": np.arange(1.0, 4), "train_loss": np.array([1.0, np.inf, np.nan])}
    svg = charts_of(learning(facts_of(run, log=log)))["Loss by epoch"].svg()
    assert "2 values are not finite" in svg


def test_the_classes_add_up_to_the_rows(run: RunDirectory) -> None:
    facts = RunFacts(run)
    section = data(facts)
    assert section is not None
    target, inputs = tables_of(section.blocks)
    assert [*target.header] == ["class", "train", "validation", "test"]
    for i, split in enumerate(("train", "validation", "test"), 1):
        assert sum(int(row[i].partition(" ")[0]) for row in target.rows) == (facts.data or {})["rows"][split]
    assert [row[0] for row in inputs.rows] == [column["name"] for column in (facts.data or {})["inputs"]]


def test_the_commands_fit_the_state(run: RunDirectory) -> None:
    def text(state: str) -> str:
        section = repeat(facts_of(run, status={"state": state}))
        assert section is not None
        return getattr(section.blocks[0], "text", "")

    assert "nnfs verify runs/flowers-1" in text("finished")
    assert "nnfs resume runs/flowers-1" in text("interrupted")
    assert "nnfs resume" not in text("diverged")


def test_the_machine_and_the_time_stand_only_in_their_section(run: RunDirectory) -> None:
    facts = RunFacts(run)
    elsewhere = [make(facts) for make in SECTIONS if make is not environment]
    shown = repr([section.blocks for section in elsewhere if section is not None])
    assert environment(facts) is not None
    for secret in (facts.environment["platform"], facts.status["begun"][:10], str(run.path)):
        assert secret not in shown


def test_blocks_have_a_macro_each() -> None:
    macros = (TEMPLATES / "blocks.html").read_text(encoding="utf-8")
    kinds = [block.kind for block in Block.__subclasses__()]
    assert all(f'block.kind == "{kind}"' in macros for kind in kinds)
