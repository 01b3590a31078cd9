"""What a net relies on, for Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.api.estimators.findings import folded
from nnfs_cli.api.frame import Frame
from nnfs_cli.display.html import facts_html, table_html, titled_html
from nnfs_cli.explain.explanation import Explanation as Found
from nnfs_cli.explain.importance import ColumnImportance
from nnfs_cli.explain.sentences import growth_text, interval_text, of_dependence, rows_text, sentences
from nnfs_cli.system.wording import named


class Explanation:
    """The result of `Run.explain`; an interactive session shows it in sentences, and a notebook with its table.

    >>> from nnfs_cli import train
    >>> found = train("configs/breast_cancer.yaml", epochs=3).explain(columns=3, repeats=1)
    >>> found.importance.columns
    ('column', 'growth', 'low', 'high', 'p_value', 'effect', 'accuracy')
    >>> found.pairs.columns, next(iter(found.curves.values())).shape
    (('first', 'second', 'strength', 'share'), (25, 20))
    """

    def __init__(self, found: Found) -> None:
        self._found = found

    @property
    def importance(self) -> Frame:
        """The columns, the most important first, with the `growth` of the loss if their cells are shuffled.

        `growth` is a share of the loss, 0.12 for 12 %, as are `low` and `high`, the ends of its 95 % interval (NaN with
        too few rows). Where the loss is not above 0, all three are in its units. `p_value` is adjusted for all columns.
        `effect` is "matters", "hurts" (it does harm) or "unclear". A last column has the name of the first metric of
        the config, and its values with shuffled cells.
        """
        return self._frame(self._found.importance.columns)

    @property
    def together(self) -> Frame:
        """The groups of closely related columns, each shuffled together, in a frame like that of `importance`.

        The name of a group is the names of its columns, joined by +.
        """
        return self._frame(self._found.importance.together)

    @property
    def dependence(self) -> dict[str, Frame]:
        """The mean answers of the net if all rows have the same cell in a main column, by column.

        Each frame has the `cell` as a text, the `share` of the rows near it, and for each answer, such as "probability
        of benign" or "price", its mean, and its `lowest` and `highest` mean among the members of an ensemble.

        >>> from nnfs_cli import train
        >>> found = train("configs/breast_cancer.yaml", epochs=3).explain(columns=1, repeats=1)
        >>> next(iter(found.dependence.values())).columns
        ('cell', 'share', 'probability of benign')
        """
        frames = {}
        for one in self._found.dependence:
            columns: dict[str, Any] = {"cell": list(one.cells), "share": np.array(one.shares)}
            for i, answer in enumerate(one.answers):
                columns[answer] = np.array(one.mean[i])
                if one.low is not None and one.high is not None:
                    columns[f"lowest {answer}"] = np.array(one.low[i])
                    columns[f"highest {answer}"] = np.array(one.high[i])
            frames[one.column] = Frame(columns)
        return frames

    @property
    def curves(self) -> dict[str, np.ndarray[Any, Any]]:
        """The answers for single rows, (rows, cells), by main column, at the cells of `dependence`.

        Of several answers, they are for the one that varies most.
        """
        return {one.column: np.array(one.curves) for one in self._found.dependence}

    @property
    def pairs(self) -> Frame:
        """Pairs of main columns, the strongest interaction first.

        `share` is the share of the interaction in what both columns do together, and `strength` its standard deviation:
        in log-odds for classes, else in the units of the target.
        """
        found = self._found.pairs
        return Frame(
            {
                "first": np.array([pair.columns[0] for pair in found], object),
                "second": np.array([pair.columns[1] for pair in found], object),
                "strength": np.array([pair.strength for pair in found]),
                "share": np.array([pair.share for pair in found]),
            }
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The explanation in words.

        >>> from nnfs_cli import train
        >>> found = train("configs/breast_cancer.yaml", epochs=3).explain(columns=0, repeats=1)
        >>> "matters most: with its cells shuffled, the loss grows by" in found.sentences[0]
        True
        """
        curves = [f"{named(one.column)}: {of_dependence(one)}" for one in self._found.dependence]
        return (*sentences(self._found), *curves)

    def _frame(self, columns: tuple[ColumnImportance, ...]) -> Frame:
        found = self._found.importance

        def share(amounts: list[float | None]) -> Any:
            return np.array([np.nan if one is None else one for one in amounts]) / (found.loss if found.loss > 0 else 1)

        frame: dict[str, Any] = {
            "column": np.array([one.name for one in columns], object),
            "growth": share([one.growth for one in columns]),
            "low": share([one.low for one in columns]),
            "high": share([one.high for one in columns]),
            "p_value": np.array([np.nan if one.p_value is None else one.p_value for one in columns]),
            "effect": np.array([one.effect for one in columns], object),
        }
        if found.metric_name is not None:
            frame[found.metric_name] = np.array([np.nan if one.metric is None else one.metric for one in columns])
        return Frame(frame)

    @property
    def _rows(self) -> str:
        return f"Explained with {rows_text(self._found)}"

    def __repr__(self) -> str:
        return "\n".join([self._rows, *(folded("- ", one) for one in self.sentences)])

    def _repr_html_(self) -> str:
        found = self._found.importance
        rows = [
            [one.name, "".join(growth_text(found, one.growth)), interval_text(found, one), one.effect]
            for one in (*found.columns, *found.together)
        ]
        table = table_html(["column", "loss grows", "95 % interval", "effect"], rows)
        return titled_html(self._rows, facts_html([("", one) for one in self.sentences]), table)
