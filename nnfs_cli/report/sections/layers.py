"""The inside of the net through time: outputs, gradients, weights and updates, from the probes of the training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.annotations import Rule
from nnfs_cli.charts.band import Band
from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.line import Line
from nnfs_cli.config.config import Config
from nnfs_cli.display.text import number
from nnfs_cli.nn.places import layers_within
from nnfs_cli.report.blocks import Block, Charts, Folded, Heading, Picture, Rows, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.system.wording import counted

PANELS, LINES = 12, 6  # layers with a chart of their own, and lines in one chart
LONG = 200  # epochs from which on their axis is logarithmic
TYPICAL_UPDATE = 1e-3
SHARES = {"dead": "Dead units", "saturated": "Saturated outputs"}
EXPLAINED = {
    "gradient": "The norm of dL/dy, the gradient that comes back to the outputs of a layer. Lines that lie orders of "
    "magnitude apart show gradients that vanish or explode on their way through the net.",
    "norm": "The norm of each array of weights. A line that does not move shows weights that do not learn; one that "
    "grows without end shows a learning rate that is too high, or a lack of weight decay.",
    "update": "The norm of one step's change, divided by the norm of the weights. About a thousandth is usual: far "
    "more is unstable, far less is slow.",
    "dead": "Dead units are 0 for all rows and learn nothing more.",
    "saturated": "Saturated outputs lie so close to a bound of the activation that hardly any gradient passes.",
    "output": "Line: mean over rows and units; band: one standard deviation. A band that shrinks to nothing or widens "
    "without end shows signals that vanish or explode.",
}


def layers(facts: RunFacts) -> Section | None:
    """Return the charts by layer; None if the run has no probes."""
    probes = facts.probes
    if probes is None or len(probes["epoch"]) < 2:
        return None
    paths = _names(probes, ".output.mean")
    arrays = _names(probes, ".norm", but=".gradient.norm")
    arrays = [name for name in arrays if not name.endswith(".bias")] or arrays
    titles, weights = _titles(paths, facts.config), dict(zip(arrays, arrays, strict=True))
    start = "the start is left out" if _is_long(probes["epoch"]) else "epoch 0 is the start"
    intro = f"Statistics of up to 256 training rows, with the weights of each epoch; {start}. {_end(facts, probes)}"
    blocks: list[Block] = [Text(intro)]
    usual = [Rule("0.001", y=TYPICAL_UPDATE)]
    charts = [
        _lines("Gradients by layer", "gradient norm", probes, titles, ".gradient.norm", EXPLAINED["gradient"]),
        _lines("Updates", "update / weight", probes, weights, ".update", EXPLAINED["update"], usual),
        _lines("Weights", "norm", probes, weights, ".norm", EXPLAINED["norm"]),
        *(_shares(share, probes, titles) for share in SHARES),
    ]
    blocks.append(Charts([chart for chart in charts if chart is not None]))
    blocks += [Heading("Outputs of each layer"), Text(EXPLAINED["output"], soft=True)]
    blocks.append(Charts([(_outputs(path, titles[path], probes), "") for path in _some(paths, PANELS)], small=True))
    if len(paths) > PANELS:
        blocks.append(Text(f"{PANELS} of {counted(len(paths), 'layer')} are shown.", soft=True))
    blocks.append(Folded(f"The last statistics of {counted(len(paths), 'layer')}", [_table(paths, titles, probes)]))
    return Section("layers", "Inside the net", blocks)


def _end(facts: RunFacts, probes: Mapping[str, Array]) -> str:
    """Say which weights the lines end with."""
    last, best = int(probes["epoch"][-1]), facts.best_epoch
    other = f"; the kept weights are those of epoch {best:,}" if best is not None and best != last else ""
    return f"The last weights are those of epoch {last:,}{other}."


def _is_long(epochs: Array) -> bool:
    """Return whether the axis of the epochs is logarithmic, where epoch 0 has no place."""
    return bool(epochs[-1] > LONG)


def _names(probes: Mapping[str, Array], ending: str, but: str = "no name") -> list[str]:
    return [name.removesuffix(ending) for name in probes if name.endswith(ending) and not name.endswith(but)]


def _some(names: Sequence[str], most: int) -> list[str]:
    """Return at most `most` of the names, from the first to the last."""
    places = np.unique(np.linspace(0, len(names) - 1, min(most, len(names))).astype(int))
    return [names[i] for i in places]


def _titles(paths: Sequence[str], config: Config | None) -> dict[str, str]:
    """Return how each layer is called, as in "0 linear" or "2.1 tanh"."""
    known = dict(layers_within("layers", config.layers)) if config is not None else {}
    numbers = {path: ".".join(part for part in path.split(".") if part != "layers") for path in paths}
    return {path: f"{name} {known[path].name}" if path in known else name for path, name in numbers.items()}


def _lines(
    title: str,
    label: str,
    probes: Mapping[str, Array],
    titles: Mapping[str, str],
    ending: str,
    note: str,
    notes: Iterable[Rule] = (),
) -> tuple[Picture, str] | None:
    """Return a chart with a line for each layer or array that has a positive number, on a logarithmic axis."""
    found = [name for name in titles if np.any(np.nan_to_num(probes.get(f"{name}{ending}", np.zeros(1))) > 0)]
    if not found:
        return None
    shown = _some(found, LINES)
    if len(shown) < len(found):
        title = f"{title}: {len(shown)} of {len(found)}"
    lines = [Line(probes["epoch"], probes[f"{name}{ending}"], titles[name]) for name in shown]
    return Chart(
        title, "epoch", label, lines, list(notes), x_log=_is_long(probes["epoch"]), y_log=True, height=300
    ), note


def _shares(share: str, probes: Mapping[str, Array], titles: Mapping[str, str]) -> tuple[Picture, str] | None:
    """Return a chart of the shares of dead or saturated outputs of the layers that have any."""
    columns = {path: probes.get(f"{path}.output.{share}", np.zeros(1)) for path in titles}
    found = [path for path, column in columns.items() if np.any(np.nan_to_num(column) > 0)]
    if not found:
        return None
    shown = sorted(found, key=lambda path: -float(np.nanmax(columns[path])))[:LINES]
    lines = [Line(probes["epoch"], 100 * columns[path], titles[path]) for path in found if path in shown]
    chart = Chart(SHARES[share], "epoch", "%", lines, x_log=_is_long(probes["epoch"]), y_range=(0, 100))
    return chart, EXPLAINED[share]


def _outputs(path: str, title: str, probes: Mapping[str, Array]) -> Chart:
    """Return a small chart of the mean of a layer's outputs, with a band of one standard deviation."""
    mean, std = (probes[f"{path}.output.{name}"] for name in ("mean", "std"))
    series = [Band(probes["epoch"], mean - std, mean + std), Line(probes["epoch"], mean)]
    return Chart(title, "epoch", "output", series, x_log=_is_long(probes["epoch"]), width=220, height=170)


def _table(paths: Sequence[str], titles: Mapping[str, str], probes: Mapping[str, Array]) -> Rows:
    """Return a table with the last statistics of each layer."""
    names = ("mean", "std", "min", "max", "zeros", "dead", "saturated")
    rows = [
        [
            titles[path],
            *(number(float(probes[f"{path}.output.{name}"][-1])) for name in names),
            number(float(probes[f"{path}.gradient.norm"][-1])),
        ]
        for path in paths
    ]
    header = ["layer", *names, "gradient norm"]
    return Rows(f"Outputs and gradients at epoch {int(probes['epoch'][-1]):,}", header, rows)
