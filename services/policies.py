"""Policies: published as numbered versions that never change, read, and compared. Open cases keep theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import PolicyVersion
from db.repositories import trail
from db.repositories.trail import SYSTEM, Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Actor, Permission
from domain.errors import InvalidInput, NotFound, Violation
from domain.ids import new_id
from domain.policy import Policy, canonical_json, parse_policy
from services.kawal import Kawal
from services.keyed import Call, once
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.view import View


class PolicySummary(View):
    """A version of a policy, without its rules."""

    id: UUID
    area_code: str
    number: int
    name: str
    digest: str
    published_by: UUID | None
    published_at: datetime
    effective_at: datetime


class PolicyDocument(PolicySummary):
    """A version of a policy with all its rules."""

    document: dict[str, JsonValue]


class PolicyDifference(View):
    """One value that differs; entries of named lists stand under their name: `/stages/approval/deadline`."""

    pointer: str
    before: JsonValue
    after: JsonValue


ROUTE: Final = "POST /v1/policies"

_SUMMARY: Final = (
    PolicyVersion.id,
    PolicyVersion.area_code,
    PolicyVersion.number,
    PolicyVersion.document["name"].astext.label("name"),
    PolicyVersion.digest,
    PolicyVersion.published_by,
    PolicyVersion.published_at,
    PolicyVersion.effective_at,
)
_NAMES: Final = ("stage", "code", "name", "remoteness")
"""What an entry of a policy's list is called by."""


class PolicyRequest(BaseModel):
    """What is asked for: a policy, and from when on it is to hold."""

    model_config = ConfigDict(frozen=True)

    policy: Policy
    effective_at: datetime | None


@dataclass(frozen=True, slots=True)
class Published:
    """The version that was published, and whether the request was a repeat."""

    version: PolicySummary
    replayed: bool


async def publish(kawal: Kawal, call: Call, data: object, *, effective_at: datetime | None) -> Published:
    """Publish what decoded JSON describes as the next version for its area, from `effective_at` on or at once.

    Once for each key: a repeat has the answer of the first time, whatever has been published since. Raises
    InvalidInput naming every rule it breaks, NotFound for an area outside the actor's, Forbidden,
    IdempotencyKeyReused.
    """
    late = _late(effective_at, at=call.at)
    request = PolicyRequest(policy=_parse(data, beside=late), effective_at=effective_at)
    seat = call.actor.seat_for(Permission.POLICIES_PUBLISH, area_code=request.policy.area_code)
    by = Doer.of(call.actor, seat)
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:

        async def add() -> PolicySummary:
            if late:
                raise InvalidInput(late)
            begins = effective_at or call.at
            version_id = await add_version(connection, request.policy, at=call.at, effective_at=begins, by=by)
            row = (await connection.execute(select(*_SUMMARY).where(PolicyVersion.id == version_id))).one()
            return _summary(row)

        summary, replayed = await once(
            connection,
            call,
            request,
            add,
            answer=PolicySummary,
            route=ROUTE,
            vault=kawal.vault,
        )
    return Published(summary, replayed=replayed)


async def add_version(
    connection: AsyncConnection,
    policy: Policy,
    *,
    at: datetime,
    effective_at: datetime,
    by: Doer = SYSTEM,
) -> UUID:
    """Write a valid policy as the next version of its area, with its trail. Publications for an area take turns."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(_stream(policy), 0))))
    newest = select(func.max(PolicyVersion.number)).where(PolicyVersion.area_code == policy.area_code)
    number = ((await connection.scalar(newest)) or 0) + 1
    digest = hashlib.sha256(canonical_json(policy).encode()).hexdigest()
    version_id = new_id()
    await connection.execute(
        insert(PolicyVersion).values(
            id=version_id,
            area_code=policy.area_code,
            number=number,
            document=policy.model_dump(mode="json"),
            digest=digest,
            published_by=by.user_id,
            published_at=at,
            effective_at=effective_at,
        ),
    )
    data: dict[str, JsonValue] = {
        "version": str(version_id),
        "number": number,
        "digest": digest,
        "effective_at": effective_at.isoformat(),
    }
    entry = Entry(type=AuditType.POLICY_PUBLISHED, by=by, data=data)
    await trail.record(connection, _stream(policy), [entry], at=at, area_code=policy.area_code)
    return version_id


def _stream(policy: Policy) -> str:
    return f"policy:{policy.area_code}"


def _parse(data: object, *, beside: list[Violation]) -> Policy:
    """The policy. Raises InvalidInput with what is wrong with it and what is wrong `beside` it."""
    try:
        return parse_policy(data)
    except InvalidInput as refusal:
        found = [item.model_copy(update={"pointer": f"/policy{item.pointer}"}) for item in refusal.violations]
        raise InvalidInput(beside + found) from None


def _late(effective_at: datetime | None, *, at: datetime) -> list[Violation]:
    if effective_at is None or effective_at >= at:
        return []
    return [
        Violation(
            pointer="/effective_at",
            code="effective_in_the_past",
            detail="A policy cannot take effect before it is published.",
            remedy="Name a moment to come, or leave it out to publish at once.",
        ),
    ]


async def list_policies(
    kawal: Kawal,
    actor: Actor,
    page: PageOf[ByAge],
    *,
    area_code: str | None = None,
) -> Slice[PolicySummary, ByAge]:
    """The published versions, newest first; those of one area if one is named."""
    wanted = select(*_SUMMARY).order_by(PolicyVersion.id.desc()).limit(page.limit + 1)
    if area_code is not None:
        wanted = wanted.where(PolicyVersion.area_code == area_code)
    if page.after is not None:
        wanted = wanted.where(PolicyVersion.id < page.after.id)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        rows = (await connection.execute(wanted)).all()
    shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
    return Slice([_summary(row) for row in shown], after)


async def read_policy(kawal: Kawal, actor: Actor, version_id: UUID) -> PolicyDocument:
    """A version with all its rules. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        return await _read(connection, version_id)


async def read_policy_in_force(kawal: Kawal, actor: Actor, area_code: str) -> PolicyDocument:
    """The version with which an update of this area would begin now. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        in_force = await kawal.rules.policy_in_force(connection, area_code, at=kawal.now())
        return await _read(connection, in_force.id)


async def compare_policies(kawal: Kawal, actor: Actor, version_id: UUID, *, other: UUID) -> list[PolicyDifference]:
    """What changed from the version `other` to this one. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        before, after = await _read(connection, other), await _read(connection, version_id)
    old, new = dict(_leaves(before.document)), dict(_leaves(after.document))
    return [
        PolicyDifference(pointer=pointer, before=old.get(pointer), after=new.get(pointer))
        for pointer in dict.fromkeys([*old, *new])
        if old.get(pointer) != new.get(pointer)
    ]


async def _read(connection: AsyncConnection, version_id: UUID) -> PolicyDocument:
    wanted = select(*_SUMMARY, PolicyVersion.document).where(PolicyVersion.id == version_id)
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        raise NotFound(f"There is no policy version {version_id}.")
    return PolicyDocument(**_summary(row).model_dump(), document=row.document)


def _summary(row: Row[*tuple[Any, ...]]) -> PolicySummary:
    return PolicySummary(
        id=row.id,
        area_code=row.area_code,
        number=row.number,
        name=row.name,
        digest=row.digest,
        published_by=row.published_by,
        published_at=row.published_at,
        effective_at=row.effective_at,
    )


def _leaves(value: JsonValue, pointer: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Every value that holds no further one, by its place; lists of plain values are compared whole."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from _leaves(inner, f"{pointer}/{name}")
        case list() if any(isinstance(item, dict) for item in value):
            for position, item in enumerate(value):
                yield from _leaves(item, f"{pointer}/{_name_of(item) or position}")
        case _:
            yield pointer, value


def _name_of(item: JsonValue) -> str | None:
    if not isinstance(item, dict):
        return None
    called = cast("Iterator[JsonValue]", (item[name] for name in _NAMES if name in item))
    return next((str(name) for name in called), None)
