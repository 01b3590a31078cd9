"""The routes without rows: health, readiness, metrics, the models, the description and the page."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from nnfs_cli import __version__
from nnfs_cli.errors import ExportError
from nnfs_cli.serve.formats import Format
from nnfs_cli.serve.limits import Limits
from nnfs_cli.serve.metrics import MEDIA_TYPE, VERDICTS, Metrics, Samples
from nnfs_cli.serve.model import Model
from nnfs_cli.serve.models import Models
from nnfs_cli.serve.openapi import described
from nnfs_cli.serve.page import list_page, model_page
from nnfs_cli.serve.refusal import Refusal

ABOUT = "Predictions of trained neural networks. Every answer equals that of `nnfs predict` for the same rows."
DRIFT = {
    "psi": "Population stability index of a column over the newest rows, against the training rows.",
    "chance": "Mean index of as many rows without drift.",
    "unseen": "Share of rows with a category that no training row has.",
    "outside": "Share of rows outside the range of the training rows.",
    "missing": "Share of empty cells.",
    "verdict": "Drift of a column: 0 stable, 1 moderate, 2 large.",
}


def plain_routes(
    models: Models, metrics: Metrics, limits: Limits, token: bool, is_closing: Callable[[], bool]
) -> FastAPI:
    """Return the application that answers everything but `predict`."""
    # FastAPI's own pages for /docs load their scripts from another server, so there is none.
    app = FastAPI(
        title="nnfs serve", version=__version__, description=ABOUT, openapi_url=None, docs_url=None, redoc_url=None
    )

    def loaded() -> dict[str, Model]:
        return {name: batcher.model for name, batcher in models.batchers.items()}

    @app.get("/health", summary="Tell that the process runs")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready", summary="Tell whether requests are welcome", responses={503: {"description": "It is stopping."}})
    async def ready() -> Response:
        return JSONResponse({"status": "stopping"}, 503) if is_closing() else JSONResponse({"status": "ready"})

    @app.get("/models", summary="List the models")
    async def list_models() -> dict[str, dict[str, str]]:
        return {name: {"run": model.run.path.name} for name, model in loaded().items()}

    @app.get("/metrics", summary="Report what was counted, for Prometheus", response_class=PlainTextResponse)
    def report() -> Response:
        return Response(metrics.text(gauges(loaded())), media_type=MEDIA_TYPE)

    @app.get("/openapi.json", include_in_schema=False)
    async def description() -> Response:
        return JSONResponse(described(app.openapi(), loaded(), limits, token))

    pages: dict[Model, str] = {}  # one for each model that is served now

    def page(model: Model) -> str:
        for old in pages.keys() - loaded().values():
            pages.pop(old, None)
        if model not in pages:
            pages[model] = model_page(model)
        return pages[model]

    @app.get("/", include_in_schema=False)
    def root() -> Response:
        if len(found := loaded()) == 1:
            with contextlib.suppress(ExportError):
                return HTMLResponse(page(*found.values()))
        return HTMLResponse(list_page(found))

    @app.get("/models/{name:path}/page", include_in_schema=False)
    def page_of_model(name: str) -> Response:
        try:
            return HTMLResponse(page(loaded()[name]))
        except ExportError as error:
            return Response(Refusal.of(error).body, 422, media_type=Format.json.value)

    return app


def gauges(models: dict[str, Model]) -> dict[tuple[str, str], Samples]:
    """Return the values of the models that go up and down, by their name and their description."""
    info: list[Any] = []
    rows: list[Any] = []
    drift: dict[str, list[Any]] = {key: [] for key in DRIFT}
    for name, model in models.items():
        info.append(("", (("model", name), ("run", model.run.path.name)), 1))
        n, columns = model.drift.report()
        rows.append(("", (("model", name),), n))
        for column in columns:
            labels = (("model", name), ("column", column.column))
            for key, samples in drift.items():
                value = VERDICTS.get(column.verdict) if key == "verdict" else getattr(column, key)
                if value is not None:
                    samples.append(("", labels, float(value)))
    return {
        ("nnfs_model_info", "The run of a model."): info,
        ("nnfs_drift_rows", "The newest rows, which drift is measured on."): rows,
        **{(f"nnfs_drift_{key}", about): drift[key] for key, about in DRIFT.items()},
    }
