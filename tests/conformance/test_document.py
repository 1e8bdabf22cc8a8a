"""The OpenAPI document: right by its own specification, and whole about refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.access import declared_access
from api.deps import Anyone

pytestmark = pytest.mark.embedded

PROBLEM = "application/problem+json"


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_document_is_right_by_the_specification_it_names(document: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(cast("Any", document)).iter_errors()] == []


def test_operations_are_told_apart_and_put_in_order(document: dict[str, Any]) -> None:
    ids = Counter(operation["operationId"] for _, operation in operations(document))
    assert [name for name, times in ids.items() if times > 1] == []
    described = {tag["name"] for tag in document["tags"]}
    assert [name for name, operation in operations(document) if not set(operation["tags"]) <= described] == []
    assert [name for name, operation in operations(document) if not operation.get("description")] == []


def test_who_has_to_sign_in_is_told_by_the_document_as_by_the_code(app: FastAPI, document: dict[str, Any]) -> None:
    declared = declared_access(app.routes)
    for name, operation in operations(document):
        (access,) = declared[name]
        assert bool(operation.get("security")) is not isinstance(access, Anyone), name
        assert ({"401", "403"} <= set(operation["responses"])) >= bool(operation.get("security")), name


def test_every_refusal_is_a_problem(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        answers = operation["responses"]
        assert {"429", "500", "503"} <= set(answers), name
        assert not [status for status in answers if "X" in status.upper() or status == "default"], name
        for status, answer in answers.items():
            if status[0] in "45" and (name, status) != ("GET /readyz", "503"):
                assert set(answer["content"]) == {PROBLEM}, (name, status)


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    shown = list(_examples(document))
    assert len(shown) > 3
    for schema in shown:
        bounded = {key: value for key, value in schema.items() if key not in {"examples", "example"}}
        validator = cast("Any", Draft202012Validator)({**bounded, "components": document["components"]})
        for example in schema["examples"]:
            assert validator.is_valid(example), schema


def _examples(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        here = cast("dict[str, Any]", node)
        if isinstance(here.get("examples"), list):
            yield here
        for each in here.values():
            yield from _examples(each)
    elif isinstance(node, list):
        for each in cast("list[Any]", node):
            yield from _examples(each)


def test_what_was_made_is_linked_to_where_it_is_read(document: dict[str, Any]) -> None:
    ids = {operation["operationId"] for _, operation in operations(document)}
    linked = {
        name: [link["operationId"] for link in operation["responses"]["201"]["links"].values()]
        for name, operation in operations(document)
        if "links" in operation["responses"].get("201", {})
    }
    assert {"POST /v1/updates", "POST /v1/users", "POST /v1/delegations"} <= set(linked)
    assert all(set(targets) <= ids for targets in linked.values())
