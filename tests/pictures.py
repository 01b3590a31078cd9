"""Draw the pictures of the README and the guide: `python -m tests.pictures` (needs matplotlib besides the test extra).

`python -m tests.pictures terminal` draws only the terminal of the README, which needs nothing else. `trace` needs
Chromium, playwright and Pillow.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, unescape

import numpy as np
import yaml

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data.table import from_arrays
from nnfs_cli.training.schedules import Schedule
from tests.benchmarks import accuracy_report
from tests.browser import PROGRAMS
from tests.readme import ROOT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TERMINAL = ROOT / ".readme" / "train.svg"
COMMAND = "nnfs train configs/breast_cancer.yaml"
HARD = "\N{NO-BREAK SPACE}"  # runs of ordinary spaces would collapse
LINE, CHARACTER, MARGIN, TOP = 19, 7.83, 18, 44  # pixels, at 13 pixels a letter
DARK, TEXT, DIM, ACCENT = "#1b2130", "#d7dce5", "#8b95a7", "#7cc4ff"

RED, BLUE, GREY = "#a3271b", "#1d4e89", "#9a9a9a"
EDGE, POINTS = 1.25, 300
EPOCHS, STEPS = 100, 10
PAGE_WIDTH, STEP = 1200, "step-7"  # pixels; the last activation of the spirals, when all units have their outputs
SCHEDULES = (
    "constant: {warmup: 10}", "linear", "cosine", "cosine: 2",
    "step: 25", "exponential", "one_cycle", "coslog4",
)  # fmt: skip


def trained() -> list[str]:
    """Return what a terminal shows when the first config of the README is trained, line by line.

    It leaves out the line that only a machine's first training shows, while it compiles.
    """
    with tempfile.TemporaryDirectory() as folder:
        shown = run(COMMAND, folder).splitlines()
    return [f"$ {COMMAND}", *[line for line in shown if not line.startswith("  compiling this net")]]


def run(command: str, folder: str) -> str:
    """Run a command in a folder, which gets the configs, and return what it prints."""
    configs = Path(folder) / "configs"
    if not configs.exists():
        configs.symlink_to(ROOT / "configs")
    done = subprocess.run(
        [sys.executable, "-m", "nnfs_cli", *command.split()[1:]],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "COLUMNS": "100"},
    )
    return done.stdout


def terminal() -> None:
    """Draw a terminal in which a net is trained. It is dark, and looks the same on light and dark pages."""
    lines = trained()
    width, height = round(max(map(len, lines)) * CHARACTER + 2 * MARGIN), TOP + len(lines) * LINE + 8
    dots = zip((20, 40, 60), ("#ff5f57", "#febc2e", "#28c840"), strict=True)
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>{escape(COMMAND)}</title>",
        f'<rect width="{width}" height="{height}" rx="9" fill="{DARK}"/>',
        *(f'<circle cx="{x}" cy="20" r="6" fill="{colour}"/>' for x, colour in dots),
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13">',
    ]
    for i, line in enumerate(lines):
        colour = ACCENT if line.startswith("$") else DIM if "warning" in line or "epoch  " in line else TEXT
        if line:
            length = f'textLength="{len(line) * CHARACTER:.1f}" lengthAdjust="spacingAndGlyphs"'
            place = f'x="{MARGIN}" y="{TOP + (i + 0.7) * LINE:.1f}"'
            rows.append(f'<text {place} {length} fill="{colour}">{escape(line.replace(" ", HARD))}</text>')
    TERMINAL.write_text("\n".join([*rows, "</g>", "</svg>", ""]), encoding="utf-8")


def drawn() -> list[str]:
    """Return the lines in the picture of the terminal that are not blank."""
    return [
        unescape(text).replace(HARD, " ")
        for text in re.findall(r"<text [^>]*>(.*)</text>", TERMINAL.read_text(encoding="utf-8"))
    ]


def spirals() -> None:
    """Draw what the net of configs/spirals.yaml predicts for every point of the plane, and its losses by epoch."""
    from matplotlib import pyplot as plt

    with tempfile.TemporaryDirectory() as folder:
        experiment = workflows.prepare(Config.load(ROOT / "configs" / "spirals.yaml"))
        trained_run = workflows.begin(experiment, folder)
        workflows.train(experiment, trained_run)
        epochs, predictor = trained_run.epochs(), workflows.restore(trained_run)
    side = np.linspace(-EDGE, EDGE, POINTS)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    belief = predictor.predict(from_arrays("grid", grid, ["x0", "x1"]))["probability_b"].reshape(POINTS, POINTS)
    table = experiment.config.dataset.read()

    figure, (plane, curve) = plt.subplots(1, 2, figsize=(8, 3.4), width_ratios=[1, 1.3], layout="constrained")
    plane.imshow(belief, extent=(-EDGE, EDGE) * 2, origin="lower", cmap="RdBu", vmin=-0.6, vmax=1.6)
    for group, colour in (("a", RED), ("b", BLUE)):
        rows = table.columns["group"] == group
        plane.scatter(table.columns["x0"][rows], table.columns["x1"][rows], s=4, color=colour, linewidths=0)
    plane.set(xticks=[], yticks=[])
    for name, colour in (("train_loss", GREY), ("val_loss", BLUE)):
        curve.plot([row["epoch"] for row in epochs], [row[name] for row in epochs], color=colour, label=name)
    curve.set(xlabel="epoch", yscale="log")
    curve.legend(frameon=False)
    curve.spines[["top", "right"]].set_visible(False)
    figure.savefig(ROOT / ".readme" / "spirals.png", dpi=110, metadata={"Software": None})


def schedules() -> None:
    """Draw the learning rate over 100 epochs under several schedules, as a multiple of lr."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(8, 2.7), sharex=True, sharey=True, layout="constrained")
    epochs = np.arange(EPOCHS * STEPS) / STEPS
    for axis, text in zip(axes.flat, SCHEDULES, strict=True):
        schedule = Schedule.resolve(yaml.safe_load(text))
        factors = [schedule.at(step, STEPS, EPOCHS, schedule.begin()) for step in range(EPOCHS * STEPS)]
        axis.plot(epochs, factors, color=BLUE, linewidth=1.4)
        axis.set_title(text, fontsize=7, family="monospace")
        axis.set(ylim=(-0.05, 1.1), xticks=[0, 50, 100], yticks=[0, 1])
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(ROOT / ".readme" / "schedules.png", dpi=110, metadata={"Software": None})


def accuracy() -> None:
    """Draw the mean rank of each model over the CPU seconds that it takes to train on a typical table."""
    from matplotlib import pyplot as plt

    def points_in(name: str) -> dict[str, tuple[float, float]]:
        found = json.loads((ROOT / ".readme" / f"{name}.json").read_text(encoding="utf-8"))
        return accuracy_report.points(found["figures"])

    points = points_in("accuracy")
    # These were measured on fewer splits and tables, among the others as they are there.
    points |= {model: points_in(f"accuracy-{model.lower()}")[model] for model in ("RealMLP", "TabM")}
    figure, axis = plt.subplots(figsize=(8, 4.2), layout="constrained")
    ours = sorted(points[model] for model in points if model.startswith("nnfs"))
    axis.plot(*zip(*ours, strict=True), color=BLUE, linewidth=1, alpha=0.5)
    for model, place in points.items():
        axis.scatter(*place, s=36, color=BLUE if model.startswith("nnfs") else GREY, zorder=2)
    axis.set(xscale="log", xlabel="CPU seconds to train on a table", ylabel="mean rank, 1 is the best")
    axis.margins(0.12, 0.1)
    axis.invert_yaxis()
    axis.grid(alpha=0.2)
    axis.xaxis.set_major_formatter("{x:g}")
    axis.spines[["top", "right"]].set_visible(False)
    labelled(axis, points)
    figure.savefig(ROOT / ".readme" / "accuracy.png", dpi=110, metadata={"Software": None})


def labelled(axis: Axes, points: dict[str, tuple[float, float]]) -> None:
    """Write the name of each point beside it, where it hides no other point and no other name."""
    from matplotlib.transforms import Bbox

    figure = axis.figure
    figure.canvas.draw()
    places = axis.transData.transform(list(points.values()))
    taken = [Bbox.from_bounds(x - 7, y - 7, 14, 14) for x, y in places]
    for i, (name, place) in enumerate(points.items()):
        colour = BLUE if name.startswith("nnfs") else "#444444"
        text = axis.annotate(name, place, (0, 0), textcoords="offset points", color=colour, fontsize=9)
        sides = [(7, -3, "left"), (-7, -3, "right"), (0, 8, "center"), (0, -15, "center")]
        for dx, dy, side in sides if colour != BLUE else sides[::-1]:  # a line runs beside the blue ones
            text.set(position=(dx, dy), horizontalalignment=side)
            box = text.get_window_extent()
            if not any(box.overlaps(other) for j, other in enumerate(taken) if j != i):
                break
        taken.append(box)


def trace() -> None:
    """Draw the page of the trace of configs/spirals.yaml, from its top to the end of the graph."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        run("nnfs train configs/spirals.yaml", folder)
        run("nnfs trace runs/spirals-1 --html trace.html", folder)
        path = next(filter(None, map(shutil.which, PROGRAMS)))
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": PAGE_WIDTH, "height": 900}, color_scheme="light")
        page.goto(f"{(Path(folder) / 'trace.html').as_uri()}#{STEP}")
        page.wait_for_selector(".where:not(:empty)")
        page.wait_for_timeout(1000)  # until the lines have their widths
        end = page.locator(".stage").bounding_box()
        height = round(end["y"] + end["height"]) - 1
        picture = page.screenshot(clip={"x": 0, "y": 0, "width": PAGE_WIDTH, "height": height})
        chromium.close()
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    few = whole.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    few.save(ROOT / ".readme" / "trace.png", optimize=True)


PICTURES = {"terminal": terminal, "spirals": spirals, "schedules": schedules, "accuracy": accuracy, "trace": trace}

if __name__ == "__main__":
    os.environ["MPLBACKEND"] = "agg"
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()
