"""The result of a cross-validation, for Python."""

from __future__ import annotations

from nnfs_cli import workflows
from nnfs_cli.api.frame import Frame
from nnfs_cli.display.estimates import estimate_tables
from nnfs_cli.display.html import table_html, titled_html
from nnfs_cli.display.text import table
from nnfs_cli.system.wording import counted
from nnfs_cli.workflows import FoldEstimate


class CrossValidation:
    """The result of `cross_validate`.

    `rows` is the number of rows that were dealt into `folds`, `repeats` times.

    >>> from nnfs_cli import cross_validate
    >>> cross_validate("configs/iris.yaml", folds=2, epochs=1).rows
    105
    """

    def __init__(self, found: workflows.CrossValidation) -> None:
        self._found = found
        self.rows, self.folds, self.repeats = found.rows, found.folds, found.repeats

    @property
    def figures(self) -> dict[str, Frame]:
        """The figures of each config, by its name: a row for each fold of each repeat, as `repeat`, `fold`, and so on.

        >>> from nnfs_cli import cross_validate
        >>> found = cross_validate("configs/iris.yaml", folds=2, epochs=1)
        >>> found.figures["iris"].columns
        ('repeat', 'fold', 'log_loss', 'accuracy')
        """
        places = [{"repeat": i + 1, "fold": j + 1} for i in range(self.repeats) for j in range(self.folds)]
        return {
            name: Frame({key: [row[key] for row in rows] for key in rows[0]})
            for name, found in self._found.figures.items()
            for rows in [[place | figures for place, figures in zip(places, found, strict=True)]]
        }

    @property
    def predictions(self) -> Frame:
        """The prediction of each row by the net that did not learn from it.

        Its columns are `config`, `repeat`, `fold`, `row` (counted from 1), `truth`, `prediction`, and for classes
        `probability_<label>`, or `score_<label>` if a config's loss gives no probabilities; with several targets
        `truth_1`, `prediction_1` and so on.

        >>> from nnfs_cli import cross_validate
        >>> found = cross_validate("configs/iris.yaml", folds=2, epochs=1)
        >>> len(found.predictions)
        105
        """
        return Frame(self._found.predictions)

    def estimates(self) -> dict[str, dict[str, FoldEstimate]]:
        """Return the mean over the folds of each figure, with the `low` and `high` end of its 95 % interval.

        They are by config, then by figure. They are the figures of all rows pooled: folds count by their rows, and the
        mean of RMSEs is the root of the mean of their squares. The interval takes into account that folds share
        training rows. It is a t interval, symmetric around the mean, but it ends where the range of the figure ends,
        such as at 1 for an accuracy.

        >>> from nnfs_cli import cross_validate
        >>> found = cross_validate("configs/iris.yaml", folds=2, epochs=1)
        >>> accuracy = found.estimates()["iris"]["accuracy"]
        >>> accuracy.low < accuracy.mean < accuracy.high
        True
        """
        return self._found.estimates()

    def differences(self) -> dict[str, dict[str, FoldEstimate]]:
        """Return how much greater the figures of each other config are than those of the first, on the same folds.

        It is empty for a single config.

        >>> from nnfs_cli import cross_validate
        >>> config = "configs/iris.yaml"
        >>> found = cross_validate({"short": config, "long": config}, folds=2, epochs=1)
        >>> found.differences()["long"]["accuracy"].mean
        0.0
        """
        return self._found.differences()

    def __repr__(self) -> str:
        return "\n\n".join([f"{self._size}", *(table(*parts) for parts in estimate_tables(self._found))])

    def _repr_html_(self) -> str:
        return titled_html(self._size, *(table_html(*parts) for parts in estimate_tables(self._found)))

    @property
    def _size(self) -> str:
        times = f", {self.repeats} times" if self.repeats > 1 else ""
        return f"{counted(self.rows, 'row')} in {self.folds} folds{times}"
