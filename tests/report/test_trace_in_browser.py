"""The page of a trace in a real browser: one can step back and forth, move through the epochs and read every number."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.components.user_code import load_code
from nnfs_cli.report.trace_page import trace_page
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.trace.batch import TracedBatch
from nnfs_cli.trace.source import batch_of_config, batch_of_run, snapshots_of
from tests.browser import Browser, Opened
from tests.components.registry import components_restored
from tests.report.test_trace_page import OWN
from tests.report.traced import CONFIGS, batch

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def spirals(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    experiment = workflows.prepare(workflows.load(CONFIGS / "spirals.yaml", ["epochs=30"]))
    run = workflows.begin(experiment, tmp_path_factory.mktemp("trace"))
    workflows.train(experiment, run)
    return run


@contextlib.contextmanager
def opened(
    browser: Browser, folder: Path, one: TracedBatch, others: Sequence[TracedBatch] = (), **how: Any
) -> Iterator[Opened]:
    page = folder / "trace.html"
    page.write_text(trace_page(one, others), encoding="utf-8")
    with browser.open(page, **how) as found:
        if how.get("scripts", True):
            found.page.wait_for_selector(".where:not(:empty)")
        yield found


def shown(found: Opened) -> str:
    """Return the title of the step that is shown; there must be exactly one."""
    titles = [title.inner_text() for title in found.page.locator(".step h3").all() if title.is_visible()]
    assert len(titles) == 1, titles
    return str(titles[0])


def table(found: Opened, name: str) -> list[list[float]]:
    """Return the numbers of an array in the step that is shown."""
    figure = found.page.locator(".step.current .array", has=found.page.locator(f"b:text-is('{name}')")).first
    lines = [line.locator("td.n").all_inner_texts() for line in figure.locator("tbody tr").all()]
    return [[float(text.replace("\N{MINUS SIGN}", "-")) for text in line] for line in lines]


def rounded(array: Array) -> list[list[float]]:
    return [[float(f"{number:.4g}") for number in line] for line in np.atleast_2d(array).tolist()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_with_maps_is_sound(
    browser: Browser, spirals: RunDirectory, tmp_path: Path, width: int, dark: bool
) -> None:
    one = batch_of_run(spirals)
    with opened(browser, tmp_path, one, snapshots_of(spirals, one), width=width, dark=dark) as found:
        found.page.locator(f".steps a[href='#{_step(found, 'backward', 'layers.2')}']").click()
        found.check()


@pytest.mark.parametrize("name", ["iris.yaml", "toolbox/houses.yaml", "digits.yaml"])
def test_pages_of_other_nets_are_sound(browser: Browser, tmp_path: Path, name: str) -> None:
    with opened(browser, tmp_path, batch(name)) as found:
        found.page.keyboard.press("End")
        found.check()


def test_one_steps_forth_and_back_by_buttons_keys_and_the_list(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, batch("iris.yaml")) as found:
        page, steps = found.page, found.page.locator(".steps a").all_inner_texts()
        assert shown(found) == steps[0]
        forward = []
        for _ in steps[1:]:
            page.click(".go-next")
            forward.append(shown(found))
        assert forward == steps[1:]
        page.keyboard.press("ArrowRight")
        assert shown(found) == steps[-1]  # there is nothing behind the last one
        for step in reversed(steps[:-1]):
            page.keyboard.press("ArrowLeft")
            assert shown(found) == step
        page.locator(".steps a").nth(5).click()
        assert shown(found) == steps[5]
        assert page.url.endswith("#step-6")
        page.reload()
        page.wait_for_selector(".where:not(:empty)")
        assert shown(found) == steps[5]
        page.click(".go-last")
        assert shown(found) == steps[-1]
        page.click(".go-first")
        assert shown(found) == steps[0]
        assert found.errors == []


def test_the_numbers_on_the_page_are_those_of_differentiate(browser: Browser, tmp_path: Path) -> None:
    one = batch("iris.yaml")
    one.model.differentiate(one.x, one.y, one.weight, one.draws, one.mean_total)
    gradients = one.model.gradients.arrays
    with opened(browser, tmp_path, one) as found:
        for place in ("0", "2"):
            found.page.locator(f".steps a[href='#{_step(found, 'backward', f'layers.{place}')}']").click()
            for name in ("weight", "bias"):
                assert table(found, f"d{name}") == rounded(gradients[f"{place}.{name}"])


def _step(found: Opened, phase: str, place: str) -> str:
    return str(found.page.locator(f".step[data-phase={phase}][data-place='{place}']").get_attribute("id"))


def test_the_slider_changes_every_number_to_those_of_its_epoch(
    browser: Browser, run: RunDirectory, tmp_path: Path
) -> None:
    one, snapshots = batch_of_run(run), run.arrays.snapshots()
    assert snapshots is not None
    with opened(browser, tmp_path, one, snapshots_of(run, one)) as found:
        page = found.page
        page.locator(".steps a").nth(1).click()  # the first linear layer
        losses = set()
        for i, epoch in enumerate(snapshots["epoch"]):
            page.locator("#epoch").focus()
            page.keyboard.press("Home")
            for _ in range(i):
                page.keyboard.press("ArrowRight")
            assert page.locator(".epoch-shown").inner_text() == str(epoch)
            w, b = snapshots["0.weight"][i], snapshots["0.bias"][i]
            assert table(found, "weight") == rounded(w)
            np.testing.assert_allclose(table(found, "y"), one.x @ w + b, rtol=1e-3, atol=1e-5)
            losses.add(page.locator(".loss-shown").inner_text())
        assert len(losses) == len(snapshots["epoch"])
        assert shown(found) == page.locator(".steps a").nth(1).inner_text()  # the slider keeps the step
        assert found.errors == []


def test_play_goes_through_the_epochs_unless_motion_is_not_wanted(
    browser: Browser, run: RunDirectory, tmp_path: Path
) -> None:
    one = batch_of_run(run)
    with opened(browser, tmp_path, one, snapshots_of(run, one)) as found:
        page, last = found.page, str(one.epoch)
        page.locator("#epoch").focus()
        page.keyboard.press("Home")
        page.click(".play")
        page.wait_for_selector(f".epoch-shown:text-is('{last}')")
        page.emulate_media(reduced_motion="reduce")
        page.locator("#epoch").focus()
        page.keyboard.press("Home")
        assert page.locator(".play").inner_text() == "Next epoch"
        page.click(".play")
        page.wait_for_timeout(900)
        assert page.locator(".epoch-shown").inner_text() == "1"


def test_rows_flow_through_the_graph(browser: Browser, tmp_path: Path) -> None:
    one = batch("iris.yaml", "dtype=float64")
    w = one.model.parameters.arrays
    z = one.x @ w["0.weight"] + w["0.bias"]
    with opened(browser, tmp_path, one) as found:
        page = found.page
        page.locator(".steps a").nth(1).click()
        for row in range(4):
            page.locator(".rows label").nth(row).click()
            labels = [
                node.get_attribute("aria-label") for node in page.locator(".column").nth(1).locator(".unit").all()
            ]
            expected = [f"{number:.4g}".replace("-", "\N{MINUS SIGN}") for number in z[row]]
            assert [label.rpartition("value ")[2] for label in labels] == expected
            assert page.locator(".step.current tr.chosen").first.get_attribute("data-row") == str(row)


def test_one_of_many_rows_is_chosen_from_a_list(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, batch("iris.yaml", rows=12)) as found:
        found.page.select_option("#row", "11")
        assert found.page.locator(".step.current tr.chosen").first.get_attribute("data-row") == "11"
        found.check()


def test_the_graph_is_read_by_the_pointer_and_by_the_keyboard(browser: Browser, tmp_path: Path) -> None:
    one = batch("iris.yaml")
    w = one.model.parameters.arrays
    with opened(browser, tmp_path, one) as found:
        page, place = found.page, found.page.locator(".place")
        hidden = page.locator(".column").nth(1).locator(".unit")
        hidden.nth(3).hover()
        assert place.locator("h3").inner_text() == "linear 10, unit 3"
        weights = [float(line.locator("td").nth(1).inner_text().replace("\N{MINUS SIGN}", "-"))
                   for line in place.locator("tr").all()[1:]]  # fmt: skip
        assert weights == rounded(w["0.weight"][:, 3])[0]
        hidden.nth(3).focus()
        page.keyboard.press("ArrowDown")
        assert place.locator("h3").inner_text() == "linear 10, unit 4"
        page.keyboard.press("ArrowLeft")
        assert place.locator("h3").inner_text().startswith("inputs, ")
        assert page.locator(".unit[tabindex='0']").count() == 1
        # Between two units the pointer is at the line.
        a, b = (page.locator(".column").nth(c).locator(".unit .disc").nth(0).bounding_box() for c in (0, 1))
        x = (a["x"] + a["width"] + b["x"]) / 2
        page.mouse.move(x, (a["y"] + a["height"] / 2 + b["y"] + b["height"] / 2) / 2)
        assert "→ linear 10, unit 0" in place.locator("h3").inner_text()
        assert (
            float(place.locator("dd").first.inner_text().replace("\N{MINUS SIGN}", "-")) == rounded(w["0.weight"])[0][0]
        )


def test_the_map_shows_the_unit_that_is_pointed_at(browser: Browser, spirals: RunDirectory, tmp_path: Path) -> None:
    one = batch_of_run(spirals)
    with opened(browser, tmp_path, one, snapshots_of(spirals, one)) as found:
        page = found.page
        picture = "document.querySelector('.map canvas').toDataURL()"
        output = page.evaluate(picture)
        page.locator(".column").nth(1).locator(".unit").nth(2).hover()
        assert page.locator(".plane .of").inner_text() == "linear 24, unit 2"
        assert page.evaluate(picture) != output
        page.mouse.move(5, 5)
        assert page.locator(".plane .of").inner_text() == "Output of the net"
        assert page.evaluate(picture) == output
        page.locator("#epoch").focus()
        page.keyboard.press("Home")
        assert page.evaluate(picture) != output


def test_without_scripts_all_steps_stand_one_below_the_other(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, batch("iris.yaml"), scripts=False) as found:
        steps = found.page.locator(".step")
        assert all(step.is_visible() for step in steps.all())
        assert not found.page.locator(".controls").is_visible()
        assert steps.count() == found.page.locator(".steps a").count()


def test_steps_do_not_flash_by_while_the_page_is_read(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, batch("iris.yaml")) as found:
        # When the first step has been read, before the script that shows one of them has run.
        found.page.add_init_script("""
            new MutationObserver(() => {
                const step = document.querySelector('.step');
                if (step) window.flashed ??= getComputedStyle(step).display !== 'none';
            }).observe(document, {subtree: true, childList: true});
        """)
        found.page.reload()
        found.page.wait_for_selector(".where:not(:empty)")
        assert found.page.evaluate("window.flashed") is False


def test_if_the_script_fails_all_steps_stand_one_below_the_other(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, batch("iris.yaml")) as found:
        found.page.add_init_script("JSON.parse = () => { throw new Error('broken'); }")
        found.page.reload()
        found.page.wait_for_selector("html:not(.stepping)")
        assert all(step.is_visible() for step in found.page.locator(".step").all())


def test_units_stand_clear_of_each_other(browser: Browser, spirals: RunDirectory, tmp_path: Path) -> None:
    with opened(browser, tmp_path, batch_of_run(spirals), width=390) as found:
        boxes = [ring.bounding_box() for ring in found.page.locator(".unit .ring").all()]
        assert len(boxes) == 49
        for a, b in itertools.combinations(boxes, 2):
            across, down = abs(a["x"] - b["x"]) - a["width"], abs(a["y"] - b["y"]) - a["height"]
            assert max(across, down) > 1


def test_a_printed_page_has_all_steps(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, batch("iris.yaml")) as found:
        found.page.emulate_media(media="print")
        assert all(step.is_visible() for step in found.page.locator(".step").all())
        assert not found.page.locator(".controls").is_visible()


def test_a_layer_of_the_users_own_appears(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "bend.py").write_text(OWN)
    with contextlib.ExitStack() as until:
        until.enter_context(components_restored())
        load_code(tmp_path / "bend.py")
        one = batch("iris.yaml", "layers=[bend: 5, linear: 3, softmax]")
        found = until.enter_context(opened(browser, tmp_path, one))
        assert found.page.locator(".heading").all_text_contents()[1] == "bend 5"
        assert "bend 5" in found.page.locator(".steps a").all_inner_texts()
        found.check()


def test_names_from_data_show_as_text(browser: Browser, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    rows = "\n".join(f"{i},{i % 7},{evil if i % 2 else 'no'}" for i in range(40))
    (tmp_path / "evil.csv").write_text(f"{evil},b,c\n{rows}\n")
    (tmp_path / "evil.yaml").write_text(
        "dataset: {csv: {path: evil.csv, target: c}}\nlayers: [linear: 2, linear: 1]\n"
        "loss: binary_cross_entropy\nlr: 0.1\nepochs: 1\n"
    )
    one = batch_of_config(workflows.load(tmp_path / "evil.yaml"), evil)
    with opened(browser, tmp_path, one) as found:
        assert found.page.title() == f"Trace of {evil}"
        found.page.locator(".column").first.locator(".unit").first.hover()
        assert found.page.locator(".place h3").inner_text() == f"inputs, {evil}"
        assert evil in found.page.locator(".plane .axis").first.inner_text()
        found.check()
