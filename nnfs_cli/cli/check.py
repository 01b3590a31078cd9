"""`nnfs check`: inspect a config and its data before training."""

from __future__ import annotations

import re
import shlex
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, ConfigFile, Json, Overrides, Quiet, read
from nnfs_cli.cli.summary import count_text, print_layers, shape_text
from nnfs_cli.cli.terminal import INDENT, print_json, styled, suggest, width_of
from nnfs_cli.display.text import byte_size, column_kinds, split_sizes
from nnfs_cli.system.wording import counted, in_a_line, percent

if TYPE_CHECKING:
    from nnfs_cli.experiment.experiment import Experiment
    from nnfs_cli.inspection.cost_estimate import CostEstimate
    from nnfs_cli.inspection.findings import Finding
    from nnfs_cli.inspection.net_cost import NetCost

ALIKE = 8  # findings of one kind that are shown, at most
CLASSES = 10  # classes whose shares are shown, at most
NUMBER_WITH_UNIT = r"(?<![\w'])[<0-9][0-9.,e+-]* (?=[%a-zA-Z])"
GLUE = "\ue000"  # stands for a space where a line must not break; no text contains it, since it is not printable
USES = {"data": "of data", "net": "for the net and its training", "batch": "for a batch"}


@manual(
    "nnfs check configs/breast_cancer.yaml",
    "nnfs check configs/iris.yaml --set layers.0.linear=50 --json",
    guide="tables",
)
def check(
    config: ConfigFile,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Check CONFIG, its data and its net before training.

    Prints possible problems (columns that reveal the target, duplicate rows, rare classes, a net too large for the
    rows), the layers with their parameters, and an estimate of the memory and time that training takes.
    """
    spec = read(config, set_, code)
    from nnfs_cli import workflows
    from nnfs_cli.experiment.read_data import load_data
    from nnfs_cli.inspection import cost_estimate, findings
    from nnfs_cli.inspection.net_cost import net_cost

    loaded = load_data(spec)
    experiment = workflows.prepare(spec, loaded)
    data = findings.InspectedRows.of(loaded)
    found = findings.find(spec, loaded, experiment, data)
    cost = net_cost(experiment.predictor.model, experiment.batches.size)
    estimate, memory = cost_estimate.estimate_cost(experiment)
    if json:
        print_json(
            {
                "data": {"name": experiment.description["name"], "rows": experiment.description["rows"]},
                "looked_at": data.sampled,
                "findings": [finding.plain() for finding in found],
                "layers": [
                    {"layer": line.description, "shape": line.shape, "parameters": line.parameters}
                    for line in cost.layers
                    if line.depth == 0
                ],
                "parameters": experiment.predictor.model.n_parameters,
                "memory": memory,
                "seconds": round(estimate.seconds, 3),
            }
        )
        return
    _print_data(experiment)
    print()
    _print_findings(found, data.sampled)
    _print_all_drops(found, spec.dataset.dropped_columns())
    print()
    _print_net(cost)
    print()
    _print_cost(estimate, memory)
    suggest(f"nnfs train {shlex.quote(config.as_posix())}", quiet)


def _print_data(experiment: Experiment) -> None:
    """Print the rows, the inputs and the target."""
    data = experiment.description
    rows = counted(sum(data["rows"].values()), "row")
    _fact("data", f"{data['name']}: {rows}, {split_sizes(data['rows'])}")
    _fact("inputs", column_kinds(column["kind"] for column in data["inputs"]))
    for target in data["targets"]:
        _fact("target", f"{target['name']}, {_distribution(target)}")


def _distribution(target: dict[str, object]) -> str:
    """Describe a target by its range or by the shares of its classes."""
    counts = target.get("counts")
    if not isinstance(counts, dict):
        return f"numbers from {target['min']:,.6g} to {target['max']:,.6g} in the training rows"
    totals = {label: sum(split[label] for split in counts.values()) for label in counts["train"]}
    n_rows = sum(totals.values())
    shares = [f"{label} {percent(n / n_rows)}" for label, n in totals.items()]
    more = [f"and {len(shares) - CLASSES:,} more"] if len(shares) > CLASSES else []
    return f"{counted(len(totals), 'class')}: {', '.join([*shares[:CLASSES], *more])}"


def _print_findings(found: Sequence[Finding], n_inspected: int | None) -> None:
    """Print each finding with its column and the line of YAML that would help."""
    where = f" in the {n_inspected:,} rows that were inspected" if n_inspected else ""
    if not found:
        _fact("findings", f"none{where}")
        return
    helped = any(finding.suggestion for finding in found)
    hint = "; a remedy in YAML is indented below its finding" if helped else ""
    _fact("findings", f"{len(found):,}{where}{hint}")
    shown: Counter[str] = Counter()
    for finding in found:
        shown[finding.what] += 1
        if shown[finding.what] > ALIKE:
            continue
        _bullet(str(finding))
        if finding.suggestion:
            print(f"      {in_a_line(finding.suggestion)}")
    if more := sum(max(n - ALIKE, 0) for n in shown.values()):
        _bullet(f"and {more:,} more of these kinds; --json lists them all")


def _print_all_drops(found: Sequence[Finding], dropped: Sequence[str]) -> None:
    """Print one `drop` line with all columns to drop, including those that the config already drops."""
    from nnfs_cli.config.yaml import dump_value

    names = [finding.column for finding in found if (finding.suggestion or "").startswith("drop:")]
    if len(names) > 1 or (names and dropped):
        _fact("together", f"drop: {dump_value([*dropped, *dict.fromkeys(names)])}")


def _print_net(cost: NetCost) -> None:
    """Print a line for each layer of the net, without those inside others."""
    lines = [line for line in cost.layers if line.depth == 0]
    rows = [[line.description, shape_text(line.shape), count_text(line.parameters)] for line in lines]
    print_layers(["layer", "shape of a row", "parameters"], [*rows, [cost.all, "", f"{cost.total('parameters'):,}"]])


def _print_cost(estimate: CostEstimate, memory: dict[str, int]) -> None:
    """Print the memory and the time that training takes."""
    parts = ", ".join(f"{byte_size(n)} {USES[use]}" for use, n in memory.items())
    _fact("memory", f"about {byte_size(sum(memory.values()))} besides the program and the table being read: {parts}")
    steps = f"{counted(estimate.epochs, 'epoch')} of {counted(estimate.steps, 'step')}"
    _fact("time", f"{_duration(estimate.seconds)} for all {steps}, {_number(estimate.step_ms)} ms a step")


def _duration(seconds: float) -> str:
    """Format a duration, as in "about 0.4 s", "about 10 s", "about 3 min" or "about 2.5 h"."""
    if seconds < 0.05:
        return "less than 0.1 s"
    if seconds < 90:
        return f"about {seconds:.1f} s" if seconds < 0.95 else f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:,.1f} h"


def _number(value: float) -> str:
    """Return a number with two significant digits, and never with an exponent."""
    if value < 0.0005:
        return "0"
    return f"{value:.2g}" if value < 99.5 else f"{value:,.0f}"


def _width() -> int:
    """Return the width of the terminal, or 80 columns for a file or a pipe."""
    return width_of(sys.stdout) or 80


def _fact(label: str, text: str) -> None:
    line = _folded(f"{label:<{INDENT}}{in_a_line(text)}", " " * INDENT)
    print(styled("label", label, sys.stdout) + line[len(label) :])


def _bullet(text: str) -> None:
    print(_folded(f"  - {in_a_line(text)}", "    "))


def _folded(line: str, indent: str) -> str:
    """Fold a line between words, but not between a number and its unit."""
    label, text = line[: len(indent)], line[len(indent) :]
    glued = re.sub(NUMBER_WITH_UNIT, lambda match: match.group().replace(" ", GLUE), text)
    filled = textwrap.fill(
        label + glued, _width(), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return filled.replace(GLUE, " ")
