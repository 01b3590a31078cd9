"""The description of the server, judged by a JSON Schema validator and by Schemathesis."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from tests.serve.house import CITIES, House, rows_of

FEW = {GenerationMode.POSITIVE: 20, GenerationMode.NEGATIVE: 100}
MANY = 10_000
# A schema cannot say that an offset from UTC has a most, or how large a number may be before float32 cannot hold it.
BEYOND_SCHEMAS = re.compile("offset from UTC|within the range of float32|finite number")
JUDGED = [check for check in CHECKS.get_all() if check.__name__ != "positive_data_acceptance"]


def row_schema(house: House, number: int) -> Any:
    return house.ask("/openapi.json").json["components"]["schemas"][f"model_{number}_row"]


def test_the_columns_are_described_as_they_were_trained(house: House) -> None:
    schema = row_schema(house, 0)
    assert schema["required"] == ["size", "rooms", "city", "sold"]
    columns = schema["properties"]
    assert columns["city"] == {"enum": sorted(CITIES)}
    assert columns["rooms"]["type"] == ["number", "null"]
    assert columns["rooms"]["description"] == "1 to 6 in the training rows."
    assert {one["format"] for one in columns["sold"]["anyOf"]} == {"date", "date-time"}
    assert {"price", "dear"} <= columns.keys()
    described = house.ask("/openapi.json").json
    assert {"/predict", "/models/flats/predict", "/models/dear/predict", "/health", "/metrics"} <= described[
        "paths"
    ].keys()
    answers = described["components"]["schemas"]["model_1_prediction"]
    assert answers["properties"]["prediction"] == {"enum": ["no", "yes"]}
    for number, model in enumerate(("flats", "dear")):
        answer = house.ask(f"/models/{model}/predict?interval=0.8", rows_of(3)).json["predictions"]
        jsonschema.validate(answer, {"items": described["components"]["schemas"][f"model_{number}_prediction"]})


def test_rows_are_valid_where_they_are_answered(house: House) -> None:
    validator = jsonschema.Draft202012Validator(row_schema(house, 0))
    row = rows_of(1)[0]
    wrong: list[dict[str, Any]] = [
        {"size": "1"},
        {"size": True},
        {"city": "Paris"},
        {"city": None},
        {"x": 1},
        {"sold": 5},
    ]
    fine: list[dict[str, Any]] = [{}, {"rooms": None}, {"size": 1}, {"city": "Oslo"}, {"price": "?"}]
    for changes, valid in [*((one, False) for one in wrong), *((one, True) for one in fine)]:
        assert validator.is_valid({**row, **changes}) == valid, changes
        assert (house.ask("/predict", [{**row, **changes}]).status == 200) == valid, changes


def asked(house: House, mode: GenerationMode, examples: int) -> Counter[tuple[str | None, int]]:
    """Let Schemathesis ask, and count the answers by media type and status."""
    schema: Any = schemathesis.openapi.from_asgi("/openapi.json", house.application)
    seen = Counter[tuple[str | None, int]]()

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
    @given(schema["/predict"]["POST"].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        assume([] not in (case.query or {}).values())  # an option that would be wrong, but is not sent
        response = case.call()
        seen[case.media_type, response.status_code] += 1
        case.validate_response(response, checks=JUDGED)
        if mode is GenerationMode.POSITIVE and case.media_type == "application/json":
            assert response.status_code == 200 or BEYOND_SCHEMAS.search(response.text)
        elif mode is GenerationMode.NEGATIVE:
            assert 400 <= response.status_code < 500

    try:
        ask()
    except FailureGroup as found:  # its own text does not name what failed
        raise AssertionError("\n".join(map(str, found.exceptions))) from None
    return seen


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_schemathesis_finds_no_fault(house: House, mode: GenerationMode) -> None:
    seen = asked(house, mode, FEW[mode])
    assert sum(seen.values()) >= FEW[mode]
    assert all(status < 500 for _, status in seen)


@pytest.mark.slow
def test_ten_thousand_malformed_requests_are_refused(house: House) -> None:
    seen = asked(house, GenerationMode.NEGATIVE, MANY)
    assert sum(seen.values()) >= MANY
    assert {status // 100 for _, status in seen} == {4}
    assert len(seen) >= 3
