"""No text of a request reaches PostgreSQL with a NUL in it, which no column can hold, or without a bound."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.app import create_app
from domain.policy import Policy
from tests.api.conftest import Office, settings_for
from tests.scene import Scene

NEVER_STORED = {
    "form.password": "its hash is compared, in this process",
    "form.refresh_token": "only its digest is looked for",
    "form.token": "only its digest is looked for",
    "form.token_type_hint": "nobody reads it",
    "query.cursor": "opened, and checked by the list that it is of",
    "if_match": "read as versions",
    "if_none_match": "compared with an ETag",
    "if_range": "compared with an ETag",
    "wanted": "read as a range of bytes",
    "tus_resumable": "compared with a version",
    "upload_metadata": "opened, and read as an UploadInput",
    "upload_checksum": "read as a digest",
    "method": "compared with a method",
    "request.change.kk_number": "`domain.identity` refuses what is no number of a card",
    "request.change.nik": "`domain.identity` refuses what is no NIK",
    "request.change.member.nik": "the same",
    "request.change.members.nik": "the same",
    "repair.change.kk_number": "the same",
    "repair.change.nik": "the same",
    "repair.change.member.nik": "the same",
    "repair.change.members.nik": "the same",
    "question.pauses.note": "given back, not stored",
    "question.credits.note": "given back, not stored",
    "code": "what is no code is no code that was given out",
    "body.issuer": "compared with the issuers of the settings",
    "sealed.payloads.metadata": "opened and given back, not stored",
    "sealed.payloads.data": "opened and given back, not stored",
    "body.policy": "read as a `Policy`, whose texts are looked at below",
}
"""Texts that reach no column, and why."""
LONGEST = 4096

Leaf = tuple[str, Any]


def texts(name: str, annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[Leaf]:
    """The texts that a value of this type holds, by their fields, each with its own type."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from texts(name, inner[0], (*inner[1:], *metadata))
    elif origin in {Union, UnionType}:
        for each in inner:
            yield from texts(name, each, metadata)
    elif origin in {list, tuple, set, frozenset, dict}:
        for each in inner:
            yield from texts(name, each)
    elif annotation is str:
        yield name, Annotated[str, *metadata] if metadata else str
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for field_name, field in annotation.model_fields.items():
            yield from texts(f"{name}.{field_name}", field.annotation, tuple(field.metadata))


def parameters(dependant: Dependant) -> Iterator[Leaf]:
    for field in (*dependant.path_params, *dependant.query_params, *dependant.header_params, *dependant.body_params):
        yield from texts(field.name, field.field_info.annotation, tuple(field.field_info.metadata))
    for each in dependant.dependencies:
        yield from parameters(each)


def carried(app: FastAPI) -> dict[str, Any]:
    """Every text that a request to one of the addresses may carry."""
    found: dict[str, Any] = {}
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            for name, annotation in parameters(route.dependant):
                found[f"{min(route.methods or ())} {context.path} {name}"] = annotation
    return found


def takes(annotation: Any, text: str) -> bool:
    try:
        TypeAdapter(annotation).validate_python(text)
    except ValidationError:
        return False
    return True


def takes_nul(annotation: Any) -> bool:
    """Whether a text with a NUL is accepted, at the beginning, inside, or after something that would be."""
    likely = ("", "a", "kunci", "32.06", "*", "siti@desa.example", "3206134101900001", "operator.taraju", "T-1")
    return any(takes(annotation, text) for it in likely for text in (f"{it}\0", f"\0{it}", f"{it}\0{it}"))


@pytest.fixture
def app(scene: Scene) -> FastAPI:
    return create_app(settings_for(scene))


def test_no_text_of_a_request_carries_a_nul_or_is_without_a_bound(app: FastAPI) -> None:
    found = carried(app)
    assert len(found) > 40, "the walk goes past every address"
    named = {name.rpartition(" ")[2] for name in found}
    assert set(NEVER_STORED) <= named, "an exception that is none any more"
    kept = {name: kind for name, kind in found.items() if name.rpartition(" ")[2] not in NEVER_STORED}
    assert [name for name, kind in kept.items() if takes_nul(kind)] == []
    assert [name for name, kind in kept.items() if takes(kind, "a" * LONGEST)] == []


def test_no_text_of_a_policy_carries_a_nul_or_is_without_a_bound() -> None:
    found = dict(texts("policy", Policy))
    assert len(found) > 5
    assert [name for name, kind in found.items() if takes_nul(kind)] == []
    assert [name for name, kind in found.items() if takes(kind, "a" * LONGEST)] == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/users", {"q": "a\0"}),
        ("/v1/users", {"area": "32.06\0"}),
        ("/v1/offices", {"area": "32.06,*"}),
        ("/v1/updates", {"q": "\0"}),
        ("/v1/areas", {"parent": "\0"}),
        ("/v1/areas/%00", {}),
    ],
)
async def test_what_no_column_can_hold_is_a_problem_of_the_sender(
    office: Office, path: str, query: dict[str, str]
) -> None:
    desk = await office.desk_of("admin" if path in {"/v1/users", "/v1/offices"} else "kadis")
    answer = await desk.get(path, params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_cursor_with_a_nul_is_none_of_the_list(office: Office) -> None:
    answer = await (await office.desk_of("kadis")).get("/v1/areas", params={"cursor": "WyJcdTAwMDAiXQ"})
    assert (answer.status_code, answer.json()["code"]) == (404, "cursor_unknown")
