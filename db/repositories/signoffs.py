"""The steps of the plans of villages: opened under a clock, looked at when a rung is due, signed once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Notification, RoundSignoff, RoundVillage, UpdateRound
from db.repositories.rules import Rules
from domain.errors import NotFound
from domain.ids import new_id
from domain.policy import Policy, SignoffsRule
from domain.signoff_clocks import SignoffClock, signoff_clock
from domain.signoffs import Next, Signed, SignoffStep
from domain.vocabulary import Role

_OPEN: Final = RoundSignoff.ended_at.is_(None)


async def read_clock(
    connection: AsyncConnection,
    rules: Rules,
    policy: Policy,
    *,
    area_code: str,
    step: SignoffStep,
    opened_at: datetime,
    now: datetime,
) -> SignoffClock:
    """The clock of a step by what is known now. Raises LookupError where the policy has no such steps."""
    if policy.signoffs is None:
        raise LookupError("the policy has no sign-offs")
    clocks = await rules.clocks_now(connection, area_code, at=now)
    area = await rules.area(connection, area_code)
    return signoff_clock(
        policy.signoffs.of(step),
        opened_at,
        calendar=clocks.calendar,
        orders=clocks.orders,
        extra_days=policy.remoteness_credit(area.remoteness),
        now=now,
    )


async def open_step(
    connection: AsyncConnection,
    rule: SignoffsRule,
    following: Next,
    *,
    round_id: UUID,
    area_code: str,
    clock: SignoffClock,
    at: datetime,
) -> datetime:
    """Open the next step of a village and tell whoever may sign it; when its first rung is due."""
    roles = rule.of(following.step).deciders
    look_at = min(clock.times, default=clock.deadline.due_at)
    row = {
        "id": new_id(),
        "round_id": round_id,
        "area_code": area_code,
        "step": following.step.value,
        "contested": following.contested and following.contested.value,
        "roles": [role.value for role in roles],
        "opened_at": at,
        "due_at": clock.deadline.due_at,
        "deadline": clock.deadline.model_dump(mode="json"),
        "look_at": look_at,
    }
    await connection.execute(insert(RoundSignoff).values(row))
    subject = f"round_{following.step.value}_asked"
    await tell_in_round(connection, subject, round_id=round_id, area_code=area_code, roles=roles, at=at)
    return look_at


async def tell_in_round(
    connection: AsyncConnection, subject: str, *, round_id: UUID, area_code: str, roles: Iterable[Role], at: datetime
) -> None:
    """Tell holders of these roles over the area of something in the round."""
    rows = [
        {
            "id": new_id(),
            "round_id": round_id,
            "area_code": area_code,
            "subject": subject,
            "to_role": role.value,
            "created_at": at,
        }
        for role in dict.fromkeys(roles)
    ]
    if rows:
        await connection.execute(insert(Notification), rows)


async def villages_to_ask(connection: AsyncConnection, round_id: UUID, *, at_most: int) -> Sequence[str]:
    """Villages with households on their list that were not asked for a proposal yet."""
    asked = exists().where(RoundSignoff.round_id == round_id, RoundSignoff.area_code == RoundVillage.area_code)
    wanted = select(RoundVillage.area_code).where(RoundVillage.round_id == round_id, RoundVillage.listed > 0, ~asked)
    return (await connection.scalars(wanted.order_by(RoundVillage.area_code).limit(at_most))).all()


async def steps_to_look_at(
    connection: AsyncConnection, round_id: UUID, *, at: datetime, at_most: int
) -> Sequence[UUID]:
    """Open steps of which a rung may be due, the longest due first."""
    due = select(RoundSignoff.id).where(RoundSignoff.round_id == round_id, _OPEN, RoundSignoff.look_at <= at)
    return (await connection.scalars(due.order_by(RoundSignoff.look_at, RoundSignoff.id).limit(at_most))).all()


async def next_look(connection: AsyncConnection, round_id: UUID) -> datetime | None:
    """When the next rung of any open step is due; None where no step is open."""
    looks = select(func.min(RoundSignoff.look_at)).where(RoundSignoff.round_id == round_id, _OPEN)
    return await connection.scalar(looks)


async def lock_step(connection: AsyncConnection, step_id: UUID) -> Row[*tuple[Any, ...]] | None:
    """A step that nobody else changes until the transaction ends; None where it has ended."""
    wanted = select(RoundSignoff.__table__).where(RoundSignoff.id == step_id, _OPEN)
    return (await connection.execute(wanted.with_for_update())).first()


async def lock_open_step(connection: AsyncConnection, round_id: UUID, area_code: str) -> Row[*tuple[Any, ...]] | None:
    """The same of the step that the plan of a village waits for; None before any and once it is determined."""
    wanted = select(RoundSignoff.__table__).where(
        RoundSignoff.round_id == round_id, RoundSignoff.area_code == area_code, _OPEN
    )
    return (await connection.execute(wanted.with_for_update())).first()


async def read_steps(connection: AsyncConnection, round_id: UUID, area_code: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """Every step of the plan of a village, in order."""
    wanted = select(RoundSignoff.__table__).where(
        RoundSignoff.round_id == round_id, RoundSignoff.area_code == area_code
    )
    return (await connection.execute(wanted.order_by(RoundSignoff.id))).all()


def signed_of(steps: Iterable[Row[*tuple[Any, ...]]]) -> list[Signed]:
    """Who has signed which of these steps."""
    return [
        Signed(SignoffStep(row.step), tuple(each for each in (row.signed_by, row.on_behalf_of) if each is not None))
        for row in steps
        if row.signed_by is not None
    ]


async def save_step(connection: AsyncConnection, step_id: UUID, **changes: Any) -> None:
    """Change a step that is open."""
    await connection.execute(update(RoundSignoff).where(RoundSignoff.id == step_id, _OPEN).values(**changes))


async def save_plan(connection: AsyncConnection, round_id: UUID, area_code: str, **changes: Any) -> None:
    """Change what a village is to do, which raises its version."""
    village = update(RoundVillage).where(RoundVillage.round_id == round_id, RoundVillage.area_code == area_code)
    await connection.execute(village.values(version=RoundVillage.version + 1, **changes))


async def looks_before(connection: AsyncConnection, round_id: UUID, look_at: datetime) -> bool:
    """Whether the engine will look at the round by then without being told."""
    looks_at = await connection.scalar(select(UpdateRound.looks_at).where(UpdateRound.id == round_id))
    return looks_at is not None and looks_at <= look_at


async def note_look(connection: AsyncConnection, round_id: UUID, looks_at: datetime | None) -> None:
    """Write down when the engine looks at the round again."""
    await connection.execute(update(UpdateRound).where(UpdateRound.id == round_id).values(looks_at=looks_at))


async def determine(connection: AsyncConnection, round_id: UUID, *, at: datetime) -> bool:
    """Note that the plan of every village is determined; whether that is so now and had not been noted."""
    waits = exists().where(
        RoundVillage.round_id == round_id, RoundVillage.listed > 0, RoundVillage.determined_at.is_(None)
    )
    noted = update(UpdateRound).where(UpdateRound.id == round_id, UpdateRound.determined_at.is_(None), ~waits)
    return bool((await connection.execute(noted.values(determined_at=at))).rowcount)


async def is_over(connection: AsyncConnection, round_id: UUID) -> bool:
    """Whether nothing of the plans is left to be done: all are determined, or the round is closed. Raises NotFound."""
    over = or_(UpdateRound.determined_at.is_not(None), UpdateRound.closed_at.is_not(None))
    found = await connection.scalar(select(over).where(UpdateRound.id == round_id))
    if found is None:
        raise NotFound(f"There is no round {round_id}.")
    return found
