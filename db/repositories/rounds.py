"""Rounds of regencies: their latest calendars, and the cases that roll over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import RoundRoll, RoundTerms, Task, Update, UpdateRound
from domain.errors import NotFound
from domain.rounds import Days, Round, RoundDates
from domain.vocabulary import Outcome, Stage, Status

_TAKE_TURNS: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('kawal-rounds/' || :area, 0))")
_DATES: Final = (
    *(RoundTerms.opens, RoundTerms.input_opens, RoundTerms.input_closes),
    *(RoundTerms.musdes_opens, RoundTerms.musdes_closes, RoundTerms.cut_off, RoundTerms.publishes),
)
_COLUMNS: Final = (
    *(UpdateRound.id, UpdateRound.area_code, UpdateRound.period, UpdateRound.version),
    *(UpdateRound.baseline_at, UpdateRound.rolled_at, UpdateRound.closed_at),
    *_DATES,
    *(RoundTerms.opens_at, RoundTerms.cutoff_at),
)


def stream_of_rounds(area_code: str) -> str:
    """The name of the trail of the rounds of a regency, or of what a village does in them."""
    return f"rounds:{area_code}"


async def lock_rounds(connection: AsyncConnection, area_code: str) -> None:
    """Take turns with whoever else plans rounds of the regency."""
    await connection.execute(_TAKE_TURNS, {"area": area_code})


def latest_rounds() -> Select[*tuple[Any, ...]]:
    """Every round with its latest terms."""
    latest = and_(RoundTerms.round_id == UpdateRound.id, RoundTerms.version == UpdateRound.version)
    return select(*_COLUMNS).join(RoundTerms, latest)


async def read_rounds(connection: AsyncConnection, area_codes: Collection[str]) -> list[Round]:
    """The rounds of these regencies, in the order of their cut-offs."""
    wanted = latest_rounds().where(UpdateRound.area_code.in_(sorted(area_codes))).order_by(RoundTerms.cutoff_at)
    return [round_of(row) for row in await connection.execute(wanted)]


async def read_round(connection: AsyncConnection, round_id: UUID) -> Round:
    """One round by its latest terms. Raises NotFound."""
    row = (await connection.execute(latest_rounds().where(UpdateRound.id == round_id))).one_or_none()
    if row is None:
        raise NotFound(f"There is no round {round_id}.")
    return round_of(row)


async def rounds_ahead(
    connection: AsyncConnection, area_codes: Collection[str] | None, *, now: datetime
) -> dict[str, list[Round]]:
    """Of each of these regencies (None: of all) the rounds whose cut-off is to come, the next one first."""
    ahead = latest_rounds().where(RoundTerms.cutoff_at >= now).order_by(RoundTerms.cutoff_at)
    if area_codes is not None:
        ahead = ahead.where(UpdateRound.area_code.in_(sorted(area_codes)))
    found = defaultdict[str, list[Round]](list)
    for row in await connection.execute(ahead):
        found[row.area_code].append(round_of(row))
    return found


def round_of(row: Row[*tuple[Any, ...]]) -> Round:
    """The round out of a row of `latest_rounds`."""
    return Round(
        id=row.id,
        area_code=row.area_code,
        period=row.period,
        version=row.version,
        dates=dates_of(row),
        opens_at=row.opens_at,
        cutoff_at=row.cutoff_at,
        closed=row.closed_at is not None,
    )


def dates_of(row: Row[*tuple[Any, ...]]) -> RoundDates:
    """The calendar out of a row with the columns of terms."""
    return RoundDates(
        opens=row.opens,
        input_window=Days(opens=row.input_opens, closes=row.input_closes),
        musdes_window=Days(opens=row.musdes_opens, closes=row.musdes_closes),
        cut_off=row.cut_off,
        publishes=row.publishes,
    )


def columns_of(dates: RoundDates) -> dict[str, Any]:
    """The columns of terms that a calendar fills."""
    return {
        "opens": dates.opens,
        "input_opens": dates.input_window.opens,
        "input_closes": dates.input_window.closes,
        "musdes_opens": dates.musdes_window.opens,
        "musdes_closes": dates.musdes_window.closes,
        "cut_off": dates.cut_off,
        "publishes": dates.publishes,
    }


async def rounds_to_roll(connection: AsyncConnection, *, cut_off_before: datetime) -> list[Round]:
    """Rounds past their cut-off of which not every case has rolled over, the earliest cut-off first."""
    due = latest_rounds().where(UpdateRound.rolled_at.is_(None), RoundTerms.cutoff_at < cut_off_before)
    return [round_of(row) for row in await connection.execute(due.order_by(RoundTerms.cutoff_at))]


async def cases_to_roll(connection: AsyncConnection, cut_off: Round, *, at_most: int) -> Sequence[UUID]:
    """Cases that missed the cut-off of this round and have not rolled over from it."""
    inside = and_(Update.area_code >= f"{cut_off.area_code}.", Update.area_code < f"{cut_off.area_code}/")
    rolled = exists().where(RoundRoll.update_id == Update.id, RoundRoll.from_round == cut_off.id)
    wanted = select(Update.id).where(inside, _missed(cut_off), ~rolled).limit(at_most)
    return (await connection.scalars(wanted)).all()


def _missed(cut_off: Round) -> ColumnElement[bool]:
    """Submitted before the cut-off and not approved by then; what was applied since was approved since.

    Approved by then is what was handed to delivery by then and has not come back.
    """
    under_way = or_(
        Update.closed_at.is_(None),
        and_(Update.closed_at > cut_off.cutoff_at, Update.status == Status.APPLIED.value),
    )
    approved_by_then = and_(
        or_(Update.stage == Stage.DELIVERY.value, Update.status == Status.APPLIED.value),
        exists().where(
            Task.update_id == Update.id,
            Task.stage == Stage.DELIVERY.value,
            Task.opened_at <= cut_off.cutoff_at,
            Task.outcome.is_distinct_from(Outcome.RETURN.value),
        ),
    )
    return and_(Update.submitted_at <= cut_off.cutoff_at, under_way, approved_by_then.is_not(True))


async def roll_case(
    connection: AsyncConnection,
    update_id: UUID,
    *,
    area_code: str,
    from_round: UUID,
    to_round: UUID | None,
    at: datetime,
) -> bool:
    """Write down that a case rolled over; whether it had not before."""
    row = {
        "update_id": update_id,
        "from_round": from_round,
        "to_round": to_round,
        "area_code": area_code,
        "rolled_at": at,
    }
    done = await connection.execute(upsert(RoundRoll).values(row).on_conflict_do_nothing())
    return bool(done.rowcount)


async def finish_rolling(connection: AsyncConnection, round_id: UUID, *, at: datetime) -> int | None:
    """Note that every case has rolled over: how many did; None when somebody had noted it before."""
    noted = update(UpdateRound).where(UpdateRound.id == round_id, UpdateRound.rolled_at.is_(None)).values(rolled_at=at)
    if not (await connection.execute(noted)).rowcount:
        return None
    return await connection.scalar(select(func.count()).where(RoundRoll.from_round == round_id))


async def add_round(connection: AsyncConnection, row: dict[str, Any], terms: dict[str, Any]) -> None:
    """A new round with its first terms."""
    await connection.execute(insert(UpdateRound).values(row))
    await add_terms(connection, terms)


async def add_terms(connection: AsyncConnection, terms: dict[str, Any]) -> None:
    """Further terms of a round."""
    await connection.execute(insert(RoundTerms).values(terms))
