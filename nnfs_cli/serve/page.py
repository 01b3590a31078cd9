"""The pages of a server: that of a model, which computes in the browser, and the list of all. They load nothing."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from nnfs_cli.display.html import escaped, facts_html, titled_html
from nnfs_cli.errors import NnfsError
from nnfs_cli.export.export import exported_model
from nnfs_cli.export.page.html import page_of
from nnfs_cli.serve.model import Model
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.system.wording import listing, named

LEVEL = 0.9  # of the intervals on the page of a model, if the run has what they need
STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:auto;padding:1rem;color-scheme:light dark}"


def model_page(model: Model) -> str:
    """Return the page that `nnfs export --to page` writes. Raises `ExportError` if the model cannot be exported."""
    level: float | None = LEVEL
    with ignored_warnings():
        try:
            predictor = model.predictor_at(LEVEL)
        except NnfsError:
            level, predictor = None, model.predictor
        return page_of(exported_model(model.run, predictor, "best", level))


def list_page(models: Mapping[str, Model]) -> str:
    """Return the page that lists the models."""
    blocks = "".join(_block(name, model) for name, model in models.items())
    about = '<p>The columns and the answers are described in <a href="/openapi.json">/openapi.json</a>.</p>'
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
    head += "<title>nnfs serve</title>"
    body = f"<h1>Models</h1>{blocks}{about}"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def _block(name: str, model: Model) -> str:
    place = f"/models/{quote(name, safe='')}"
    facts = [
        ("run", model.run.path.name),
        ("predicts", listing(map(named, model.predictor.encoder.targets))),
        ("from", listing(map(named, model.schema.columns))),
        ("ask", f"POST {place}/predict"),
    ]
    return f'{titled_html(name, facts_html(facts))}<p><a href="{escaped(place)}/page">Try it in the browser</a></p>'
