"""Versions of policies: read, listed with what became of them, and compared. Open cases keep theirs."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import Field, JsonValue
from sqlalchemy import Row, and_, case, exists, func, insert, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from db.models import PolicyTurn, PolicyVersion
from db.repositories import trail
from db.repositories.policies import lock_line, stream_of_policy
from db.repositories.trail import SYSTEM, Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Actor
from domain.consultation import EMERGENCIES, EmergencyReason, Turn
from domain.errors import InvalidInput, NotFound, Violation
from domain.ids import new_id
from domain.policy import Policy, canonical_json, parse_policy
from domain.policy.comparison import Difference, compare
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.view import Text, View


class Emergency(View):
    """Why a version was published without waiting for its consultation, and until when it holds unconfirmed."""

    reason: EmergencyReason
    words: Text
    note: str | None
    ends_at: datetime
    confirmed_by: UUID | None = Field(description="The version that confirmed it after its consultation")


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
    state: Literal["scheduled", "in_force", "replaced", "lapsed", "revoked"]
    draft_id: UUID | None = Field(description="Where it was consulted on; null for the first version of an area")
    emergency: Emergency | None
    revoked_at: datetime | None


class PolicyDocument(PolicySummary):
    """A version of a policy with all its rules."""

    document: dict[str, JsonValue]


class EmergencyTerms(View):
    """What makes a version one of an emergency."""

    reason: EmergencyReason
    note: str
    ends_at: datetime


class Origin(View):
    """The revision of a draft that a version is."""

    draft_id: UUID
    revision: int
    emergency: EmergencyTerms | None = None


async def add_version(
    connection: AsyncConnection,
    policy: Policy,
    *,
    at: datetime,
    effective_at: datetime,
    by: Doer = SYSTEM,
    origin: Origin | None = None,
) -> UUID:
    """Write a valid policy as the next version of its area, with its trail. Publications for an area take turns."""
    await lock_line(connection, policy.area_code)
    newest = select(func.max(PolicyVersion.number)).where(PolicyVersion.area_code == policy.area_code)
    number = ((await connection.scalar(newest)) or 0) + 1
    digest = hashlib.sha256(canonical_json(policy).encode()).hexdigest()
    version_id = new_id()
    emergency = None if origin is None else origin.emergency
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
            draft_id=origin and origin.draft_id,
            draft_revision=origin and origin.revision,
            emergency_reason=emergency and emergency.reason.value,
            emergency_note=emergency and emergency.note,
            ends_at=emergency and emergency.ends_at,
        ),
    )
    data: dict[str, JsonValue] = {
        "version": str(version_id),
        "number": number,
        "digest": digest,
        "effective_at": effective_at.isoformat(),
    }
    kind = AuditType.POLICY_PUBLISHED
    if origin is not None:
        data |= {"draft": str(origin.draft_id), "revision": origin.revision}
    if emergency is not None:
        kind = AuditType.POLICY_PUBLISHED_IN_EMERGENCY
        data |= {"reason": emergency.reason.value, "ends_at": emergency.ends_at.isoformat()}
    entry = Entry(type=kind, by=by, data=data)
    await trail.record(connection, stream_of_policy(policy.area_code), [entry], at=at, area_code=policy.area_code)
    return version_id


def read_in(data: object, *, beside: list[Violation]) -> Policy:
    """The policy. Raises InvalidInput with what is wrong with it, and then also with what is wrong `beside` it."""
    try:
        return parse_policy(data)
    except InvalidInput as refusal:
        found = [item.model_copy(update={"pointer": f"/policy{item.pointer}"}) for item in refusal.violations]
        raise InvalidInput(beside + found) from None


async def list_policies(
    kawal: Kawal,
    actor: Actor,
    page: PageOf[ByAge],
    *,
    area_code: str | None = None,
) -> Slice[PolicySummary, ByAge]:
    """The published versions, newest first; those of one area if one is named."""
    wanted = _summaries(kawal.now()).order_by(PolicyVersion.id.desc()).limit(page.limit + 1)
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
        return await read_version(connection, version_id, at=kawal.now())


async def read_policy_in_force(kawal: Kawal, actor: Actor, area_code: str) -> PolicyDocument:
    """The version with which an update of this area would begin now. Raises NotFound."""
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        in_force = await kawal.rules.policy_in_force(connection, area_code, at=at)
        return await read_version(connection, in_force.id, at=at)


async def compare_policies(kawal: Kawal, actor: Actor, version_id: UUID, *, other: UUID) -> list[Difference]:
    """What changed from the version `other` to this one. Raises NotFound."""
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        before = await read_version(connection, other, at=at)
        after = await read_version(connection, version_id, at=at)
    return compare(before.document, after.document)


async def read_version(connection: AsyncConnection, version_id: UUID, *, at: datetime) -> PolicyDocument:
    """A version as it stands `at` a moment. Raises NotFound."""
    wanted = _summaries(at).add_columns(PolicyVersion.document).where(PolicyVersion.id == version_id)
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        raise NotFound(f"There is no policy version {version_id}.")
    return PolicyDocument(**_summary(row).model_dump(), document=row.document)


_Later: Final = aliased(PolicyVersion)
_Confirming: Final = aliased(PolicyVersion)


def _summaries(at: datetime) -> Any:
    """The versions, each with its state `at` this moment: whether another one has taken its place, and what became."""
    revoked = select(PolicyTurn.at).where(
        PolicyTurn.version_id == PolicyVersion.id,
        PolicyTurn.turn == Turn.REVOKED.value,
    )
    later_revoked = exists().where(PolicyTurn.version_id == _Later.id, PolicyTurn.turn == Turn.REVOKED.value)
    replaced = exists().where(
        _Later.area_code == PolicyVersion.area_code,
        _Later.effective_at <= at,
        or_(_Later.ends_at.is_(None), _Later.ends_at > at),
        ~later_revoked,
        tuple_(_Later.effective_at, _Later.number) > tuple_(PolicyVersion.effective_at, PolicyVersion.number),
    )
    confirmed_by = (
        select(_Confirming.id)
        .where(
            and_(
                PolicyVersion.emergency_reason.is_not(None),
                _Confirming.draft_id == PolicyVersion.draft_id,
                _Confirming.emergency_reason.is_(None),
            ),
        )
        .limit(1)
    )
    state = case(
        (revoked.exists(), literal("revoked")),
        (PolicyVersion.ends_at <= at, literal("lapsed")),
        (PolicyVersion.effective_at > at, literal("scheduled")),
        (replaced, literal("replaced")),
        else_=literal("in_force"),
    )
    return select(
        PolicyVersion.id,
        PolicyVersion.area_code,
        PolicyVersion.number,
        PolicyVersion.document["name"].astext.label("name"),
        PolicyVersion.digest,
        PolicyVersion.published_by,
        PolicyVersion.published_at,
        PolicyVersion.effective_at,
        PolicyVersion.draft_id,
        PolicyVersion.emergency_reason,
        PolicyVersion.emergency_note,
        PolicyVersion.ends_at,
        state.label("state"),
        revoked.scalar_subquery().label("revoked_at"),
        confirmed_by.scalar_subquery().label("confirmed_by"),
    )


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
        state=row.state,
        draft_id=row.draft_id,
        emergency=_emergency(row),
        revoked_at=row.revoked_at,
    )


def _emergency(row: Row[*tuple[Any, ...]]) -> Emergency | None:
    if row.emergency_reason is None:
        return None
    reason = EmergencyReason(row.emergency_reason)
    words = EMERGENCIES[reason]
    return Emergency(
        reason=reason,
        words=Text(id=words.id, en=words.en),
        note=row.emergency_note,
        ends_at=row.ends_at,
        confirmed_by=row.confirmed_by,
    )
