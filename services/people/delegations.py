"""Leaves: for a period the holder of an appointment decides nothing, and somebody else may in their place."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Delegation, Membership
from db.repositories import outbox
from db.repositories.people import read_actor
from db.repositories.trail import SYSTEM, Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Actor, Permission, Person
from domain.errors import InvalidInput, NotFound, NotPossibleNow, Unauthenticated, Violation
from domain.ids import new_id
from domain.people import LeaveReason, check_period, leave_granting_seat, refuse_delegate, works
from domain.vocabulary import Role
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.people.accounts import note
from services.people.turns import take_turn

CREATE: Final = "POST /v1/delegations"

_LEAVES: Final = text("SELECT * FROM kawal_leaves(:people, :since, :until)")


class NewDelegation(BaseModel):
    """A leave to be declared."""

    model_config = ConfigDict(extra="forbid")

    membership_id: UUID
    delegate_id: UUID | None = Field(
        default=None,
        description="Who decides meanwhile; with nobody the holder counts as absent, and cases go up the ladder",
    )
    valid_from: AwareDatetime | None = Field(default=None, description="At once if left out")
    valid_to: AwareDatetime = Field(description="When it ends by itself")
    reason: LeaveReason


async def declare(kawal: Kawal, call: Call, wanted: NewDelegation) -> tuple[Created, bool]:
    """Declare a leave, once for each key; and whether it was declared before.

    The holder may, a superior, or an administrator. Raises NotFound, Forbidden, InvalidInput, IdempotencyKeyReused.
    """
    async with kawal.database.transaction(_desk_of(call.actor)) as connection:
        return await once(
            connection,
            call,
            wanted,
            lambda: add_delegation(connection, wanted, declared_by=call.actor, at=call.at),
            answer=Created,
            route=CREATE,
            vault=kawal.vault,
        )


async def revoke(kawal: Kawal, actor: Actor, delegation_id: UUID) -> None:
    """End a leave now: the holder decides again. Whoever may declare it may end it, and so may the delegate.

    Raises NotFound, Forbidden, NotPossibleNow when it is over.
    """
    async with kawal.database.transaction(_desk_of(actor)) as connection:
        await end_delegation(connection, delegation_id, ended_by=actor, at=kawal.now())


def _desk_of(actor: Actor) -> Viewer:
    return Viewer.at_desk(actor, Permission.DELEGATIONS_MANAGE)


async def add_delegation(
    connection: AsyncConnection,
    wanted: NewDelegation,
    *,
    declared_by: Actor | None,
    at: datetime,
) -> Created:
    """Write a leave; `declared_by` None is the operator of the installation."""
    held = (
        await connection.execute(select(Membership.__table__).where(Membership.id == wanted.membership_id))
    ).one_or_none()
    if held is None:
        raise NotFound(f"There is no membership {wanted.membership_id} for you.", pointer="/membership_id")
    role, begins = Role(held.role), max(wanted.valid_from or at, at)
    by = _doer(declared_by, holder_id=held.user_id, role=role, area_code=held.area_code, office_id=held.office_id)
    if held.valid_to is not None and held.valid_to <= begins:
        raise NotPossibleNow("This membership is over by then.")
    holder, delegate, violations = await _people(connection, held.user_id, wanted.delegate_id, at=at)
    violations += [] if works(role) else [_decides_nothing(role)]
    violations += check_period(begins, wanted.valid_to, at=at)
    if delegate is not None:
        unfit = refuse_delegate(
            delegate, holder=held.user_id, declared_by=declared_by, role=role, area_code=held.area_code
        )
        violations += [] if unfit is None else [unfit]
    if not violations:
        violations = await _overlaps(connection, wanted, begins, holder, delegate and delegate.person)
    if violations:
        raise InvalidInput(violations)
    return await _write(connection, wanted, held, begins=begins, by=by, at=at)


async def end_delegation(
    connection: AsyncConnection,
    delegation_id: UUID,
    *,
    ended_by: Actor | None,
    at: datetime,
) -> None:
    """Write that a leave is over; `ended_by` None is the operator of the installation."""
    wanted = select(Delegation.__table__, Membership.role, Membership.office_id).join(
        Membership, Membership.id == Delegation.membership_id
    )
    row = (await connection.execute(wanted.where(Delegation.id == delegation_id))).one_or_none()
    if row is None:
        row = await _as_delegate(connection, delegation_id, ended_by)
    if ended_by is not None and ended_by.user_id == row.delegate_id:
        by = Doer(user_id=ended_by.user_id)
    else:
        role = Role(row.role)
        by = _doer(ended_by, holder_id=row.holder_id, role=role, area_code=row.area_code, office_id=row.office_id)
    await finish(connection, row, by=by, at=at)


async def _as_delegate(connection: AsyncConnection, delegation_id: UUID, actor: Actor | None) -> Any:
    """A leave as whoever stands in sees it: not the membership, but the seat that it lends them. Raises NotFound."""
    row = (await connection.execute(select(Delegation.__table__).where(Delegation.id == delegation_id))).one_or_none()
    if row is None or actor is None or row.delegate_id != actor.user_id:
        raise NotFound(f"There is no delegation {delegation_id} for you.")
    return row


async def finish(connection: AsyncConnection, row: Row[*tuple[Any, ...]], *, by: Doer, at: datetime) -> None:
    """End a leave at this moment. Raises NotPossibleNow when it is over."""
    if row.ended_at is not None or row.valid_to <= at:
        raise NotPossibleNow("This leave is over.")
    ended = update(Delegation).where(Delegation.id == row.id, Delegation.ended_at.is_(None))
    if not (await connection.execute(ended.values(ended_at=at, ended_by=by.user_id))).rowcount:
        raise NotPossibleNow("This leave has just been ended.")
    data: dict[str, JsonValue] = {
        "delegation": str(row.id),
        "membership": str(row.membership_id),
        "before": {"until": row.valid_to.isoformat()},
        "after": {"until": at.isoformat()},
    }
    await _note_both(connection, row.holder_id, row.delegate_id, AuditType.DELEGATION_ENDED, data, by=by, at=at)
    await tell_of_membership(connection, row.membership_id, area_code=row.area_code, at=at)


async def tell_of_membership(connection: AsyncConnection, membership_id: UUID, *, area_code: str, at: datetime) -> None:
    """Have the cases looked at that the role of a membership could decide, where its row is in view."""
    role = await connection.scalar(select(Membership.role).where(Membership.id == membership_id))
    if role is not None:
        await outbox.tell_authority_changed(connection, membership_id, role=Role(role), area_code=area_code, at=at)


def _doer(actor: Actor | None, *, holder_id: UUID, role: Role, area_code: str, office_id: UUID) -> Doer:
    """Who declares or ends it, in which seat. Raises NotFound, Forbidden."""
    if actor is None:
        return SYSTEM
    seat = leave_granting_seat(actor, holder_id=holder_id, role=role, area_code=area_code)
    return Doer(user_id=actor.user_id, role=role, office_id=office_id) if seat is None else Doer.of(actor, seat)


async def _people(
    connection: AsyncConnection,
    holder_id: UUID,
    delegate_id: UUID | None,
    *,
    at: datetime,
) -> tuple[Person, Actor | None, list[Violation]]:
    """Holder and delegate; leaves of the same person, under whatever account, are declared one after the other."""
    holder = await _in_use(connection, holder_id, at=at)
    if holder is None:
        raise NotPossibleNow("The account of the holder is disabled.")
    delegate = None if delegate_id is None else await _in_use(connection, delegate_id, at=at)
    people = [holder.person] if delegate is None else [holder.person, delegate.person]
    for person in sorted({min(person.accounts) for person in people}):
        await take_turn(connection, "leaves", person)
    if delegate_id is not None and delegate is None:
        return holder.person, None, [_wrong_delegate("delegate_unknown", "There is no such account in use.")]
    return holder.person, delegate, []


async def _in_use(connection: AsyncConnection, user_id: UUID, *, at: datetime) -> Actor | None:
    try:
        return await read_actor(connection, user_id, at=at)
    except Unauthenticated:
        return None


async def _overlaps(
    connection: AsyncConnection,
    wanted: NewDelegation,
    begins: datetime,
    holder: Person,
    delegate: Person | None,
) -> list[Violation]:
    """No chains: who stands in is present, and who goes on leave stands in for nobody."""
    theirs: Collection[UUID] = frozenset() if delegate is None else delegate.accounts
    asked = {"people": list(holder.accounts | set(theirs)), "since": begins, "until": wanted.valid_to}
    found: list[Violation] = []
    for row in await connection.execute(_LEAVES, asked):
        if row.membership_id == wanted.membership_id:
            found.append(
                _overlap("/membership_id", "leave_overlaps", "A leave of this membership falls into the period.")
            )
        elif row.holder_id in theirs:
            found.append(_wrong_delegate("delegate_on_leave", "This person is on leave in a part of the period."))
        elif row.delegate_id is not None and holder.has(row.delegate_id):
            found.append(
                _overlap(
                    "/membership_id", "holder_stands_in", "The holder stands in for another in a part of the period."
                ),
            )
    return list(dict.fromkeys(found))


def _overlap(pointer: str, code: str, detail: str) -> Violation:
    return Violation(
        pointer=pointer, code=code, detail=detail, remedy="End the other leave first, or choose another period."
    )


def _wrong_delegate(code: str, detail: str) -> Violation:
    return Violation(
        pointer="/delegate_id", code=code, detail=detail, remedy="Name somebody who is there all the time."
    )


def _decides_nothing(role: Role) -> Violation:
    return Violation(
        pointer="/membership_id",
        code="role_works_on_nothing",
        detail=f"A {role.value} has no tasks that another could take over.",
        remedy="A leave is declared for a membership that works on tasks.",
    )


async def _write(
    connection: AsyncConnection,
    wanted: NewDelegation,
    held: Row[*tuple[Any, ...]],
    *,
    begins: datetime,
    by: Doer,
    at: datetime,
) -> Created:
    delegation_id = new_id()
    await connection.execute(
        insert(Delegation).values(
            id=delegation_id,
            membership_id=held.id,
            area_code=held.area_code,
            holder_id=held.user_id,
            delegate_id=wanted.delegate_id,
            valid_from=begins,
            valid_to=wanted.valid_to,
            reason=wanted.reason.value,
            created_by=by.user_id,
            created_at=at,
        ),
    )
    data: dict[str, JsonValue] = {
        "delegation": str(delegation_id),
        "membership": str(held.id),
        "delegate": wanted.delegate_id and str(wanted.delegate_id),
        "from": begins.isoformat(),
        "until": wanted.valid_to.isoformat(),
        "reason": wanted.reason.value,
    }
    kind = AuditType.DELEGATION_DECLARED
    await _note_both(connection, held.user_id, wanted.delegate_id, kind, data, by=by, at=at)
    for moment in (begins, wanted.valid_to):
        await outbox.tell_authority_changed(
            connection, held.id, role=Role(held.role), area_code=held.area_code, at=moment
        )
    return Created(id=delegation_id)


async def _note_both(
    connection: AsyncConnection,
    holder_id: UUID,
    delegate_id: UUID | None,
    kind: AuditType,
    data: dict[str, JsonValue],
    *,
    by: Doer,
    at: datetime,
) -> None:
    for account in sorted(user_id for user_id in (holder_id, delegate_id) if user_id is not None):
        await note(connection, account, Entry(type=kind, by=by, data={**data, "holder": str(holder_id)}), at=at)
