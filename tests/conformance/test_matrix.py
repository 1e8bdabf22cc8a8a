"""Every endpoint, asked in every role over its own area, the area above and another one, and by nobody.

The answer of each cell follows from the declaration of the endpoint and from the table of permissions alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from itertools import count
from typing import Any, cast

import pytest
from fastapi import FastAPI

from api.access import Access, declared_access
from api.deps import Anyone, Requires, SignedIn
from devstack.demo_people import CIKUBANG
from domain.authority import NATION, PERMISSIONS, covers
from domain.ids import new_id
from domain.vocabulary import Role
from tests.api.people.staff import Staff
from tests.conformance.things import Things
from tests.conformance.walk import REGENCY, VILLAGE, WALK, Of, Step

pytestmark = pytest.mark.embedded

_numbers = count(1)
_NAMED = {
    "/public/track/": ("code", "tracking_code"),
    "/v1/data-subject-requests": ("request_id", "rights_request_id"),
    "/v1/suspensions/": ("order_id", "suspension_id"),
    "/v1/outages/": ("order_id", "outage_id"),
}
"""Where a name of the path stands for another thing."""
_ROWS = (
    "update_id",
    "task_id",
    "household_id",
    "request_id",
    "user_id",
    "membership_id",
    "upload_id",
    "key_id",
    "rights_request_id",
    "match_id",
)


_SHOWN_TO_THE_REGENCY = ("draft_id", "comment_id", "round_id", "evaluation_id")


class Place(Enum):
    """Where a seat is, seen from the village of the thing."""

    OWN = "the village"
    ABOVE = "its regency"
    NEXT = "the village next to it"
    FAR = "a village of another regency"


AREAS = {Place.OWN: VILLAGE, Place.ABOVE: REGENCY, Place.NEXT: CIKUBANG, Place.FAR: "32.07.01.2001"}


class Answer(StrEnum):
    """What an answer says of the caller's authority."""

    UNKNOWN = "who are you"
    NOT_ALLOWED = "none of your roles allows this"
    NOT_THERE = "not found"
    WITHOUT = "a list without it"
    REACHED = "reached"


@dataclass(frozen=True, slots=True)
class Cell:
    """One question: which endpoint, in which role, from where."""

    endpoint: str
    role: Role | None
    place: Place | None

    @property
    def username(self) -> str:
        return f"{self.role}.{self.place and self.place.name.lower()}"


def expected(access: Access, step: Step, cell: Cell) -> Answer:
    """What the declarations make of a cell."""
    if isinstance(access, Anyone):
        return Answer.REACHED
    if cell.role is None:
        return Answer.UNKNOWN
    held = PERMISSIONS[cell.role]
    if isinstance(access, Requires) and access.permission not in held:
        return Answer.NOT_ALLOWED
    within = _within(step, cell) and (step.of is not Of.SELF or step.looked_after in held)
    if step.of is Of.ALL or within:
        return Answer.REACHED
    return Answer.WITHOUT if step.of is Of.ROWS else Answer.NOT_THERE


def _within(step: Step, cell: Cell) -> bool:
    """Whether the seat is over the thing, or below it where that is enough."""
    seat = AREAS[cell.place] if cell.place else NATION
    return covers(seat, step.over) or (step.below and covers(step.over, seat))


async def asked(staff: Staff, cell: Cell, step: Step, things: Things) -> Any:
    """The answer to a cell's request."""
    method, _, template = cell.endpoint.partition(" ")
    values = dict(things) | {"number": str(next(_numbers)), "key": str(new_id())}
    values["soon"] = (staff.clock.at + timedelta(days=30)).isoformat()
    values |= {name: values[thing] for start, (name, thing) in _NAMED.items() if template.startswith(start)}
    path = template.format(**values) + (f"?{step.query.format(**values)}" if step.query else "")
    headers = {name: value.replace("{key}", values["key"]) for name, value in step.headers.items()}
    signed = {} if cell.role is None else staff.signed(cell.username)
    return await staff.client.request(
        method, path, json=_filled(step.body, values), data=step.form, headers=headers | signed
    )


def _filled(body: Any, values: Mapping[str, str]) -> Any:
    """The body with the ids in it."""
    if isinstance(body, str):
        return values[body[1:-1]] if body.startswith("{") else body.replace("{number}", values["number"])
    if isinstance(body, dict):
        return {name: _filled(value, values) for name, value in cast("dict[str, Any]", body).items()}
    if isinstance(body, list):
        return [_filled(value, values) for value in cast("list[Any]", body)]
    return body


def told(response: Any, access: Access, things: Things, wanted: Answer, place: Place | None) -> str:
    """What an answer says; what it says besides, where no cell may say that."""
    match response.status_code:
        case 500:
            return "a defect"
        case 401 | 404 if not isinstance(access, Anyone):
            return Answer.UNKNOWN if response.status_code == 401 else Answer.NOT_THERE
        case 403 if not response.content or "None of your roles allows" in response.json()["detail"]:
            return Answer.NOT_ALLOWED
        case 200 if wanted is Answer.WITHOUT:
            shown = [name for name in _rows(place) if things[name] in response.text]
            return f"a list with {shown}" if shown else Answer.WITHOUT
        case _:
            return Answer.REACHED


def _rows(place: Place | None) -> Sequence[str]:
    """What no list may show there; what is shown to the whole regency stays out of another one only."""
    return (*_ROWS, *_SHOWN_TO_THE_REGENCY) if place is Place.FAR else _ROWS


def test_every_endpoint_says_whom_it_answers_and_is_walked(app: FastAPI) -> None:
    declared = declared_access(app.routes)
    assert {endpoint: access for endpoint, access in declared.items() if len(access) != 1} == {}
    assert sorted(declared) == sorted(WALK)


async def test_every_endpoint_answers_every_role_as_the_table_of_permissions_says(
    app: FastAPI, staff: Staff, things: Things
) -> None:
    cells = [Cell("", role, place) for role in Role for place in Place]
    for cell in cells:
        assert cell.role is not None
        assert cell.place is not None
        await staff.hire(cell.username, cell.role, AREAS[cell.place])
    wrong: list[str] = []
    for endpoint, (access,) in _last_sign_out(declared_access(app.routes)):
        step, reached = WALK[endpoint], False
        for cell in _cells_of(endpoint, access):
            wanted = expected(access, step, cell)
            if wanted is Answer.REACHED and step.once and reached:
                continue
            reached = reached or wanted is Answer.REACHED
            response = await asked(staff, cell, step, things)
            found = told(response, access, things, wanted, cell.place)
            if found != wanted:
                wrong.append(f"{endpoint} {cell.role} {cell.place}: {found}, not {wanted}: {response.text[:300]}")
    assert wrong == [], "\n".join(wrong)


def _cells_of(endpoint: str, access: Access) -> Iterator[Cell]:
    """Nobody, and every role: from everywhere where it may ask at all, else from the village, where it is most at home.

    A public endpoint is the same to everybody, and is asked by nobody only.
    """
    yield Cell(endpoint, None, None)
    for role in () if isinstance(access, Anyone) else Role:
        may = isinstance(access, SignedIn) or (isinstance(access, Requires) and access.permission in PERMISSIONS[role])
        for place in Place if may else (Place.OWN,):
            yield Cell(endpoint, role, place)


def _last_sign_out(declared: Mapping[str, tuple[Access, ...]]) -> Sequence[tuple[str, tuple[Access, ...]]]:
    """Signing out everywhere ends the sessions in which all the others are asked."""
    return sorted(declared.items(), key=lambda each: each[0] == "DELETE /v1/auth/sessions")
