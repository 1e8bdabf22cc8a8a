"""The plans of villages as time passes: asked for, reminded, escalated, and told when all are determined.

Each village is a transaction of its own under its lock, and each rung fires once, whatever restarts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.casework.work import Desk
from db.repositories import trail
from db.repositories.rounds import stream_of_rounds
from db.repositories.signoffs import (
    determine,
    is_over,
    lock_step,
    next_look,
    note_look,
    open_step,
    read_clock,
    save_step,
    steps_to_look_at,
    tell_in_round,
    villages_to_ask,
)
from db.repositories.trail import Entry
from db.repositories.work_lists import read_work
from db.session import Viewer
from domain.audit import AuditType
from domain.contracts import RoundCarried
from domain.ladder import next_digest_at
from domain.policy import Policy, Power, Rung, RungAction, SignoffsRule
from domain.rounds import Round
from domain.signoff_clocks import SignoffClock
from domain.signoffs import Next, SignoffStep, next_step
from domain.vocabulary import Role

PIECE: Final = 50
"""How many villages one piece looks at."""
_AT_LEAST_EVERY: Final = timedelta(days=1)
"""Calendars and orders may bring a rung forward: nothing is missed for longer."""
_WORKER: Final = Viewer.system("worker")


async def see_to_signoffs(desk: Desk, carried: Round, *, at: datetime) -> RoundCarried:
    """Ask the next villages for their proposals, fire what is due, and say when to look again."""
    async with desk.database.transaction(_WORKER) as connection:
        policy = await _policy(desk, connection, carried.id)
        if policy is None or policy.signoffs is None or await is_over(connection, carried.id):
            return RoundCarried(over=True)
        to_ask = await villages_to_ask(connection, carried.id, at_most=PIECE)
        due = await steps_to_look_at(connection, carried.id, at=at, at_most=PIECE)
    for area_code in to_ask:
        await _ask(desk, carried, area_code, policy=policy, rule=policy.signoffs, at=at)
    for step_id in due:
        await _look_at(desk, carried, step_id, policy=policy, rule=policy.signoffs, at=at)
    if len(to_ask) == PIECE or len(due) == PIECE:
        return RoundCarried()
    return await _wait_or_finish(desk, carried, at=at)


async def _policy(desk: Desk, connection: AsyncConnection, round_id: UUID) -> Policy | None:
    version_id = (await read_work(connection, round_id)).policy_version_id
    return None if version_id is None else await desk.rules.policy(connection, version_id)


async def _ask(desk: Desk, carried: Round, area_code: str, *, policy: Policy, rule: SignoffsRule, at: datetime) -> None:
    async with desk.database.transaction(_WORKER) as connection:
        await _open(desk, connection, carried, area_code, Next(SignoffStep.PROPOSAL), policy=policy, rule=rule, at=at)
        told: dict[str, JsonValue] = {"round": carried.period}
        await _note(connection, area_code, AuditType.ROUND_PROPOSAL_ASKED, told, at=at)


async def _open(
    desk: Desk,
    connection: AsyncConnection,
    carried: Round,
    area_code: str,
    following: Next,
    *,
    policy: Policy,
    rule: SignoffsRule,
    at: datetime,
) -> None:
    clock = await read_clock(
        connection, desk.rules, policy, area_code=area_code, step=following.step, opened_at=at, now=at
    )
    await open_step(connection, rule, following, round_id=carried.id, area_code=area_code, clock=clock, at=at)


async def _look_at(
    desk: Desk, carried: Round, step_id: UUID, *, policy: Policy, rule: SignoffsRule, at: datetime
) -> None:
    """Fire the rungs of a step that are due by what is known now; an answer that is overdue is done without."""
    async with desk.database.transaction(_WORKER) as connection:
        row = await lock_step(connection, step_id)
        if row is None or row.look_at > at:
            return
        step = SignoffStep(row.step)
        clock = await read_clock(
            connection, desk.rules, policy, area_code=row.area_code, step=step, opened_at=row.opened_at, now=at
        )
        if step is SignoffStep.ANSWER and clock.deadline.due_at <= at and not clock.deadline.standing:
            await save_step(connection, step_id, ended_at=at)
            told: dict[str, JsonValue] = {"round": carried.period, "step": step.value}
            await _note(connection, row.area_code, AuditType.ROUND_ANSWER_MISSED, told, at=at)
            following = next_step(step, None, contested=SignoffStep(row.contested))
            if following is not None:
                await _open(desk, connection, carried, row.area_code, following, policy=policy, rule=rule, at=at)
            return
        await _climb(desk, connection, carried, row, clock, ladder=rule.of(step).ladder, policy=policy, at=at)


async def _climb(
    desk: Desk,
    connection: AsyncConnection,
    carried: Round,
    row: Row[*tuple[Any, ...]],
    clock: SignoffClock,
    *,
    ladder: tuple[Rung, ...],
    policy: Policy,
    at: datetime,
) -> None:
    fired: int = row.rungs_fired
    level: int = row.level
    roles: list[str] = list(row.roles)
    while fired < len(ladder) and clock.times[fired] <= at:
        rung = ladder[fired]
        level += rung.action is RungAction.ESCALATE
        holders = [Role(role) for role in roles]
        if Power.DECIDE in rung.grants and rung.to not in roles:
            roles.append(rung.to)
        await _fire(connection, carried, row, rung, index=fired, holders=holders, level=level, at=at)
        fired += 1
    calendar = await desk.rules.calendar(connection, row.area_code)
    if fired < len(ladder):
        look_at = clock.times[fired]
    else:
        if fired == row.rungs_fired:
            await tell_in_round(
                connection,
                "round_signoff_digest",
                round_id=carried.id,
                area_code=row.area_code,
                roles=policy.digest_to,
                at=at,
            )
        look_at = next_digest_at(at, every=policy.digest_every, calendar=calendar)
    if row.step == SignoffStep.ANSWER:
        look_at = min(look_at, clock.deadline.due_at) if clock.deadline.due_at > at else look_at
    await save_step(
        connection,
        row.id,
        rungs_fired=fired,
        level=level,
        roles=roles,
        due_at=clock.deadline.due_at,
        deadline=clock.deadline.model_dump(mode="json"),
        look_at=max(look_at, at + timedelta(seconds=1)),
    )


async def _fire(
    connection: AsyncConnection,
    carried: Round,
    row: Row[*tuple[Any, ...]],
    rung: Rung,
    *,
    index: int,
    holders: list[Role],
    level: int,
    at: datetime,
) -> None:
    escalates = rung.action is RungAction.ESCALATE
    what = AuditType.ROUND_SIGNOFF_ESCALATED if escalates else AuditType.ROUND_SIGNOFF_REMINDED
    to = () if rung.to == "holder" else (Role(rung.to),)
    told: dict[str, JsonValue] = {"round": carried.period, "step": row.step, "rung": index, "to": rung.to}
    await _note(connection, row.area_code, what, told | {"level": level}, at=at)
    subject = "round_signoff_escalation" if escalates else "round_signoff_reminder"
    roles = (*to, *rung.notify, *holders)
    await tell_in_round(connection, subject, round_id=carried.id, area_code=row.area_code, roles=roles, at=at)


async def _wait_or_finish(desk: Desk, carried: Round, *, at: datetime) -> RoundCarried:
    async with desk.database.transaction(_WORKER) as connection:
        if await determine(connection, carried.id, at=at):
            await _note(connection, carried.area_code, AuditType.ROUND_DETERMINED, {"round": carried.period}, at=at)
            return RoundCarried(over=True)
        upcoming = await next_look(connection, carried.id)
        wake_at = min(upcoming or at + _AT_LEAST_EVERY, at + _AT_LEAST_EVERY)
        await note_look(connection, carried.id, wake_at)
    return RoundCarried(wake_at=wake_at)


async def _note(
    connection: AsyncConnection, area_code: str, what: AuditType, data: dict[str, JsonValue], *, at: datetime
) -> None:
    entry = Entry(type=what, data=data)
    await trail.record(connection, stream_of_rounds(area_code), [entry], at=at, area_code=area_code)
