"""`nnfs check`: inspect a config and its data before training."""

from __future__ import annotations

import re
import shlex
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnfs_cli.cli.fixes import Fixes, plain_fixes
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, ConfigFile, Json, Overrides, Quiet, read
from nnfs_cli.cli.summary import count_text, print_layers, shape_text
from nnfs_cli.cli.terminal import INDENT, print_json, styled, suggest, width_of
from nnfs_cli.display.text import byte_size, column_kinds, split_sizes
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import counted, in_a_line, percent

if TYPE_CHECKING:
    from nnfs_cli.experiment.experiment import Experiment
    from nnfs_cli.inspection.cost_estimate import CostEstimate
    from nnfs_cli.inspection.finding import Finding
    from nnfs_cli.inspection.inspect import FixedFindings, Inspection
    from nnfs_cli.inspection.net_cost import NetCost

ALIKE = 8  # findings of one kind that are shown, at most
CLASSES = 10  # classes whose shares are shown, at most
NUMBER_WITH_UNIT = r"(?<![\w'])[<0-9][0-9.,e+-]* (?=[%a-zA-Z])"
GLUE = "\ue000"  # stands for a space where a line must not break; no text contains it, since it is not printable
USES = {"data": "of data", "net": "for the net and its training", "batch": "for a batch"}


@manual(
    "nnfs check configs/breast_cancer.yaml",
    "nnfs check configs/iris.yaml --set layers.0.linear=50 --json",
    "nnfs check houses.yaml --fix drop,split",
    guide="tables",
)
def check(
    config: ConfigFile,
    fix: Fixes = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Check CONFIG, its data and its net before training.

    Prints possible problems (columns that reveal the target, duplicate rows, rare classes, a net too large for the
    rows), the layers with their parameters, and an estimate of the memory and time that training takes.

    --fix makes the changes that the findings suggest in CONFIG, keeps its comments, and checks it again. --fix
    drop,split makes only changes of these kinds.
    """
    if set_ and fix:
        raise UserError("--fix changes the file, and --set or --epochs hold for this check only; leave one out")
    from nnfs_cli.inspection.suggestion import chosen_kinds

    kinds = chosen_kinds(fix) if fix else ()
    spec = read(config, set_, code)
    from nnfs_cli.inspection import cost_estimate
    from nnfs_cli.inspection.inspect import inspect
    from nnfs_cli.inspection.net_cost import net_cost

    inspection = inspect(spec)
    fixed, inspection = _fix(config, inspection, kinds) if kinds else (None, inspection)
    experiment, found = inspection.experiment, inspection.findings
    cost = net_cost(experiment.predictor.model, experiment.batches.size)
    estimate, memory = cost_estimate.estimate_cost(experiment)
    if json:
        print_json(
            {
                "data": {"name": experiment.description["name"], "rows": experiment.description["rows"]},
                "looked_at": inspection.sampled,
                "findings": [finding.plain() for finding in found],
                "layers": [
                    {"layer": line.description, "shape": line.shape, "parameters": line.parameters}
                    for line in cost.layers
                    if line.depth == 0
                ],
                "parameters": experiment.predictor.model.n_parameters,
                "memory": memory,
                "seconds": round(estimate.seconds, 3),
                "fixed": fixed and plain_fixes(fixed),
            }
        )
        return
    if fixed:
        _print_fixes(config, fixed)
        print()
    _print_data(experiment)
    print()
    _print_findings(found, inspection.sampled)
    print()
    _print_net(cost)
    print()
    _print_cost(estimate, memory)
    suggest(f"nnfs train {shlex.quote(config.as_posix())}", quiet)


def _fix(config: Path, inspection: Inspection, kinds: Sequence[str]) -> tuple[FixedFindings, Inspection]:
    """Make the suggested changes in the file of a config, if it can then be trained, and inspect it again."""
    from nnfs_cli.config.document import Document
    from nnfs_cli.inspection.fix import text_of_config
    from nnfs_cli.inspection.inspect import fix_findings, inspect
    from nnfs_cli.inspection.load_config import complete

    folder = config.absolute().parent
    done = fix_findings(text_of_config(config), folder, inspection.findings, kinds)
    if done.fixed:
        inspection = inspect(complete(Document.parse(done.fix.after.encode(), "the changed config", folder)))
        done.fix.write(config)
    return done, inspection


def _print_fixes(config: Path, done: FixedFindings) -> None:
    """Print the findings that are fixed, and the changed lines of the config."""
    if not done.fixed:
        _fact("fixed", "nothing: no finding suggests such a change")
        return
    _fact("fixed", f"{counted(len(done.fixed), 'finding')}")
    for finding in done.fixed:
        _bullet(str(finding))
    _fact("changed", f"these lines of {config.as_posix()}:")
    for line in done.fix.difference:
        print(f"    {line}")
    if done.left:
        _fact("left", f"{counted(len(done.left), 'suggestion')} that cannot be combined with the others; check again")


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
    hint = "; --fix writes the change below a finding into the config" if helped else ""
    _fact("findings", f"{len(found):,}{where}{hint}")
    shown: Counter[str] = Counter()
    for finding in found:
        shown[finding.what] += 1
        if shown[finding.what] > ALIKE:
            continue
        _bullet(str(finding))
        if finding.suggestion:
            for line in str(finding.suggestion).splitlines():
                print(f"      {in_a_line(line)}")
    if more := sum(max(n - ALIKE, 0) for n in shown.values()):
        _bullet(f"and {more:,} more of these kinds; --json lists them all")


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
