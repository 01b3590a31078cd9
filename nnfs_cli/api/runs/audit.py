"""Find the faults of a data set, as `nnfs audit` does, for Python."""

from __future__ import annotations

from typing import Any

from nnfs_cli.api.config_from import Settings, config_from
from nnfs_cli.api.estimators.findings import folded
from nnfs_cli.api.frame import Frame
from nnfs_cli.api.tables import TableOrPath
from nnfs_cli.audit.audit import Audit, audit_config
from nnfs_cli.audit.slices import Slices
from nnfs_cli.display.html import facts_html, table_html, titled_html
from nnfs_cli.display.progress import progress_for

SHOWN = 5  # rows of a finding in a notebook


class DataAudit:
    """What `audit_data` and `Run.audit` found: rows that are probably faulty, and columns that do not help.

    >>> from nnfs_cli import audit_data
    >>> found = audit_data("configs/iris.yaml", epochs=20)
    >>> found.rows.columns
    ('row', 'finding', 'score', 'given', 'likely', 'reason')
    """

    def __init__(self, found: Audit) -> None:
        self._found = found

    @property
    def rows(self) -> Frame:
        """The rows that were found, the worst of each finding first; a row may be there several times.

        Its columns are `row`, its number in the data from 1; `split`, if there are several; `finding`; `score`, which
        is larger for worse rows of the same finding; the `given` answer and a `likely` one, if there is one; and the
        `reason` in words.
        """
        return Frame(self._found.table())

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows, or of pairs of rows, of each finding."""
        return {one.code: len(one) for one in self._found.findings}

    @property
    def columns(self) -> Frame:
        """The columns that do not clearly help: `column`, its `effect` ("hurts" or "unclear") and the `growth`.

        `growth` is that of the loss when the cells of the column are shuffled, with a 95 % interval, `low` to `high`.
        """
        found = self._found.columns
        rows = [] if found is None else [*found.hurting, *found.unclear]
        names = ("name", "effect", "growth", "low", "high")
        cells = {name: [getattr(one, name) for one in rows] for name in names}
        return Frame({"column": cells.pop("name"), **cells})

    @property
    def slices(self) -> Slices:
        """The groups of rows in which the net is clearly worse; see `Run.slices`."""
        return self._found.slices

    def __repr__(self) -> str:
        lines = [folded("- ", f"{one.code}: {one.measured}; {one.remedy}") for one in self._found.findings]
        if self._found.columns is not None and str(self._found.columns):
            lines.append(folded("- ", f"columns: {self._found.columns}"))
        lines += [folded("- ", f"slice: {one}") for one in self.slices]
        return "\n".join([self._found.looked_at, *lines])

    def _repr_html_(self) -> str:
        blocks = []
        for one in self._found.findings:
            facts = [(one.code, one.measured), ("why", one.why), ("remedy", one.remedy)]
            header, rows = self._found.examples(one, SHOWN)
            blocks += [facts_html(facts), table_html(header, rows, len(header))]
        if self._found.columns is not None and str(self._found.columns):
            blocks.append(facts_html([("columns", str(self._found.columns)), ("remedy", self._found.columns.remedy)]))
        if len(self.slices):
            blocks.append(self.slices._repr_html_())
        return titled_html(self._found.looked_at, *blocks)


def audit_data(
    config: Settings, data: TableOrPath | None = None, *, verbose: bool | None = None, **settings: Any
) -> DataAudit:
    """Find faults in the data of a config, as `nnfs audit` does: train its net in folds, and judge every row.

    Nothing is written. Faults are labels, or numbers to predict, that are improbable; rows that repeat or nearly repeat
    others; rows and answers far from all others; and columns that do not help.

    Parameters
    ----------
    config : path, dict or Config
        As for `train`. Its split only matters if it is by group.
    data : table or path, optional
        As for `train`.
    verbose : bool, optional
        Whether progress is shown; by default only in a notebook or an interactive session.
    **settings
        Values for other keys of the config, such as `epochs=20`.

    Returns
    -------
    DataAudit

    Raises
    ------
    ConfigError
        If the config has faults, or its net cannot be trained in folds.
    DataError
        If the data cannot be used, or does not fit into memory.

    Examples
    --------
    >>> from nnfs_cli import audit_data
    >>> table = {"x": [i / 100 for i in range(100)], "y": ["low"] * 50 + ["high"] * 50}
    >>> table["y"][10] = "high"
    >>> settings = {"layers": ["linear: 1"], "epochs": 30, "lr": 0.1, "dataset": {"table": "y"}}
    >>> found = audit_data(settings, table, loss="binary_cross_entropy")
    >>> int(found.rows["row"][0]), found.rows["likely"][0]
    (11, 'low')

    """
    found = config_from(config, data, settings)
    return DataAudit(audit_config(found, lambda experiment: progress_for(verbose, experiment.config.checkpoint)))
