"""The work lists of a round: made once for each village out of its baseline, and moved by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import case, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, RoundBaseline, RoundMove, RoundTarget, RoundVillage, UpdateRound
from domain.baseline import MatchState
from domain.errors import NotFound
from domain.rounds import Round
from domain.vocabulary import AreaLevel
from domain.worklist import Believed, Capacity, Listed

_BELIEVED: Final = (
    *(RoundBaseline.household_id, RoundBaseline.data_of, RoundBaseline.verified),
    *(RoundBaseline.match_state, RoundBaseline.duplicates, RoundBaseline.completeness),
)


class RoundWork(NamedTuple):
    """How far the work lists of a round have come: by which policy, and since when each village has one."""

    policy_version_id: UUID | None
    listed_at: datetime | None


async def read_work(connection: AsyncConnection, round_id: UUID) -> RoundWork:
    """How far the work lists have come. Raises NotFound."""
    wanted = select(UpdateRound.policy_version_id, UpdateRound.listed_at).where(UpdateRound.id == round_id)
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        raise NotFound(f"There is no round {round_id}.")
    return RoundWork(row.policy_version_id, row.listed_at)


async def pin_policy(connection: AsyncConnection, round_id: UUID, policy_version_id: UUID) -> UUID:
    """The version of the policy that the round keeps: this one, unless it has one already."""
    pinned = update(UpdateRound).where(UpdateRound.id == round_id, UpdateRound.policy_version_id.is_(None))
    await connection.execute(pinned.values(policy_version_id=policy_version_id))
    return (await read_work(connection, round_id)).policy_version_id or policy_version_id


async def villages_to_list(connection: AsyncConnection, listed: Round, *, at_most: int) -> Sequence[str]:
    """Villages of the regency that have no work list in this round yet, in the order of their codes."""
    has_list = exists().where(RoundVillage.round_id == listed.id, RoundVillage.area_code == Area.code)
    wanted = (
        select(Area.code)
        .where(
            Area.code > f"{listed.area_code}.",
            Area.code < f"{listed.area_code}/",
            Area.level == AreaLevel.VILLAGE.value,
            ~has_list,
        )
        .order_by(Area.code)
        .limit(at_most)
    )
    return (await connection.scalars(wanted)).all()


async def read_believed(connection: AsyncConnection, round_id: UUID, area_code: str) -> list[Believed]:
    """The baseline of a village, as far as it makes households targets."""
    wanted = select(*_BELIEVED).where(RoundBaseline.round_id == round_id, RoundBaseline.area_code == area_code)
    return [
        Believed(
            household_id=row.household_id,
            data_of=row.data_of,
            verified=row.verified,
            match_state=MatchState(row.match_state),
            duplicates=row.duplicates,
            completeness=row.completeness,
        )
        for row in await connection.execute(wanted)
    ]


async def keep_list(
    connection: AsyncConnection,
    round_id: UUID,
    area_code: str,
    listed: Sequence[Listed],
    *,
    capacity: Capacity,
    at: datetime,
) -> bool:
    """Keep the work list of a village; whether it had none before."""
    village = {
        "round_id": round_id,
        "area_code": area_code,
        "listed": len(listed),
        "operators": capacity.operators,
        "working_days": capacity.working_days,
        "capacity": capacity.households,
        "listed_at": at,
    }
    kept = await connection.execute(upsert(RoundVillage).values(village).on_conflict_do_nothing())
    if not kept.rowcount:
        return False
    rows = [
        {
            "round_id": round_id,
            "household_id": each.household_id,
            "area_code": area_code,
            "rank": place,
            "position": place,
            "points": each.points,
            "reasons": [reason.value for reason in each.reasons],
            "data_of": each.data_of,
        }
        for place, each in enumerate(listed, start=1)
    ]
    if rows:
        await connection.execute(insert(RoundTarget), rows)
    return True


async def finish_listing(connection: AsyncConnection, round_id: UUID, *, at: datetime) -> int | None:
    """Note that every village has its work list: how many households they name; None when that had been noted."""
    noted = update(UpdateRound).where(UpdateRound.id == round_id, UpdateRound.listed_at.is_(None))
    if not (await connection.execute(noted.values(listed_at=at))).rowcount:
        return None
    named = select(func.coalesce(func.sum(RoundVillage.listed), 0)).where(RoundVillage.round_id == round_id)
    return await connection.scalar(named)


async def lock_village(connection: AsyncConnection, round_id: UUID, area_code: str) -> Any:
    """A village of a round, which nobody else changes until the transaction ends. Raises NotFound without a list."""
    wanted = select(RoundVillage.__table__).where(
        RoundVillage.round_id == round_id, RoundVillage.area_code == area_code
    )
    row = (await connection.execute(wanted.with_for_update())).one_or_none()
    if row is None:
        raise NotFound("The village has no work list in this round yet.")
    return row


async def position_of(connection: AsyncConnection, round_id: UUID, area_code: str, household_id: UUID) -> int | None:
    """At which place of its village's list a household stands now; None where it is not on it."""
    wanted = select(RoundTarget.position).where(
        RoundTarget.round_id == round_id,
        RoundTarget.area_code == area_code,
        RoundTarget.household_id == household_id,
    )
    return await connection.scalar(wanted)


async def move_target(connection: AsyncConnection, move: dict[str, Any]) -> None:
    """Put a household at another place; those between give way by one. Under the lock of the village.

    `move` is the row that is kept of it.
    """
    before, after = move["from_position"], move["to_position"]
    between = (min(before, after), max(before, after))
    given_way = RoundTarget.position + (1 if after < before else -1)
    moved = (
        update(RoundTarget)
        .where(
            RoundTarget.round_id == move["round_id"],
            RoundTarget.area_code == move["area_code"],
            RoundTarget.position.between(*between),
        )
        .values(position=case((RoundTarget.household_id == move["household_id"], after), else_=given_way))
    )
    await connection.execute(moved)
    await connection.execute(insert(RoundMove).values(move))
    of_village = update(RoundVillage).where(
        RoundVillage.round_id == move["round_id"], RoundVillage.area_code == move["area_code"]
    )
    await connection.execute(of_village.values(version=RoundVillage.version + 1))
