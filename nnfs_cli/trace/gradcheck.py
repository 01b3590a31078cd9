"""Check the gradients of a config's net on real rows, in float64."""

from __future__ import annotations

from nnfs_cli.config.config import Config
from nnfs_cli.errors import GradientError
from nnfs_cli.nn.differences import entry_text
from nnfs_cli.nn.layer_check import LayerCheck
from nnfs_cli.nn.net_check import NetCheck, check_net
from nnfs_cli.system.wording import listing
from nnfs_cli.trace.source import batch_of_config

ROWS = 128


def gradcheck(config: Config, rows: int = ROWS) -> NetCheck:
    """Return the checks of a net with its initial weights, on the first rows of the first batch, at most all.

    Of an ensemble the first member is checked.
    """
    batch = batch_of_config(config, "", rows).in_float64()
    return check_net(batch.model, batch.x, batch.y, batch.weight, batch.draws)


def require_right(check: NetCheck) -> None:
    """Raise `GradientError` that names each layer at fault, if any gradient is wrong."""
    if check.blamed:
        sentences = [f"{one.path} ({one.title}): {fault}" for one in check.blamed for fault in _faults(one)]
        raise GradientError("\n".join(sentences))
    if wrong := [array.name for array in check.parameters if array.wrong]:
        raise GradientError(
            f"the gradient with respect to {listing(wrong)} is wrong in the whole net, "
            "though each layer is right by itself"
        )


def _faults(layer: LayerCheck) -> list[str]:
    """Return a sentence about each fault of a layer."""
    found = [*layer.faults]
    unwritten = " ".join(layer.faults)
    for array in layer.arrays:
        if array.wrong and f"gradient of {array.name}" not in unwritten:
            worst = max(array.smooth, key=lambda entry: entry.error)
            where = entry_text(array.name, worst.index)
            numbers = f"at {where} it is {worst.gradient:.6g}, and differences give {worst.numerical:.6g}"
            found.append(f"the gradient with respect to {array.name} is wrong: {numbers}")
    return found
