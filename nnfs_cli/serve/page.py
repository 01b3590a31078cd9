"""The page at `/`: which models there are, and how to ask them. It loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from nnfs_cli.display.html import escaped, facts_html, titled_html
from nnfs_cli.serve.model import Model
from nnfs_cli.system.wording import listing, named

STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:auto;padding:1rem;color-scheme:light dark}"


def page(models: Mapping[str, Model]) -> str:
    """Return the page of a server."""
    blocks = "".join(titled_html(name, facts_html(_facts(name, model))) for name, model in models.items())
    about = '<p>The columns and the answers are described in <a href="/openapi.json">/openapi.json</a>.</p>'
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
    head += "<title>nnfs serve</title>"
    body = f"<h1>Models</h1>{blocks}{about}"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def _facts(name: str, model: Model) -> list[tuple[str, str]]:
    columns = listing(map(named, model.schema.columns))
    return [
        ("run", model.run.path.name),
        ("predicts", listing(map(named, model.predictor.encoder.targets))),
        ("from", columns),
        ("ask", f"POST /models/{escaped(quote(name, safe=''))}/predict"),
    ]
