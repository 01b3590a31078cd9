"""The OpenAPI description of the models: their columns, as they were in the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nnfs_cli.data.table import text_of
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.serve.formats import Format
from nnfs_cli.serve.limits import Limits
from nnfs_cli.serve.model import Model
from nnfs_cli.serve.row_schema import ColumnSchema

Schema = dict[str, Any]

SHOWN = 20  # categories that a description names
MOST_WORDS = 1_000  # categories that a schema lists
REFUSALS = {
    400: "The body is malformed.",
    401: "The token is missing or wrong.",
    405: "The method is not POST.",
    406: "The answer is wanted in a format that is not known.",
    408: "The body did not arrive in time.",
    413: "The body is too large, or has too many rows.",
    415: "The format of the body is not known.",
    422: "A row cannot be used, or an option is wrong.",
    503: "The rows were not predicted in time.",
}
ERROR: Schema = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string", "description": "A word for programs, which stays the same."},
        "message": {"type": "string", "description": "What is wrong, where, and what helps."},
    },
}
OPTIONS = (
    (
        "interval",
        "Add intervals, or sets of classes, that hold the truth with this probability.",
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        0.9,
    ),
    (
        "reasons",
        "Add so many main reasons of each prediction.",
        {"type": "integer", "minimum": 1, "maximum": 999_999_999},
        3,
    ),
)


def described(plain: Schema, models: Mapping[str, Model], limits: Limits, token: bool) -> Schema:
    """Return the description of the server; `plain` is that of the routes without rows."""
    paths, schemas = dict(plain["paths"]), dict(plain.get("components", {}).get("schemas", {}))
    schemas["Refusal"] = ERROR
    for i, (name, model) in enumerate(models.items()):
        key = f"model_{i}"
        schemas[f"{key}_row"] = row_schema(model)
        schemas[f"{key}_prediction"] = prediction_schema(model.predictor)
        operation = _operation(name, key, limits, token)
        paths[f"/models/{quote(name, safe='')}/predict"] = {"post": operation}
        if i == 0:
            paths["/predict"] = {"post": {**operation, "operationId": "predict"}}
    components: Schema = {"schemas": schemas}
    if token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {**plain, "paths": paths, "components": components}


def _operation(name: str, key: str, limits: Limits, token: bool) -> Schema:
    row, prediction = ({"$ref": f"#/components/schemas/{key}_{what}"} for what in ("row", "prediction"))
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": limits.rows}
    wrapped = {"type": "object", "required": ["rows"], "properties": {"rows": rows}, "additionalProperties": False}
    answer = {
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": {"type": "array", "items": prediction}},
    }
    binary = {"schema": {"type": "string", "format": "binary"}}
    others = {form.value: {"schema": {"type": "string"}} if form is Format.csv else binary for form in Format}
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    content = {**others, Format.json: {"schema": answer}}
    answers: Schema = {"200": {"description": "A prediction for each row.", "content": content}}
    answers |= {str(status): {"description": about, "content": refused} for status, about in REFUSALS.items()}
    operation: Schema = {
        "operationId": f"predict_{key}",
        "summary": f"Predict rows with the model {name}",
        "parameters": [
            {"name": option, "in": "query", "description": about, "schema": schema, "example": example}
            for option, about, schema, example in OPTIONS
        ],
        "requestBody": {
            "required": True,
            "content": {**others, Format.json: {"schema": {"oneOf": [rows, wrapped]}}},
        },
        "responses": answers,
    }
    return {**operation, "security": [{"token": []}]} if token else operation


def row_schema(model: Model) -> Schema:
    """Return the schema of a row: every column with its type, and with its range or words in the training rows."""
    columns = model.schema.columns
    properties = {name: _column(column) for name, column in columns.items()}
    properties |= {name: {"description": "Not needed; it is ignored."} for name in sorted(model.schema.ignored)}
    required = [name for name in columns if name in model.schema.required]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _column(column: ColumnSchema) -> Schema:
    profile, null = column.profile, ["null"] if column.empty else []
    if column.kind == "number":
        schema: Schema = {"type": ["number", *(["boolean"] if column.boolean else []), *null]}
        if profile.get("min") is not None:
            schema["description"] = f"{profile['min']:g} to {profile['max']:g} in the training rows."
            schema["examples"] = [profile["min"], profile["max"]]
        return schema
    if column.kind == "date":
        schema = {"anyOf": [{"type": "string", "format": form} for form in ("date", "date-time")]}
        schema["anyOf"] += [{"type": "null"}] if null else []
        if profile.get("min") is not None:
            first, last = text_of(profile["min"]), text_of(profile["max"])
            schema |= {"description": f"{first} to {last} in the training rows.", "examples": [first, last]}
        return schema
    counts = profile.get("counts", {})
    if column.words is not None and len(column.words) <= MOST_WORDS:
        return {"enum": [*column.words, *([None] if null else [])]}
    schema = {"type": ["string", *null]}
    if counts:
        more = ", ..." if len(counts) > SHOWN or profile.get("others") else ""
        words = [*counts][:SHOWN]
        schema |= {"description": f"In the training rows: {', '.join(words)}{more}", "examples": words}
    return schema


def prediction_schema(predictor: Predictor) -> Schema:
    """Return the schema of a prediction; an interval and reasons add further columns."""
    encoder, labels = predictor.encoder, predictor.labels
    number: Schema = {"type": ["number", "null"]}
    if labels:
        kind = "probability" if predictor.config.loss.probabilistic else "score"
        share: Schema = {"type": "number", "minimum": 0, "maximum": 1} if kind == "probability" else {"type": "number"}
        properties: Schema = {"prediction": {"enum": list(encoder.classes or ())}}
        properties |= {f"{kind}_{label}": share for label in labels}
    elif encoder.pairs:
        pairs = dict(zip(encoder.targets, encoder.pairs, strict=True))
        properties = {f"prediction_{target}": {"enum": list(pair)} for target, pair in pairs.items()}
        properties |= {f"probability_{target}": {"type": "number", "minimum": 0, "maximum": 1} for target in pairs}
    else:
        targets = encoder.targets
        properties = {f"prediction_{target}" if len(targets) > 1 else "prediction": number for target in targets}
    return {"type": "object", "properties": properties, "required": [*properties]}
