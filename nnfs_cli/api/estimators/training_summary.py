"""Summarize a trained estimator: its data, its figures, those of simple models, and what needs attention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnfs_cli.api.estimators.findings import Findings, folded, remedy
from nnfs_cli.display.comparison import comparison_tables
from nnfs_cli.display.html import facts_html, table_html, titled_html
from nnfs_cli.display.summary import summary_lines, verdict_lines
from nnfs_cli.display.text import column_kinds, split_sizes, table
from nnfs_cli.experiment.warnings import large_net
from nnfs_cli.inspection.finding import Finding
from nnfs_cli.system.wording import counted, in_a_line, listing, named
from nnfs_cli.workflows.compare import Comparison
from nnfs_cli.workflows.figures import Figures
from nnfs_cli.workflows.result import TrainingResult
from nnfs_cli.workflows.verdicts import Verdict
from nnfs_cli.workflows.verdicts.against_simple_models import CODES

SHOWN = 5  # findings, or columns that are left out, that a summary shows
INDENT = 12  # columns of a label
QUIET = ("task", "left_out", "grouped")  # findings that ask for nothing


@dataclass(frozen=True)
class TableReport:
    """What `nnfs_cli.fit` found out about a table, apart from the training itself.

    `config_text` is the config that `nnfs init` proposes; `comparison` holds figures by split and model.
    """

    findings: Findings
    config_text: str
    comparison: Comparison


@dataclass(frozen=True)
class TrainingSummary:
    """A few lines about a trained net; `str` gives plain text, and notebooks show HTML.

    `facts` are labels with texts, `comparison` has figures by split and model, and `attention` are further facts.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    comparison: Mapping[str, Figures] = field(default_factory=dict)
    attention: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, title: str, result: TrainingResult, report: TableReport | None) -> TrainingSummary:
        """Return the summary of a training, with the report on its table, if there is one."""
        findings, comparison = (report.findings, report.comparison) if report else (Findings(), Comparison())
        attention = list(_attention(findings)) if report else [("attention", message) for message in _large_net(result)]
        return cls(title, tuple(_facts(result, findings, comparison.verdict)), comparison, tuple(attention))

    def __str__(self) -> str:
        """Return plain text."""
        blocks = ["\n".join([in_a_line(self.title), *_lines(self.facts)])]
        blocks += [table(header, rows) for header, rows in self._tables()]
        if self.attention:
            blocks.append("\n".join(_lines(self.attention)))
        return "\n\n".join(blocks)

    __repr__ = __str__  # an interactive session shows the lines

    def _repr_html_(self) -> str:
        tables = [table_html(header, rows) for header, rows in self._tables()]
        return titled_html(self.title, facts_html(self.facts), *tables, facts_html(self.attention))

    def _tables(self) -> Iterator[tuple[list[str], list[list[str]]]]:
        for (split, *names), rows in comparison_tables(self.comparison):
            yield [f"{split} rows", *names], rows


def _facts(
    result: TrainingResult, findings: Findings, beside_baselines: Sequence[Verdict]
) -> Iterator[tuple[str, str]]:
    data = result.data
    yield "data", f"{counted(sum(data['rows'].values()), 'row')}: {split_sizes(data['rows'])}"
    yield "inputs", column_kinds(column["kind"] for column in data["inputs"])
    targets = [named(target["name"]) for target in data["targets"]]
    task = next((one.message for one in findings if one.what == "task"), "")
    yield "target", " ".join(filter(None, [listing(targets), task]))
    left_out = [named(str(one.column)) for one in findings if one.what == "left_out"]
    if left_out:
        more = [f"{len(left_out) - SHOWN} more"] if len(left_out) > SHOWN else []
        yield "left out", f"{listing([*left_out[:SHOWN], *more])}; see .findings for the reasons"
    yield from summary_lines(result.outcome.metrics, result.config)
    if beside_baselines:  # they say the same as the simple models of the training, with the figures that are shown
        yield from verdict_lines([*beside_baselines, *(one for one in result.verdict if one.code not in CODES)])
    else:
        yield from verdict_lines(result.verdict)


def _attention(findings: Findings) -> Iterator[tuple[str, str]]:
    loud = [one for one in findings if one.what not in QUIET and (one.what != "missing" or one.suggestion)]
    for i, finding in enumerate(loud[:SHOWN]):
        yield ("attention" if i == 0 else "", _with_remedy(finding))
    if len(loud) > SHOWN:
        yield "", f"{counted(len(loud) - SHOWN, 'more finding')} in .findings"


def _large_net(result: TrainingResult) -> list[str]:
    """Return the warning about a net that is large for its rows, if it is."""
    config, n_parameters = result.config, result.predictor.model.n_parameters
    message = large_net(n_parameters // config.members, result.data["rows"]["train"], config.members)
    return [message] if message and not config.holdout else []


def _with_remedy(finding: Finding) -> str:
    return f"{finding}: {remedy(finding)}" if remedy(finding) else str(finding)


def _lines(facts: tuple[tuple[str, str], ...]) -> list[str]:
    return [folded(f"{label:<{INDENT}}", text) for label, text in facts]


class Summarized:
    """The part of an estimator that reports on its training.

    An estimator that `nnfs_cli.fit` made is shown by its summary, and any other one by its parameters.
    """

    _report: TableReport | None = None
    result_: TrainingResult

    @property
    def findings(self) -> Findings:
        """What `nnfs_cli.fit` found out about the table: the task, the columns left out and why, and what looks wrong.

        Any other estimator has no such attribute.
        """
        return self._known().findings

    @property
    def config_text(self) -> str:
        """The config, as YAML with comments, that `nnfs init` proposes for the table of `nnfs_cli.fit`.

        Settings given to `fit` override it; `config_` is the whole config. Any other estimator has no such attribute.
        """
        return self._known().config_text

    def summary(self) -> TrainingSummary:
        """Return a few lines to print or to show in a notebook: the data, the figures, and what needs attention.

        An estimator that `nnfs_cli.fit` made also has the figures of two simple models on the same rows.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        targets = listing(named(target["name"]) for target in self.result_.data["targets"])
        return TrainingSummary.of(f"{type(self).__name__} for {targets}", self.result_, self._report)

    def _known(self) -> TableReport:
        if self._report is None:
            raise AttributeError(f"this {type(self).__name__} was not made by nnfs_cli.fit, which inspects the table")
        return self._report

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        """Return the summary if `nnfs_cli.fit` made the estimator, or else its parameters."""
        return str(self.summary()) if self._report else super().__repr__(N_CHAR_MAX)  # type: ignore[call-arg]

    def _html_repr(self) -> Any:
        return self.summary()._repr_html_() if self._report else super()._html_repr()  # type: ignore[misc]
