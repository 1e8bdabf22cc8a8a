"""The work lists of a round: each village its own, in a transaction of its own, so that any of them is made once."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.casework.work import Desk
from db.repositories import trail
from db.repositories.people import find_candidates
from db.repositories.rounds import stream_of_rounds
from db.repositories.trail import Entry
from db.repositories.work_lists import (
    finish_listing,
    keep_list,
    pin_policy,
    read_believed,
    read_work,
    villages_to_list,
)
from db.session import Viewer
from domain.audit import AuditType
from domain.policy import ReverificationRule
from domain.rounds import Round
from domain.vocabulary import Role
from domain.worklist import capacity_of, work_list

VILLAGES: Final = 20
"""How many villages one piece lists: a regency of 351 is 18 pieces in the history of its round."""
_WORKER: Final = Viewer.system("worker")


async def list_work(desk: Desk, listed: Round, *, at: datetime) -> bool:
    """List the work of the next villages; whether every village has its list now."""
    async with desk.database.transaction(_WORKER) as connection:
        if (await read_work(connection, listed.id)).listed_at is not None:
            return True
        rule = await reverification_of(desk, connection, listed, at=at)
        villages = await villages_to_list(connection, listed, at_most=VILLAGES)
    for area_code in villages:
        await _list_village(desk, listed, area_code, rule=rule, at=at)
    if len(villages) == VILLAGES:
        return False
    await _finish(desk, listed, at=at)
    return True


async def reverification_of(
    desk: Desk, connection: AsyncConnection, listed: Round, *, at: datetime
) -> ReverificationRule:
    """What a round is taken and listed by: the policy that is in force when that begins holds until its end."""
    in_force = await desk.rules.policy_in_force(connection, listed.area_code, at=at)
    version_id = await pin_policy(connection, listed.id, in_force.id)
    return (await desk.rules.policy(connection, version_id)).reverification


async def _list_village(desk: Desk, listed: Round, area_code: str, *, rule: ReverificationRule, at: datetime) -> None:
    async with desk.database.transaction(_WORKER) as connection:
        calendar = await desk.rules.calendar(connection, area_code)
        operators = await find_candidates(connection, roles=[Role.VILLAGE_OPERATOR], area_code=area_code, at=at)
        capacity = capacity_of(
            len({operator.user_id for operator in operators}),
            window=listed.dates.input_window,
            rule=rule,
            calendar=calendar,
        )
        believed = await read_believed(connection, listed.id, area_code)
        targets = work_list(believed, rule=rule, opened=calendar.local_day(listed.opens_at))
        await keep_list(connection, listed.id, area_code, targets, capacity=capacity, at=at)


async def _finish(desk: Desk, listed: Round, *, at: datetime) -> None:
    async with desk.database.transaction(_WORKER) as connection:
        households = await finish_listing(connection, listed.id, at=at)
        if households is None:
            return
        told = Entry(type=AuditType.ROUND_WORK_LISTED, data={"round": listed.period, "households": households})
        stream = stream_of_rounds(listed.area_code)
        await trail.record(connection, stream, [told], at=at, area_code=listed.area_code)
