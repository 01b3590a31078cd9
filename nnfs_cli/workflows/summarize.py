"""What the net of a run costs: its shapes, parameters, memory and multiply-adds."""

from __future__ import annotations

from nnfs_cli.inspection.net_cost import NetCost, net_cost, rows_of_batch
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.load_run import blame_run, config_of, net_of


def cost_of_run(run: RunDirectory) -> NetCost:
    """Return what the net of a run costs. Neither its weights nor its data are read.

    Raises `RunError` if the run is damaged.
    """
    config = config_of(run)
    model = net_of(run, config).model
    with blame_run(run):
        return net_cost(model, rows_of_batch(config, int(run.records.data()["rows"]["train"])), config.blend)
