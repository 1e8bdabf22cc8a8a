"""The civil registry partner (stands in for Dukcapil): an exact match of one person at a time."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.partners.fault_middleware import UNTRUE
from devstack.partners.faults import Faults
from devstack.partners.persons import Person, PersonPatch, Persons, PersonStore, SixteenDigits
from devstack.partners.serve import Partner, partner
from devstack.partners.wire import BadBodyError, json_model, problem, read_body

Result = Literal["matched", "mismatched", "not_found", "deceased"]


class MatchQuery(BaseModel):
    """What the caller holds of a person."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    nik: SixteenDigits
    kk_number: SixteenDigits | None = None
    name: str = Field(min_length=1, max_length=200)
    birth_date: date
    sex: Literal["female", "male"]


class MatchAnswer(BaseModel):
    """Whether it is what is registered; `fields` names what differs."""

    result: Result
    fields: tuple[str, ...] = ()
    checked_at: datetime


def same_text(one: str, other: str) -> bool:
    """Whether two names are the same but for letter case, spaces and Unicode form; nothing looser."""
    return _normalised(one) == _normalised(other)


def compare(query: MatchQuery, person: Person | None) -> tuple[Result, tuple[str, ...]]:
    """Match a query against the person registered under its NIK.

    Who someone is comes before whether they live: a dead person is `deceased` only when all fields agree.
    """
    if person is None:
        return "not_found", ()
    same = {
        "kk_number": query.kk_number in {None, person.kk_number},
        "name": same_text(query.name, person.name),
        "birth_date": query.birth_date == person.birth_date,
        "sex": query.sex == person.sex,
    }
    differing = tuple(field for field, agrees in same.items() if not agrees)
    if differing:
        return "mismatched", differing
    return ("matched" if person.deceased_on is None else "deceased"), ()


def civil_registry(*, token: str, admin_token: str, path: Path | None = None) -> Partner:
    """Build the partner; `path` is the SQLite file that keeps the persons, without one they are forgotten."""
    endpoints = _CivilRegistry(PersonStore(path))
    return partner(
        routes=endpoints.routes(),
        lifespan=endpoints.lifespan,
        token=token,
        admin_token=admin_token,
        faults=Faults(),
    )


class _CivilRegistry:
    def __init__(self, store: PersonStore) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        return [
            Route("/v1/match", self.match, methods=["POST"]),
            Route("/admin/persons", self.count, methods=["GET"]),
            Route("/admin/persons", self.put, methods=["PUT"]),
            Route("/admin/persons", self.clear, methods=["DELETE"]),
            Route("/admin/persons/{nik}", self.show, methods=["GET"]),
            Route("/admin/persons/{nik}", self.patch, methods=["PATCH"]),
            Route("/healthz", self.count, methods=["GET"]),
        ]

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        yield
        self._store.close()

    async def match(self, request: Request) -> Response:
        query = await read_body(request, MatchQuery)
        result, fields = compare(query, self._store.get(query.nik))
        if getattr(request.state, UNTRUE, False):
            result, fields = ("mismatched", ("name",)) if result == "matched" else ("matched", ())
        return json_model(MatchAnswer(result=result, fields=fields, checked_at=datetime.now(UTC)))

    async def count(self, _request: Request) -> Response:
        return JSONResponse({"persons": self._store.count()})

    async def put(self, request: Request) -> Response:
        self._store.put((await read_body(request, Persons)).root)
        return await self.count(request)

    async def clear(self, request: Request) -> Response:
        self._store.clear()
        return await self.count(request)

    async def show(self, request: Request) -> Response:
        person = self._store.get(request.path_params["nik"])
        return _unknown_person() if person is None else json_model(person)

    async def patch(self, request: Request) -> Response:
        person = self._store.get(request.path_params["nik"])
        if person is None:
            return _unknown_person()
        change = (await read_body(request, PersonPatch)).root
        if change.get("nik", person.nik) != person.nik:
            return problem(422, code="invalid_input", detail="A person keeps their NIK.")
        try:
            person = Person.model_validate({**person.model_dump(), **change})
        except ValidationError as error:
            raise BadBodyError(error) from None
        self._store.put([person])
        return json_model(person)


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


def _unknown_person() -> Response:
    return problem(404, code="not_found", detail="No such person is registered.")
