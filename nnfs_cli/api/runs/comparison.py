"""The figures of a net beside those of baselines, for Python."""

from __future__ import annotations

from nnfs_cli import workflows
from nnfs_cli.display.comparison import comparison_tables
from nnfs_cli.display.html import table_html
from nnfs_cli.display.text import table


class Comparison(workflows.Comparison):
    """Figures by split, then by model, then by name; a dict that is shown as tables.

    `verdict` says whether the net is clearly better than the best baseline, or worse.

    >>> Comparison(test={"iris-1": {"accuracy": 0.9}, "constant": {"accuracy": 0.3}})
    test      accuracy
    iris-1      0.9000
    constant    0.3000
    """

    def __repr__(self) -> str:
        return "\n\n".join(table(*parts) for parts in comparison_tables(self, self.out_of_fold))

    def _repr_html_(self) -> str:
        return "".join(table_html(*parts) for parts in comparison_tables(self, self.out_of_fold))
