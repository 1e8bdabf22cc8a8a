"""Minutes of villages: recorded once, named by decisions, carried out case by case."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Date,
    Row,
    Select,
    any_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from db.models import Area, Evidence, MinutesCase, MinutesRecord, Task, Update
from domain.decisions import Minutes, MinutesById
from domain.errors import NotFound
from domain.evidence import EvidenceType
from domain.minutes import CaseFacts, CaseResult, HeldMinutes
from domain.vocabulary import MinutesType, Outcome, Stage


class ScanHeld(NamedTuple):
    """An uploaded file as far as it may be the scan of a paper; `free` is whether it stands behind nothing yet."""

    type: EvidenceType
    free: bool


class CaseToDecide(NamedTuple):
    """A case that minutes list and that has no result yet; `task_id` is the task asked about before, if any was."""

    update_id: UUID
    place: int
    outcome: Outcome
    act_id: UUID
    task_id: UUID | None


class Deliberation(NamedTuple):
    """Where a case stands with its village: the latest deliberation, if there was one, and whether the case has ended.

    `open_task` is that of a deliberation under way; `decided` is who decided the latest one, how and when.
    """

    open_task: UUID | None
    decided: dict[str, Any] | None
    closed: bool


_LOCK_VILLAGE: Final = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name"), 0)))
_ADD: Final = insert(MinutesRecord)
_ADD_CASE: Final = insert(MinutesCase)
_SAVE_CASE: Final = update(MinutesCase).where(
    MinutesCase.minutes_id == bindparam("of_minutes"), MinutesCase.update_id == bindparam("of_update")
)
_submitted_on: Final = cast(func.timezone(Area.zone, Update.submitted_at), Date)
_FACTS: Final = (
    select(Update.id, _submitted_on.label("submitted_on"))
    .select_from(Update)
    .join(Area, Area.code == Update.area_code)
    .where(
        Update.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        Update.area_code == bindparam("area_code"),
    )
)
_HELD: Final = (
    select(
        MinutesRecord.id,
        MinutesRecord.type,
        MinutesRecord.number,
        MinutesRecord.held_on,
        MinutesRecord.superseded_by,
        ((MinutesRecord.covers == "village") & (_submitted_on <= MinutesRecord.held_on)).label("covers_case"),
        MinutesCase.outcome,
    )
    .select_from(MinutesRecord)
    .join(Update, Update.id == bindparam("update_id", type_=Uuid()))
    .join(Area, Area.code == Update.area_code)
    .outerjoin(MinutesCase, (MinutesCase.minutes_id == MinutesRecord.id) & (MinutesCase.update_id == Update.id))
    .where(MinutesRecord.area_code == Update.area_code)
)
_HELD_BY_ID: Final = _HELD.where(MinutesRecord.id == bindparam("minutes_id", type_=Uuid()))
_HELD_BY_NUMBER: Final = _HELD.where(
    MinutesRecord.type == bindparam("type"),
    MinutesRecord.number == bindparam("number"),
    MinutesRecord.year == bindparam("year"),
    MinutesRecord.superseded_by.is_(None),
)


_DELIBERATION: Final = (
    select(Task.id, Task.status, Task.decided_by, Task.decided_at, Task.outcome, Update.closed_at)
    .select_from(Update)
    .outerjoin(Task, (Task.update_id == Update.id) & (Task.stage == Stage.DELIBERATION.value))
    .where(Update.id == bindparam("update_id"))
    .order_by(Task.id.desc().nulls_last())
    .limit(1)
)


async def lock_village(connection: AsyncConnection, area_code: str) -> None:
    """Let nobody else record minutes of this village until the transaction ends."""
    await connection.execute(_LOCK_VILLAGE, {"name": f"minutes:{area_code}"})


async def find_held(
    connection: AsyncConnection, named: Minutes | MinutesById, *, update_id: UUID
) -> HeldMinutes | None:
    """The record of the case's village that a decision names, and what it says of the case; by number, one in force."""
    match named:
        case MinutesById(id=minutes_id):
            statement, which = _HELD_BY_ID, {"minutes_id": minutes_id}
        case Minutes(id=UUID() as minutes_id):
            statement, which = _HELD_BY_ID, {"minutes_id": minutes_id}
        case Minutes(type=kind, number=number, held_on=day):
            statement, which = _HELD_BY_NUMBER, {"type": kind, "number": number, "year": day.year}
    row = (await connection.execute(statement, {"update_id": update_id, **which})).one_or_none()
    if row is None:
        return None
    return HeldMinutes(
        id=row.id,
        type=MinutesType(row.type),
        number=row.number,
        held_on=row.held_on,
        superseded_by=row.superseded_by,
        covers_case=row.covers_case,
        outcome=row.outcome and Outcome(row.outcome),
    )


async def read_case_facts(
    connection: AsyncConnection, ids: Collection[UUID], *, area_code: str
) -> dict[UUID, CaseFacts]:
    """Of these cases, those of the village."""
    rows = await connection.execute(_FACTS, {"ids": list(ids), "area_code": area_code})
    return {row.id: CaseFacts(submitted_on=row.submitted_on) for row in rows}


async def find_number(
    connection: AsyncConnection, area_code: str, *, number: str, day: date, besides: UUID | None
) -> UUID | None:
    """The record in force that has the number in the village and year of the day."""
    wanted = select(MinutesRecord.id).where(
        MinutesRecord.area_code == area_code,
        MinutesRecord.year == day.year,
        MinutesRecord.number == number,
        MinutesRecord.superseded_by.is_(None),
    )
    return await connection.scalar(wanted if besides is None else wanted.where(MinutesRecord.id != besides))


async def find_scan(
    connection: AsyncConnection, evidence_id: UUID, *, area_code: str, besides: UUID | None
) -> ScanHeld | None:
    """A file of the village that has not been erased; whether any record in force has it, `besides` one."""
    taken = exists().where(
        MinutesRecord.scan_id == Evidence.id,
        MinutesRecord.superseded_by.is_(None),
        MinutesRecord.id.is_distinct_from(besides),
    )
    wanted = select(Evidence.type, taken.label("taken")).where(
        Evidence.id == evidence_id, Evidence.area_code == area_code, Evidence.erased_at.is_(None)
    )
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else ScanHeld(EvidenceType(row.type), free=not row.taken)


async def read_minutes_row(connection: AsyncConnection, minutes_id: UUID) -> Row[*tuple[Any, ...]]:
    """A record within view, with the name of its village. Raises NotFound."""
    row = (await connection.execute(minutes_rows().where(MinutesRecord.id == minutes_id))).one_or_none()
    if row is None:
        raise NotFound(f"There are no minutes {minutes_id} for you.")
    return row


def minutes_rows() -> Select[*tuple[Any, ...]]:
    """Records within view, each with the name of its village."""
    return select(MinutesRecord.__table__, Area.name.label("area_name")).join(
        Area, Area.code == MinutesRecord.area_code
    )


async def add_minutes(connection: AsyncConnection, row: dict[str, Any], cases: Sequence[dict[str, Any]]) -> bool:
    """Record a paper with the cases that it lists; False when its scan was erased meanwhile."""
    if row["supersedes"] is not None:
        await connection.execute(
            update(MinutesRecord).where(MinutesRecord.id == row["supersedes"]).values(superseded_by=row["id"])
        )
    added = await connection.execute(_ADD, row)
    if added.rowcount and cases:
        await connection.execute(_ADD_CASE, cases)
    return bool(added.rowcount)


# --- carrying them out ----------------------------------------------------------------------------------------


async def read_cases_to_decide(
    connection: AsyncConnection, minutes_id: UUID, *, after: int, at_most: int
) -> list[CaseToDecide]:
    """Cases without a result, in the order of the paper, from after a place on it."""
    rows = await connection.execute(
        select(
            MinutesCase.update_id,
            MinutesCase.place,
            MinutesCase.outcome,
            MinutesCase.act_id,
            MinutesCase.task_id,
        )
        .where(
            MinutesCase.minutes_id == minutes_id,
            MinutesCase.settled_at.is_(None),
            MinutesCase.place > after,
        )
        .order_by(MinutesCase.place)
        .limit(at_most)
    )
    return [CaseToDecide(row.update_id, row.place, Outcome(row.outcome), row.act_id, row.task_id) for row in rows]


async def find_deliberation(connection: AsyncConnection, update_id: UUID) -> Deliberation:
    """Where a case stands, as far as minutes are concerned."""
    row = (await connection.execute(_DELIBERATION, {"update_id": update_id})).one()
    decided = None
    if row.status == "decided":
        decided = {
            "task_id": str(row.id),
            "decided_by": row.decided_by and str(row.decided_by),
            "decided_at": row.decided_at.isoformat(),
            "outcome": row.outcome,
        }
    return Deliberation(row.id if row.status == "open" else None, decided, closed=row.closed_at is not None)


async def decided_by_earlier(connection: AsyncConnection, minutes_id: UUID, case: CaseToDecide) -> bool:
    """Whether what this record corrects has decided the case as it does."""
    wanted = (
        select(literal(1))
        .select_from(MinutesRecord)
        .join(MinutesCase, MinutesCase.minutes_id == MinutesRecord.supersedes)
        .where(
            MinutesRecord.id == minutes_id,
            MinutesCase.update_id == case.update_id,
            MinutesCase.outcome == case.outcome.value,
            MinutesCase.result.in_((CaseResult.DECIDED.value, CaseResult.STANDS.value)),
        )
    )
    return await connection.scalar(wanted) is not None


async def keep_task(connection: AsyncConnection, minutes_id: UUID, update_id: UUID, task_id: UUID) -> None:
    """Note which task is asked about, before it is: whoever asks again asks about the same."""
    await connection.execute(_SAVE_CASE, {"of_minutes": minutes_id, "of_update": update_id, "task_id": task_id})


async def settle_case(
    connection: AsyncConnection,
    minutes_id: UUID,
    update_id: UUID,
    *,
    result: CaseResult,
    detail: dict[str, Any] | None,
    at: datetime,
) -> None:
    """Say once and for all what came of a case; whoever said so first has said it."""
    statement = _SAVE_CASE.where(MinutesCase.settled_at.is_(None))
    values = {"result": result.value, "detail": null() if detail is None else detail, "settled_at": at}
    await connection.execute(statement.values(**values), {"of_minutes": minutes_id, "of_update": update_id})


async def finish_minutes(connection: AsyncConnection, minutes_id: UUID, *, at: datetime) -> bool:
    """Say that every case has its result; False when that was said before, or is not so."""
    open_case = exists().where(MinutesCase.minutes_id == MinutesRecord.id, MinutesCase.settled_at.is_(None))
    finished = await connection.execute(
        update(MinutesRecord)
        .where(MinutesRecord.id == minutes_id, MinutesRecord.finished_at.is_(None), ~open_case)
        .values(finished_at=at)
    )
    return bool(finished.rowcount)


async def count_results(connection: AsyncConnection, minutes_id: UUID) -> dict[str, int]:
    """How many cases came to each result; those without one under `open`."""
    counted = select(func.coalesce(MinutesCase.result, "open").label("result"), func.count().label("n"))
    rows = await connection.execute(counted.where(MinutesCase.minutes_id == minutes_id).group_by("result"))
    return {row.result: row.n for row in rows}
