"""Appointments: a role in an office over an area for a period, given, changed and ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Membership, Office, User
from db.repositories import outbox
from db.repositories.people import read_actor
from db.repositories.trail import Doer, Entry
from domain.areas import AreaOrNation
from domain.audit import AuditType
from domain.authority import Actor, Seat, covers
from domain.errors import InvalidInput, NotFound, NotPossibleNow, Unauthenticated, Violation
from domain.ids import new_id
from domain.people import appointing_seat, check_breadth, managing_seat
from domain.vocabulary import Role
from services.kawal import Kawal
from services.keyed import Call, Created, HeldVersions, once
from services.people.accounts import note
from services.people.areas import unknown_area
from services.people.claims import release_claims
from services.people.governance import desk_of
from services.people.offices import OFFICE
from services.people.turns import take_part
from services.versions import require_version

CREATE: Final = "POST /v1/memberships"


class NewMembership(BaseModel):
    """An appointment to be made."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    user_id: UUID
    role: Role
    office_id: UUID
    area_code: AreaOrNation
    valid_from: AwareDatetime | None = Field(default=None, description="At once if left out; never in the past")
    valid_to: AwareDatetime | None = Field(default=None, description="When it ends by itself; open if left out")


class MembershipChange(BaseModel):
    """What is to be different of an appointment. Another role or area is another appointment."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    office_id: UUID | None = None
    valid_to: AwareDatetime | None = Field(default=None, description="When it ends; still to come")


async def create_membership(kawal: Kawal, call: Call, wanted: NewMembership) -> tuple[Created, bool]:
    """Appoint somebody, once for each key; and whether it was done before.

    Raises NotFound for an account or area that is not the actor's, Forbidden, InvalidInput, IdempotencyKeyReused.
    """
    seat = appointing_seat(call.actor, user_id=wanted.user_id, role=wanted.role, area_code=wanted.area_code)
    async with kawal.database.transaction(desk_of(call.actor)) as connection:
        return await once(
            connection,
            call,
            wanted,
            lambda: grant(connection, wanted, by=Doer.of(call.actor, seat), at=call.at),
            answer=Created,
            route=CREATE,
            vault=kawal.vault,
        )


async def change_membership(
    kawal: Kawal, actor: Actor, membership_id: UUID, change: MembershipChange, *, holds: HeldVersions
) -> None:
    """Change the office or the end of an appointment. Raises as `create_membership` does, and StaleVersion."""
    at = kawal.now()
    async with kawal.database.transaction(desk_of(actor)) as connection:
        row = await lock_membership(connection, membership_id)
        seat = appointing_seat(actor, user_id=row.user_id, role=Role(row.role), area_code=row.area_code)
        require_version(holds, row.version)
        await alter(connection, row, change, by=Doer.of(actor, seat), at=at)


async def end_membership(kawal: Kawal, actor: Actor, membership_id: UUID, *, holds: HeldVersions) -> None:
    """End an appointment now. Its holder has no authority from it in their very next request.

    Raises NotFound, Forbidden for a role above the actor's tier, NotPossibleNow when it is over, StaleVersion.
    """
    at = kawal.now()
    async with kawal.database.transaction(desk_of(actor)) as connection:
        row = await lock_membership(connection, membership_id)
        seat = _ending_seat(actor, row)
        require_version(holds, row.version)
        await end(connection, row, by=Doer.of(actor, seat), at=at)


def _ending_seat(actor: Actor, row: Row[*tuple[Any, ...]]) -> Seat:
    """To give up an appointment of one's own is always allowed to an administrator."""
    if actor.person.has(row.user_id):
        return managing_seat(actor, area_code=row.area_code)
    return appointing_seat(actor, user_id=row.user_id, role=Role(row.role), area_code=row.area_code)


async def grant(connection: AsyncConnection, wanted: NewMembership, *, by: Doer, at: datetime) -> Created:
    """Write an appointment. Raises NotFound for an unknown account, InvalidInput."""
    if await connection.scalar(select(User.id).where(User.id == wanted.user_id)) is None:
        raise NotFound(f"There is no account {wanted.user_id} for you.", pointer="/user_id")
    begins = wanted.valid_from or at
    violations = _period(begins, wanted.valid_to, at=at)
    violations += await unknown_area(connection, wanted.area_code)
    violations += check_breadth(wanted.role, wanted.area_code)
    violations += await _office(connection, wanted.office_id, area_code=wanted.area_code)
    violations += await _held_already(connection, wanted, begins=begins)
    if violations:
        raise InvalidInput(violations)
    membership_id = new_id()
    await connection.execute(
        insert(Membership).values(
            id=membership_id,
            user_id=wanted.user_id,
            role=wanted.role.value,
            office_id=wanted.office_id,
            area_code=wanted.area_code,
            valid_from=begins,
            valid_to=wanted.valid_to,
        ),
    )
    data: dict[str, JsonValue] = {
        "membership": str(membership_id),
        "role": wanted.role.value,
        "office": str(wanted.office_id),
        "area": wanted.area_code,
        "from": begins.isoformat(),
        "until": wanted.valid_to and wanted.valid_to.isoformat(),
    }
    await note(connection, wanted.user_id, Entry(type=AuditType.MEMBERSHIP_GRANTED, by=by, data=data), at=at)
    if wanted.valid_to is not None:
        await outbox.tell_authority_changed(
            connection, membership_id, role=wanted.role, area_code=wanted.area_code, at=wanted.valid_to
        )
    return Created(id=membership_id)


async def lock_membership(connection: AsyncConnection, membership_id: UUID) -> Row[*tuple[Any, ...]]:
    """The appointment, locked until the transaction ends. Raises NotFound."""
    wanted = select(Membership.__table__).where(Membership.id == membership_id).with_for_update()
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        raise NotFound(f"There is no membership {membership_id} for you.")
    return row


async def alter(
    connection: AsyncConnection,
    row: Row[*tuple[Any, ...]],
    change: MembershipChange,
    *,
    by: Doer,
    at: datetime,
) -> None:
    """Write what is different of an appointment. Raises InvalidInput, NotPossibleNow when it is over."""
    _require_running(row, at=at)
    violations = [] if change.valid_to is None else _period(max(row.valid_from, at), change.valid_to, at=at)
    if change.office_id is not None:
        violations += await _office(connection, change.office_id, area_code=row.area_code)
    if violations:
        raise InvalidInput(violations)
    after = {"office_id": change.office_id or row.office_id, "valid_to": change.valid_to or row.valid_to}
    before = {"office_id": row.office_id, "valid_to": row.valid_to}
    if after == before:
        return
    await _write(connection, row.id, **after)
    data: dict[str, JsonValue] = {"membership": str(row.id), "before": _told(before), "after": _told(after)}
    await note(connection, row.user_id, Entry(type=AuditType.MEMBERSHIP_CHANGED, by=by, data=data), at=at)
    if change.valid_to is not None:
        await outbox.tell_authority_changed(
            connection, row.id, role=Role(row.role), area_code=row.area_code, at=change.valid_to
        )


async def end(connection: AsyncConnection, row: Row[*tuple[Any, ...]], *, by: Doer, at: datetime) -> None:
    """End an appointment at this moment, or before it began.

    What its holder has claimed in its area, and may decide in no seat that is left to them, is free again.
    """
    _require_running(row, at=at)
    ends = max(row.valid_from, at)
    await _write(connection, row.id, valid_to=ends)
    data: dict[str, JsonValue] = {
        "membership": str(row.id),
        "role": row.role,
        "area": row.area_code,
        "before": {"until": row.valid_to and row.valid_to.isoformat()},
        "after": {"until": ends.isoformat()},
    }
    await note(connection, row.user_id, Entry(type=AuditType.MEMBERSHIP_ENDED, by=by, data=data), at=at)
    remaining = await _who_remains(connection, row.user_id, at=at)
    await release_claims(connection, row.user_id, area_code=row.area_code, by=by, at=at, unless_held_by=remaining)
    await outbox.tell_authority_changed(connection, row.id, role=Role(row.role), area_code=row.area_code, at=at)


async def _who_remains(connection: AsyncConnection, user_id: UUID, *, at: datetime) -> Actor | None:
    """The holder with the seats that are left to them; None for a disabled account."""
    try:
        return await read_actor(connection, user_id, at=at)
    except Unauthenticated:
        return None


def _require_running(row: Row[*tuple[Any, ...]], *, at: datetime) -> None:
    if row.valid_to is not None and row.valid_to <= at:
        raise NotPossibleNow("This membership is over.", remedy="Appoint anew: what has been is not changed.")


async def _write(connection: AsyncConnection, membership_id: UUID, **values: object) -> None:
    changed = update(Membership).where(Membership.id == membership_id)
    await connection.execute(changed.values(**values, version=Membership.version + 1))


def _told(values: dict[str, Any]) -> dict[str, JsonValue]:
    until: datetime | None = values["valid_to"]
    return {"office": str(values["office_id"]), "until": until and until.isoformat()}


def _period(begins: datetime, ends: datetime | None, *, at: datetime) -> list[Violation]:
    found: list[Violation] = []
    if begins < at:
        found.append(
            Violation(
                pointer="/valid_from",
                code="begins_in_the_past",
                detail="Nobody is appointed for a time that has been.",
                remedy="Leave it out to appoint from now on, or name a moment to come.",
            ),
        )
    if ends is not None and ends <= begins:
        found.append(
            Violation(
                pointer="/valid_to",
                code="period_empty",
                detail="It would end before it begins.",
                remedy="Name an end that is still to come, after the beginning.",
            ),
        )
    return found


async def _office(connection: AsyncConnection, office_id: UUID, *, area_code: str) -> list[Violation]:
    """What is wrong with appointing somebody in this office, which is not closed before the transaction has ended."""
    await take_part(connection, OFFICE, office_id)
    row = (
        await connection.execute(select(Office.area_code, Office.closed_at).where(Office.id == office_id))
    ).one_or_none()
    if row is None:
        return [_wrong_office("office_unknown", "There is no such office.")]
    if row.closed_at is not None:
        return [_wrong_office("office_closed", "This office has been closed.")]
    if not covers(row.area_code, area_code):
        return [_wrong_office("office_elsewhere", "This office does not cover the area.")]
    return []


def _wrong_office(code: str, detail: str) -> Violation:
    return Violation(
        pointer="/office_id",
        code=code,
        detail=detail,
        remedy="Choose one from GET /v1/offices, or make it with POST /v1/offices.",
    )


async def _held_already(connection: AsyncConnection, wanted: NewMembership, *, begins: datetime) -> list[Violation]:
    overlapping = select(Membership.id).where(
        Membership.user_id == wanted.user_id,
        Membership.role == wanted.role.value,
        Membership.area_code == wanted.area_code,
        or_(Membership.valid_to.is_(None), Membership.valid_to > begins),
    )
    if wanted.valid_to is not None:
        overlapping = overlapping.where(Membership.valid_from < wanted.valid_to)
    if await connection.scalar(overlapping.limit(1)) is None:
        return []
    return [
        Violation(
            pointer="/role",
            code="already_held",
            detail="This account is that in the area already, in a part of the period.",
            remedy="Change the membership that there is.",
        ),
    ]
