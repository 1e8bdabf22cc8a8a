"""The work list of a village in a round: what it is asked for, which hamlets stand out, and the ranked households."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, RoundBaseline, RoundMove, RoundTarget, RoundVillage
from db.repositories.rounds import read_round
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.baseline import MatchState
from domain.errors import NotFound
from domain.rounds import Round
from domain.targets import REASON_WORDS, MoveReason, TargetReason
from domain.vocabulary import Role
from services.kawal import Kawal
from services.queries.keyset import ByPlace, PageOf, Slice, cut
from services.queries.round_progress import NOTHING, Progress, read_progress
from services.queries.signoffs import SignoffView, read_signoffs
from services.queries.view import AreaRef, OfficeRef, PersonRef, Text, View
from services.queries.who import read_who

_MOST_HAMLETS: Final = 200
_LATEST_MOVES: Final = 50
_OF_MOVE: Final = ("household_id", "from_position", "to_position", "reason", "note", "moved_at")


class HamletWork(View):
    """A hamlet of the village by the baseline; without a case, nobody there has been heard of for long."""

    hamlet: str | None = Field(description="Null for households whose address names none")
    households: int
    never_verified: int
    with_case: int = Field(description="Households with an update in the months after which data are old")
    listed: int = Field(description="Of its households, on the work list")


class ListMoveView(View):
    """That somebody moved a household in the list by hand, and why."""

    household_id: UUID
    from_position: int
    to_position: int
    reason: MoveReason
    note: str | None
    moved_by: PersonRef
    on_behalf_of: PersonRef | None
    role: Role
    office: OfficeRef
    moved_at: datetime


class VillageWork(View):
    """What a village is to verify again in a round, and what it can."""

    round_id: UUID
    version: int
    area: AreaRef
    listed: int = Field(description="Households that the rules name")
    operators: int = Field(description="Operators of the village when the list was made")
    working_days: int = Field(description="Working days of the input window")
    capacity: int = Field(description="How many households that is by the policy's pace")
    asked: int = Field(description="The first so many of the list are asked for: its target, or else what it can")
    progress: Progress = Field(description="Plan against actual, as it is now")
    target: int | None = Field(description="What was proposed or decided last; it holds once it is determined")
    musdes_on: date | None
    determined_at: datetime | None
    signoffs: tuple[SignoffView, ...] = Field(description="Every step of its plan, in order; the last may be open")
    never_verified: int = Field(description="Of the list, never verified")
    by_reason: dict[TargetReason, int]
    hamlets: tuple[HamletWork, ...] = Field(description="Those without a case first, the largest of them before")
    moves: tuple[ListMoveView, ...] = Field(description="The latest moves by hand, the newest first")
    listed_at: datetime


class TargetReasonView(View):
    """A reason in words."""

    code: TargetReason
    words: Text


class Target(View):
    """A household on the list; open it to see who it is."""

    position: int
    rank: int = Field(description="Its place by the rules; another than `position` where it was moved by hand")
    household_id: UUID
    asked: bool = Field(description="Whether it is among those that the village is asked for")
    points: int
    reasons: tuple[TargetReasonView, ...]
    data_of: date
    age_days: int
    match_state: MatchState
    completeness: int
    hamlet: str | None


async def read_village(kawal: Kawal, actor: Actor, round_id: UUID, area_code: str) -> VillageWork:
    """What a village is asked for. Raises NotFound outside the actor's areas and before its list is made, Forbidden."""
    actor.seat_for(Permission.HOUSEHOLDS_READ, area_code=area_code)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        return await read_village_work(connection, await read_round(connection, round_id), area_code)


async def read_village_work(connection: AsyncConnection, shown: Round, area_code: str) -> VillageWork:
    """The same in a transaction that has begun."""
    row = await _village(connection, shown.id, area_code)
    reasons = await _by_reason(connection, shown.id, area_code)
    return VillageWork(
        round_id=shown.id,
        version=row.version,
        area=AreaRef.of(row),
        listed=row.listed,
        operators=row.operators,
        working_days=row.working_days,
        capacity=row.capacity,
        asked=_asked(row),
        progress=(await read_progress(connection, shown, (area_code,))).get(area_code, NOTHING),
        target=row.target,
        musdes_on=row.musdes_on,
        determined_at=row.determined_at,
        signoffs=await read_signoffs(connection, shown.id, area_code),
        never_verified=reasons.get(TargetReason.NEVER_VERIFIED, 0),
        by_reason=reasons,
        hamlets=await _hamlets(connection, shown.id, area_code),
        moves=await _moves(connection, shown.id, area_code),
        listed_at=row.listed_at,
    )


async def list_targets(
    kawal: Kawal, actor: Actor, round_id: UUID, area_code: str, page: PageOf[ByPlace]
) -> Slice[Target, ByPlace]:
    """The ranked households of a village. Raises NotFound, Forbidden as `read_village` does."""
    actor.seat_for(Permission.HOUSEHOLDS_READ, area_code=area_code)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        await read_round(connection, round_id)
        village = await _village(connection, round_id, area_code)
        found = (await connection.execute(_targets(round_id, area_code, page=page))).all()
    rows, after = cut(found, page.limit, lambda row: ByPlace(row.position))
    return Slice([_target(row, asked=_asked(village)) for row in rows], after)


def _asked(village: Row[*tuple[Any, ...]]) -> int:
    return min(village.listed, village.capacity) if village.target is None else village.target


def _of_village(model: Any, round_id: UUID, area_code: str) -> ColumnElement[bool]:
    return and_(model.round_id == round_id, model.area_code == area_code)


async def _village(connection: AsyncConnection, round_id: UUID, area_code: str) -> Row[*tuple[Any, ...]]:
    wanted = (
        select(RoundVillage.__table__, Area.name.label("area_name"))
        .join(Area, Area.code == RoundVillage.area_code)
        .where(_of_village(RoundVillage, round_id, area_code))
    )
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        raise NotFound("The village has no work list in this round yet.", remedy="Ask again once the round is open.")
    return row


def _targets(round_id: UUID, area_code: str, *, page: PageOf[ByPlace]) -> Select[*tuple[Any, ...]]:
    kept = RoundBaseline
    same = and_(kept.round_id == RoundTarget.round_id, kept.household_id == RoundTarget.household_id)
    statement = (
        select(RoundTarget.__table__, kept.age_days, kept.match_state, kept.completeness, kept.hamlet)
        .join(kept, same)
        .where(_of_village(RoundTarget, round_id, area_code))
        .order_by(RoundTarget.position)
        .limit(page.limit + 1)
    )
    return statement if page.after is None else statement.where(RoundTarget.position > page.after.place)


def _target(row: Row[*tuple[Any, ...]], *, asked: int) -> Target:
    return Target(
        position=row.position,
        rank=row.rank,
        household_id=row.household_id,
        asked=row.position <= asked,
        points=row.points,
        reasons=tuple(_reason(TargetReason(reason)) for reason in row.reasons),
        data_of=row.data_of,
        age_days=row.age_days,
        match_state=row.match_state,
        completeness=row.completeness,
        hamlet=row.hamlet,
    )


def _reason(reason: TargetReason) -> TargetReasonView:
    words = REASON_WORDS[reason]
    return TargetReasonView(code=reason, words=Text(id=words.id, en=words.en))


async def _by_reason(connection: AsyncConnection, round_id: UUID, area_code: str) -> dict[TargetReason, int]:
    reason = func.unnest(RoundTarget.reasons).label("reason")
    each = select(reason).where(_of_village(RoundTarget, round_id, area_code)).subquery()
    counted = select(each.c.reason, func.count().label("households")).group_by(each.c.reason).order_by(each.c.reason)
    return {TargetReason(row.reason): row.households for row in await connection.execute(counted)}


async def _hamlets(connection: AsyncConnection, round_id: UUID, area_code: str) -> tuple[HamletWork, ...]:
    kept = RoundBaseline
    same = and_(RoundTarget.round_id == kept.round_id, RoundTarget.household_id == kept.household_id)
    with_case = func.count().filter(kept.had_case).label("with_case")
    counted = (
        select(
            kept.hamlet,
            func.count().label("households"),
            func.count().filter(~kept.verified).label("never_verified"),
            with_case,
            func.count(RoundTarget.household_id).label("listed"),
        )
        .outerjoin(RoundTarget, same)
        .where(_of_village(kept, round_id, area_code))
        .group_by(kept.hamlet)
        .order_by(with_case > 0, func.count().desc(), kept.hamlet)
        .limit(_MOST_HAMLETS)
    )
    return tuple(
        HamletWork.model_validate(row, from_attributes=True) for row in (await connection.execute(counted)).all()
    )


async def _moves(connection: AsyncConnection, round_id: UUID, area_code: str) -> tuple[ListMoveView, ...]:
    latest = select(RoundMove.__table__).where(_of_village(RoundMove, round_id, area_code))
    rows = (await connection.execute(latest.order_by(RoundMove.id.desc()).limit(_LATEST_MOVES))).all()
    who = await read_who(connection, people=_people(rows), offices=(row.office_id for row in rows), posts=())
    return tuple(
        ListMoveView.model_validate(
            {
                **{name: getattr(row, name) for name in _OF_MOVE},
                "moved_by": who.person(row.moved_by),
                "on_behalf_of": who.person(row.on_behalf_of),
                "role": row.moved_role,
                "office": who.office(row.office_id),
            },
        )
        for row in rows
    )


def _people(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[UUID | None]:
    return [person for row in rows for person in (row.moved_by, row.on_behalf_of)]
