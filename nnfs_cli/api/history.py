"""The log of a training, which a notebook shows with its learning curves."""

from __future__ import annotations

from nnfs_cli.api.frame import Frame
from nnfs_cli.display.learning_curves import learning_curves


class History(Frame):
    """A log with a row for each epoch; a notebook shows the loss by epoch above the table."""

    def _repr_html_(self) -> str:
        losses = [self[name] if name in self.columns else None for name in ("train_loss", "val_loss")]
        curves = "" if losses[0] is None else learning_curves(self["epoch"], losses[0], losses[1])
        return curves + super()._repr_html_()
