"""The OpenAPI document: what each call may be answered with, read from what it asks and takes.

FastAPI writes down the successes. The refusals follow from the declarations: who asks for a key, a body or an
appointment can refuse for the want of one. An endpoint that can refuse in further ways says so in its `responses`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from fastapi import FastAPI

from api.problems import MEDIA_TYPE, Problem
from runtime.connectors.ministry import ProposalAnswered

_REFERENCE: Final = "#/components/schemas/Problem"
_METHODS: Final = frozenset({"get", "head", "post", "put", "patch", "delete", "options"})
_CHANGING: Final = frozenset({"post", "put", "patch", "delete"})

_ID: Final = "$response.body#/id"
_PROBLEM: Final[Mapping[str, Any]] = {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE}}}

_WORDS: Final[Mapping[int, str]] = {
    400: "The request cannot be read, or lacks a key that it needs.",
    401: "It is not known who is asking.",
    403: "Whoever asks may not do this, or somebody else has to.",
    404: "There is no such thing, or it lies outside your areas.",
    409: "Not possible as things stand; the code says why.",
    410: "It is no longer there.",
    412: "It has changed since the version that you hold.",
    413: "The body is too large.",
    415: "The body is of a type that is not understood.",
    416: "There are no such bytes.",
    422: "What was sent cannot be accepted; every field at fault is named.",
    423: "It is being looked at; ask again after `Retry-After`.",
    429: "Too many requests came; `Retry-After` says when to ask again.",
    460: "What arrived is not what was sent.",
    500: "A defect of this service.",
    503: "A passing fault; `Retry-After` says when to try again.",
}
"""What a refusal of each status says, wherever it stands."""

_TAGS: Final[Mapping[str, str]] = {
    "account": "Signing in and out, sessions, and who one is.",
    "updates": "Updates of households: submitted, listed, read, with their story and their trail.",
    "tasks": "Work lists, and what is late.",
    "acts": "What is done with a case and its tasks.",
    "minutes": "Minutes of village deliberations, and SPTJM: recorded once, deciding many cases.",
    "ground checks": "Looking in the field before a stage decides: asked for, reported on, corrected.",
    "evidence": "Files and papers behind an update; uploads that are resumed (tus 1.0.0).",
    "notifications": "What one was told.",
    "households": "The registry, masked.",
    "disclosure": "Clear values for a purpose, and who has read them.",
    "retention": "What is kept longer than its period, and why.",
    "rights": "What a person may ask for: all that is held on them, an objection, erasure.",
    "areas": "The tree of areas.",
    "kinds": "The kinds of update, and what each needs.",
    "deadlines": "When something would be due.",
    "clocks": "Suspensions, outages and calendars: what moves the deadlines of an area.",
    "evaluations": "Evaluations: indicators of a time that is over, and what each number was made of.",
    "rounds": "Update rounds: the calendar of a regency's period, and what counts for it.",
    "research": "What villages are sent back for; whole rounds as a log in which nobody is recognised.",
    "policies": "The rules of an area, version by version.",
    "people": "Accounts, appointments, offices, leaves and keys.",
    "partners": "Where partners call back.",
    "public": "What anybody may read.",
    "operations": "For those who run the service.",
}
"""What each group of calls is about."""

_HEADERS: Final[Mapping[str, Mapping[str, str]]] = {
    "201": {"Location": "Where it is now"},
    "401": {"WWW-Authenticate": "How to say who is asking (RFC 6750)"},
    "429": {"Retry-After": "Seconds after which to ask again"},
    "503": {"Retry-After": "Seconds after which to try again"},
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses` of an endpoint that refuses in ways which its declarations do not show."""
    return {status: {"description": _WORDS[status], "content": _PROBLEM} for status in statuses}


PENDING: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "description": "Accepted; the outcome is not known yet. Ask again with the same Idempotency-Key.",
        "content": _PROBLEM,
    },
}
"""For `responses` of an act that the engine carries out."""


def describe(app: FastAPI) -> FastAPI:
    """The same application, whose document names every refusal and the media type of problems."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            for schema in _with_problem(document).values():
                _require_tags(schema, document)
            for path, method, operation in _operations(document):
                _describe(operation, path=path, method=method)
                _link(operation, path=path, document=document)
            document["tags"] = [{"name": name, "description": words} for name, words in _TAGS.items()]
        return cast("dict[str, Any]", app.openapi_schema)

    app.openapi = openapi
    return app


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in _METHODS:
                yield path, method, operation


def _with_problem(document: dict[str, Any]) -> dict[str, Any]:
    """The schemas of the document, with those that FastAPI does not know; its own form of a refusal is never sent."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for model in (Problem, ProposalAnswered):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(cast("dict[str, Any]", schema.pop("$defs")))
        schemas[model.__name__] = schema
    return schemas


def _require_tags(schema: Any, document: Mapping[str, Any]) -> None:
    """A member of a union that is told apart by a field has to have that field, whatever its default is."""
    if isinstance(schema, list):
        for each in cast("list[Any]", schema):
            _require_tags(each, document)
    elif isinstance(schema, dict):
        here = cast("dict[str, Any]", schema)
        told_by = cast("Mapping[str, Any]", here.get("discriminator", {}))
        for reference in told_by.get("mapping", {}).values():
            _require(document["components"]["schemas"][reference.rpartition("/")[2]], told_by["propertyName"])
        for each in here.values():
            _require_tags(each, document)


def _require(schema: dict[str, Any], name: str) -> None:
    required: list[str] = schema.setdefault("required", [])
    if name not in required:
        required.append(name)


def _describe(operation: dict[str, Any], *, path: str, method: str) -> None:
    answers: dict[str, Any] = operation["responses"]
    for status in _refused(operation, path=path, method=method):
        answers.setdefault(str(status), {"description": _WORDS[status]})
    for status, answer in answers.items():
        if status[0] in "45":
            _answer_with_problem(answer)
        for name, words in _HEADERS.get(status, {}).items():
            answer.setdefault("headers", {})[name] = {"description": words, "schema": {"type": "string"}}
    operation["responses"] = dict(sorted(answers.items()))


def _link(operation: dict[str, Any], *, path: str, document: Mapping[str, Any]) -> None:
    """From what makes a thing to what reads it and its parts (OpenAPI 3.1, 4.8.20), by the id in the answer."""
    made = operation["responses"].get("201", {})
    if "application/json" not in made.get("content", {}):
        return
    for there, methods in document["paths"].items():
        below = there.removeprefix(f"{path}/")
        names = re.findall(r"\{(\w+)\}", there)
        if "get" in methods and below != there and below.startswith("{") and len(names) == 1:
            target = methods["get"]["operationId"]
            made.setdefault("links", {})[target] = {"operationId": target, "parameters": {names[0]: _ID}}


def _answer_with_problem(answer: dict[str, Any]) -> None:
    content = answer.get("content", {})
    schema = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    if not content or schema in {_REFERENCE, "#/components/schemas/HTTPValidationError"}:
        answer["content"] = dict(_PROBLEM)


def _refused(operation: Mapping[str, Any], *, path: str, method: str) -> Iterator[int]:
    """The statuses with which a call can be refused, by what it declares."""
    parameters = operation.get("parameters", [])
    headers = {parameter["name"].lower() for parameter in parameters if parameter["in"] == "header"}
    takes_body = "requestBody" in operation
    yield from (429, 500, 503)
    if takes_body:
        yield from (400, 413, 415)
    elif "idempotency-key" in headers:
        yield 400
    if parameters or takes_body:
        yield 422
    if "security" in operation:
        yield from (401, 403)
        if parameters or takes_body:
            yield 404
        if method in _CHANGING:
            yield 409
    elif "{" in path:
        yield 404
    if "if-match" in headers:
        yield 412
