"""Leaving: what somebody has claimed goes to another or is free again, and all that they were here ends, in one act."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Delegation, Membership, User
from db.repositories.people import read_actor
from db.repositories.trail import Doer, Entry
from domain.audit import AuditType
from domain.authority import NATION, Actor
from domain.errors import InvalidInput, NotFound, Unauthenticated, Violation
from services.kawal import Kawal
from services.keyed import Call, once
from services.people.accounts import note, set_disabled
from services.people.claims import TaskMoved, release_claims
from services.people.delegations import finish
from services.people.governance import desk_of, governing_seat
from services.people.memberships import end

ROUTE: Final = "POST /v1/users/{}/handover"


class HandoverInput(BaseModel):
    """How somebody leaves."""

    model_config = ConfigDict(extra="forbid")

    to: UUID | None = Field(
        default=None,
        description="Who takes over the tasks that they may decide; the others, and all without it, are free again",
    )
    disable: bool = Field(default=True, description="Disable the account, which ends every session of it")


class HandedOver(BaseModel):
    """What was done."""

    user_id: UUID
    tasks: list[TaskMoved]
    memberships_ended: list[UUID]
    leaves_ended: list[UUID]
    disabled: bool


async def hand_over(kawal: Kawal, call: Call, user_id: UUID, wanted: HandoverInput) -> tuple[HandedOver, bool]:
    """Let somebody leave, once for each key; and whether it was done before.

    Cases that nobody else may decide climb their ladder at once. Raises NotFound, Forbidden for one's own account or
    one that reaches beyond the actor's area, InvalidInput for a successor who is not there.
    """
    async with kawal.database.transaction(desk_of(call.actor)) as connection:

        async def let_go() -> HandedOver:
            seat = await governing_seat(connection, call.actor, user_id, at=call.at)
            return await leave(connection, user_id, wanted, by=Doer.of(call.actor, seat), at=call.at)

        route = ROUTE.format(user_id)
        return await once(connection, call, wanted, let_go, answer=HandedOver, route=route, vault=kawal.vault)


async def leave(
    connection: AsyncConnection,
    user_id: UUID,
    wanted: HandoverInput,
    *,
    by: Doer,
    at: datetime,
) -> HandedOver:
    """Write all that follows when somebody leaves."""
    row = (await connection.execute(select(User.disabled).where(User.id == user_id).with_for_update())).one_or_none()
    if row is None:
        raise NotFound(f"There is no account {user_id} for you.")
    successor = None if wanted.to is None else await _successor(connection, wanted.to, leaver=user_id, at=at)
    # Tasks first: what a membership's end would free goes to the successor.
    tasks = await release_claims(connection, user_id, area_code=NATION, by=by, at=at, to=successor)
    leaves = await _end_leaves(connection, user_id, by=by, at=at)
    memberships = await _end_memberships(connection, user_id, by=by, at=at)
    disables = wanted.disable and not row.disabled
    if disables:
        await set_disabled(connection, user_id, disabled=True, by=by, at=at)
    data: dict[str, JsonValue] = {
        "to": wanted.to and str(wanted.to),
        "tasks_handed_over": sum(task.handed_to is not None for task in tasks),
        "tasks_released": sum(task.handed_to is None for task in tasks),
        "memberships_ended": [str(membership) for membership in memberships],
        "leaves_ended": [str(leave_id) for leave_id in leaves],
        "disabled": disables,
    }
    await note(connection, user_id, Entry(type=AuditType.ACCOUNT_HANDED_OVER, by=by, data=data), at=at)
    return HandedOver(
        user_id=user_id,
        tasks=tasks,
        memberships_ended=memberships,
        leaves_ended=leaves,
        disabled=wanted.disable or row.disabled,
    )


async def _successor(connection: AsyncConnection, user_id: UUID, *, leaver: UUID, at: datetime) -> Actor:
    try:
        successor = await read_actor(connection, user_id, at=at)
    except Unauthenticated:
        raise InvalidInput([_no_successor("successor_unknown", "There is no such account in use.")]) from None
    if successor.person.has(leaver):
        raise InvalidInput([_no_successor("successor_is_leaver", "Nobody takes over from themselves.")])
    return successor


async def _end_memberships(connection: AsyncConnection, user_id: UUID, *, by: Doer, at: datetime) -> list[UUID]:
    running = select(Membership.__table__).where(
        Membership.user_id == user_id, or_(Membership.valid_to.is_(None), Membership.valid_to > at)
    )
    rows: list[Row[Any]] = list((await connection.execute(running.order_by(Membership.id).with_for_update())).all())
    for row in rows:
        await end(connection, row, by=by, at=at)
    return [row.id for row in rows]


async def _end_leaves(connection: AsyncConnection, user_id: UUID, *, by: Doer, at: datetime) -> list[UUID]:
    """Their own leaves, and those of others for whom they stand in."""
    running = select(Delegation.__table__).where(
        or_(Delegation.holder_id == user_id, Delegation.delegate_id == user_id),
        Delegation.ended_at.is_(None),
        Delegation.valid_to > at,
    )
    rows: list[Row[Any]] = list((await connection.execute(running.order_by(Delegation.id))).all())
    for row in rows:
        await finish(connection, row, by=by, at=at)
    return [row.id for row in rows]


def _no_successor(code: str, detail: str) -> Violation:
    return Violation(pointer="/to", code=code, detail=detail, remedy="Name another officer, or nobody.")
