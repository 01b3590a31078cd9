"""The page of a trace: a net drawn as a graph, and one training step through it, at each epoch that was kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_cli.nn.entry_formulas import four_digits
from nnfs_cli.report.page import page
from nnfs_cli.report.trace_parts.frames import frame
from nnfs_cli.report.trace_parts.net_graph import NetGraph
from nnfs_cli.report.trace_parts.numbers import packed_json
from nnfs_cli.report.trace_parts.step_views import PHASES, SlotMap, StepView, by_phase, step_views, texts, with_absent
from nnfs_cli.report.trace_parts.unit_maps import UnitMaps
from nnfs_cli.system.wording import counted, in_a_line
from nnfs_cli.trace.batch import TracedBatch
from nnfs_cli.trace.trace import observe, trace
from nnfs_cli.trace.values import Trace

MOST_CHARACTERS = 2_500_000  # of the numbers of all epochs, so that the page stays under 3 MB
EARLY = ("trace_early.js",)
SCRIPTS = ("trace_graph.js", "trace_plane.js", "trace.js")


def trace_page(batch: TracedBatch, others: Sequence[TracedBatch] = ()) -> str:
    """Return a page of HTML that shows one training step on the rows of the batch, step by step.

    With `others`, the same rows at the weights of other epochs in their order (see `snapshots_of`), it has a slider. It
    opens at the weights of the batch. If the page would be too large, it has fewer epochs.
    """
    batches, start = _in_order(batch, others)
    epochs = _Epochs(batches)
    chosen, data = epochs.that_fit({0, start, len(batches) - 1})
    shown = epochs.traces[start]
    return page(
        f"Trace of {batch.name}",
        "trace.html",
        SCRIPTS,
        ("trace.css",),
        early=EARLY,
        net=shown.net.replace("->", "→"),
        facts=_facts(shown, len(chosen)),
        agreement=shown.agreement.replace("`", ""),
        wrong=shown.wrong,
        kept=len(chosen),
        rows=list(zip(shown.rows, shown.targets, strict=True)),
        phases=by_phase(with_absent(epochs.views[start], epochs.views)),
        maps=epochs.maps,
        data={
            **data,
            "start": chosen.index(start),
            "phases": PHASES,
            "rows": shown.rows,
            "targets": [in_a_line(target) for target in shown.targets],
        },
    )


class _Epochs:
    """What the page shows at each kept epoch."""

    def __init__(self, batches: Sequence[TracedBatch]) -> None:
        first, slots = batches[0], SlotMap()
        self.x = first.x
        self.graph = NetGraph.of(first)
        self.maps = UnitMaps.of(first, self.graph.columns)
        self.traces: list[Trace] = []
        self.views: list[list[StepView]] = []
        self.frames: list[dict[str, Any]] = []
        for batch in batches:
            recorder, loss = observe(batch)
            records = {record.path: record for record in recorder.walk()}
            if loss.activation is not None:
                records[loss.activation.path] = loss.activation
            self.frames.append({"epoch": f"{batch.epoch:,}", **frame(self.graph, records, batch.x)})
            self.traces.append(trace(batch))
            self.views.append(step_views(self.traces[-1], slots))
            if self.maps:
                self.maps.keep(batch.model)
        for each, traced, views in zip(self.frames, self.traces, self.views, strict=True):
            each |= {"loss": four_digits(traced.loss), "texts": texts(views, slots.size)}

    def that_fit(self, needed: set[int]) -> tuple[list[int], dict[str, Any]]:
        """Return as many of the epochs as a page can hold, those that are needed among them, and what it shows."""
        chosen: list[int] = []
        fewer = list(range(len(self.frames)))
        while fewer != chosen:
            chosen, data = fewer, self._to_json(fewer)
            if len(data["frames"]) + len((data["maps"] or {"packed": ""})["packed"]) <= MOST_CHARACTERS:
                break
            fewer = [i for place, i in enumerate(chosen) if place % 2 == 0 or i in needed]
        return chosen, data

    def _to_json(self, chosen: Sequence[int]) -> dict[str, Any]:
        """Return what the scripts show, for some of the epochs."""
        return {
            "columns": [column.to_json() for column in self.graph.columns],
            "links": [link.to_json() for link in self.graph.links],
            "frames": packed_json([self.frames[i] for i in chosen]),
            "maps": self.maps.to_json(chosen, self.x) if self.maps else None,
        }


def _in_order(batch: TracedBatch, others: Sequence[TracedBatch]) -> tuple[list[TracedBatch], int]:
    """Return the batch and the others by epoch, each set of weights once, and where the batch is."""
    weights = batch.model.parameters.vector
    others = [one for one in others if not np.array_equal(one.model.parameters.vector, weights)]
    place = sum(one.epoch <= batch.epoch for one in others)
    return [*others[:place], batch, *others[place:]], place


def _facts(shown: Trace, kept: int) -> str:
    """Return what is traced, in a line."""
    member = "" if shown.member is None else f", member {shown.member}"
    where = f"opened at {shown.weights}" if kept > 1 else shown.weights
    rows = f"{counted(len(shown.rows), 'training row')}, counted from 0"
    return f"{rows}{member}, {shown.dtype}, {where}"
