"""What a net is made of and what it costs: the shapes, parameters, memory and multiply-adds of each layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nnfs_cli.arrays import Shape
from nnfs_cli.blend import BlendedModel
from nnfs_cli.components.component import Component
from nnfs_cli.config.config import Config
from nnfs_cli.experiment.experiment import fit_net
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.formulas import Formulas, formulas
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import n_numbers
from nnfs_cli.nn.places import BuiltLayer, built_layers


@dataclass(frozen=True)
class LayerCost:
    """A layer at its place in a net, and what it costs in one member, with all layers inside it.

    `shape` is that of an output row. `parameters` are learned; `parameter_bytes` includes numbers that are not, such as
    running means. `output_bytes` are those of the outputs for a batch, and `multiply_adds` those of matrix products
    for a row.
    """

    path: str  # empty for the inputs
    layer: str
    depth: int  # 0 for the layers of the net, 1 for those inside one of them, and so on
    shape: Shape
    parameters: int
    parameter_bytes: int
    output_bytes: int
    multiply_adds: int
    component: Component | None = None

    @property
    def description(self) -> str:
        """The layer with those inside it, in a line."""
        return self.component.describe() if isinstance(self.component, Layer) else self.layer

    def plain(self) -> dict[str, Any]:
        """Return the figures as plain values for JSON."""
        figures = ("parameters", "parameter_bytes", "output_bytes", "multiply_adds")
        named = {"path": self.path, "layer": self.layer, "shape": list(self.shape)}
        return named | {name: getattr(self, name) for name in figures}


@dataclass(frozen=True)
class NetCost:
    """The layers of a net in their order, each before those inside it, and the sums over all members."""

    layers: tuple[LayerCost, ...]
    loss: Loss
    members: int
    batch: int  # rows
    blend: tuple[str, ...] = ()  # the models beside the net, which are not in these figures

    @property
    def all(self) -> str:
        """The words for all layers of all members."""
        return f"all {self.members} members" if self.members > 1 else "all"

    def total(self, figure: str) -> int:
        """Return a sum over all layers and members: of `parameters`, `multiply_adds` or another figure."""
        figures: list[int] = [getattr(layer, figure) for layer in self.layers if layer.depth == 0]
        return self.members * sum(figures)

    def plain(self, formulas: bool = False) -> dict[str, Any]:
        """Return everything as plain values for JSON; the formulas of each kind of layer only if asked for."""
        figures = ("parameters", "parameter_bytes", "output_bytes", "multiply_adds")
        plain = {
            "layers": [layer.plain() for layer in self.layers],
            "loss": self.loss.label(),
            "members": self.members,
            "batch": self.batch,
            "blend": list(self.blend),
            **{figure: self.total(figure) for figure in figures},
        }
        return plain | ({"formulas": {k: v._asdict() for k, v in self.formulas().items()}} if formulas else {})

    def formulas(self) -> dict[str, Formulas]:
        """Return the formulas of each kind of layer and of the loss, by name, in the order of the net."""
        found: dict[str, Formulas] = {}
        for part in [*(layer.component for layer in self.layers if layer.component is not None), self.loss]:
            found.setdefault(part.name or type(part).__name__.lower(), formulas(part))
        return found


def net_cost(model: Model, batch: int, blend: Sequence[BlendedModel] = ()) -> NetCost:
    """Return what the layers of a net cost, with `batch` rows at a time; the models of its `blend` are only named."""
    size = model.dtype.itemsize
    built = built_layers(model.layers, model.input_shape)
    layers = [LayerCost("", "inputs", 0, model.input_shape, 0, 0, batch * math.prod(model.input_shape) * size, 0)]
    around: list[str] = []  # the paths of the layers that the current one is inside of
    for i, one in enumerate(built):
        while around and not one.path.startswith(f"{around[-1]}."):
            around.pop()
        inside = list(_layers_inside(built, i))
        outputs = [math.prod(other.output_shape) for other in (one, *inside) if not isinstance(other.layer, Sequential)]
        layers.append(
            LayerCost(
                path=one.path,
                layer=one.layer.label(),
                depth=len(around),
                shape=one.output_shape,
                parameters=n_numbers(one.tree, learned=True),
                parameter_bytes=size * n_numbers(one.tree),
                output_bytes=batch * size * sum(outputs),
                multiply_adds=sum(other.layer.multiply_adds(other.input_shape) for other in (one, *inside)),
                component=one.layer,
            )
        )
        around.append(one.path)
        if isinstance(one.layer, Embedding):
            layers += [_table_cost(table, one.path, batch, size) for table in one.layer.tables]
    return NetCost(tuple(layers), model.loss, model.members, batch, tuple(part.name for part in blend))


def _layers_inside(built: Sequence[BuiltLayer], i: int) -> Iterator[BuiltLayer]:
    """Yield the layers inside layer i, at any depth; they follow it."""
    for j in range(i + 1, len(built)):
        if not built[j].path.startswith(f"{built[i].path}."):
            return
        yield built[j]


def _table_cost(table: EmbeddingTable, path: str, batch: int, size: int) -> LayerCost:
    """Return what one table of an embedding costs."""
    n, vectors = table.rows * table.width, batch * table.width * size
    return LayerCost(f"{path}.{table.name}", f"{table.name} {table.rows:,}", 1, (table.width,), n, n * size, vectors, 0)


def cost_of_config(config: Config) -> NetCost:
    """Return what the net of a config costs. Of the data, only what decides on the inputs is computed.

    Raises `DataError` or `ConfigError` if data and config do not fit together.
    """
    loaded = load_data(config)
    model = fit_net(config, loaded)[0].model
    return net_cost(model, rows_of_batch(config, len(loaded.rows["train"])), config.blend)


def rows_of_batch(config: Config, n_rows: int) -> int:
    """Return the rows of a batch if there are so many training rows."""
    return min(int(config.batch_size), n_rows) if isinstance(config.batch_size, int) else n_rows
