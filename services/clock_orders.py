"""Entering, correcting and lifting orders over the clocks of an area.

Each is one transaction: a record that supersedes the one before it, a job that carries it to every open task
(`duties/clock_jobs.py`), an event, and an announcement to all who work in the area. Deadlines have moved when the job
says so, moments later; no rung fires meanwhile, since a milestone is judged by the orders themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, JsonValue
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import ClockOrderRecord, Evidence, Notification
from db.repositories import trail
from db.repositories.clocks import add_job, stream_of_jobs
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Seat
from domain.clock_order_input import LiftInput, OutageInput, OutageTerms, SuspensionInput, SuspensionTerms
from domain.clock_orders import OrderKind
from domain.errors import InvalidInput, NotPossibleNow, Violation
from domain.ids import new_id
from domain.permissions import Permission
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.queries.clock_orders import ClockOrderInFull, find_order, read_order, require_area
from services.versions import require_version

ENTER: Final = {OrderKind.SUSPENSION: "POST /v1/suspensions", OrderKind.OUTAGE: "POST /v1/outages"}
_SUBJECTS: Final = {
    AuditType.CLOCK_ORDER_ENTERED: "clock_order_entered",
    AuditType.CLOCK_ORDER_CORRECTED: "clock_order_corrected",
    AuditType.CLOCK_ORDER_LIFTED: "clock_order_lifted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """A record that is about to be written."""

    id: UUID
    version: int
    kind: OrderKind
    area_code: str
    values: dict[str, Any]


async def enter_order(
    kawal: Kawal, call: Call, request: SuspensionInput | OutageInput
) -> tuple[ClockOrderInFull, bool]:
    """Enter an order; and whether the same request had been answered before.

    Raises NotFound outside the actor's areas and for an area that is none, Forbidden, InvalidInput,
    IdempotencyKeyReused.
    """
    kind = OrderKind.SUSPENSION if isinstance(request, SuspensionInput) else OrderKind.OUTAGE
    seat = call.actor.seat_for(Permission.CLOCKS_ORDER, area_code=request.area_code)
    _check_terms(request)
    record = _Record(id=new_id(), version=1, kind=kind, area_code=request.area_code, values=_terms_of(request))

    async def do(connection: AsyncConnection) -> Created:
        await require_area(connection, request.area_code)
        await _write(connection, call, seat, record, AuditType.CLOCK_ORDER_ENTERED)
        return Created(id=record.id)

    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        made, again = await once(
            connection,
            call,
            request,
            lambda: do(connection),
            answer=Created,
            route=ENTER[kind],
            vault=kawal.vault,
        )
        return await read_order(kawal, connection, made.id, kind), again


async def correct_order(
    kawal: Kawal, call: Call, order_id: UUID, terms: SuspensionTerms | OutageTerms
) -> ClockOrderInFull:
    """Supersede what an order says; its area stays. Raises NotFound, Forbidden, StaleVersion, InvalidInput."""
    kind = OrderKind.SUSPENSION if isinstance(terms, SuspensionTerms) else OrderKind.OUTAGE
    _check_terms(terms)

    def corrected(_: ClockOrderInFull) -> dict[str, Any]:
        return _terms_of(terms)

    return await _supersede(kawal, call, order_id, kind, terms, what=AuditType.CLOCK_ORDER_CORRECTED, values=corrected)


async def lift_order(kawal: Kawal, call: Call, order_id: UUID, kind: OrderKind, order: LiftInput) -> ClockOrderInFull:
    """Let an order end, now or at another moment than it says; an end before its beginning makes it void.

    Raises NotFound, Forbidden, StaleVersion, and NotPossibleNow when it has ended by then.
    """
    until = order.until or call.at

    def values(held: ClockOrderInFull) -> dict[str, Any]:
        if held.void or (held.until is not None and held.until <= until):
            raise NotPossibleNow("The order has ended by then.", remedy="Read it; correct it where it is wrong.")
        kept: dict[str, Any] = {
            "number": held.number,
            "reason": held.reason,
            "part": held.part,
            "from_at": held.from_,
            "credit_days": held.credit_days,
            "evidence_id": held.scan,
            "note": order.note or held.note,
        }
        never = until <= held.from_
        return {**kept, "until_at": held.until if never else until, "void": never}

    return await _supersede(kawal, call, order_id, kind, order, what=AuditType.CLOCK_ORDER_LIFTED, values=values)


async def _supersede(
    kawal: Kawal,
    call: Call,
    order_id: UUID,
    kind: OrderKind,
    request: BaseModel,
    *,
    what: AuditType,
    values: Callable[[ClockOrderInFull], dict[str, Any]],
) -> ClockOrderInFull:
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        area_code = await find_order(connection, order_id, kind)
        seat = call.actor.seat_for(Permission.CLOCKS_ORDER, area_code=area_code)

        async def do() -> Created:
            job = await add_job(connection, area_code=area_code, cause="order", at=call.at)
            held = await read_order(kawal, connection, order_id, kind)
            require_version(call.holds, held.version)
            record = _Record(id=order_id, version=held.version + 1, kind=kind, area_code=area_code, values=values(held))
            await _write(connection, call, seat, record, what, job=job)
            return Created(id=order_id)

        await once(
            connection,
            call,
            request,
            do,
            answer=Created,
            route=f"{what.value} {order_id}",
            vault=kawal.vault,
        )
        return await read_order(kawal, connection, order_id, kind)


def _terms_of(terms: SuspensionTerms | OutageTerms) -> dict[str, Any]:
    """The columns of a record that its terms fill."""
    values: dict[str, Any] = {
        "number": terms.number,
        "from_at": terms.from_,
        "until_at": terms.until,
        "evidence_id": terms.scan,
        "note": terms.note,
        "void": False,
    }
    match terms:
        case SuspensionTerms():
            return values | {"reason": terms.reason.value, "part": None, "credit_days": None}
        case OutageTerms():
            return values | {"reason": None, "part": terms.part.value, "credit_days": terms.credit_days}


def _check_terms(terms: SuspensionTerms | OutageTerms) -> None:
    if terms.until is not None and terms.until <= terms.from_:
        raise InvalidInput(
            [
                Violation(
                    pointer="/until",
                    code="order_backwards",
                    detail="The order would end before it begins.",
                    remedy="Let `until` be after `from`.",
                ),
            ],
        )


async def _write(
    connection: AsyncConnection,
    call: Call,
    seat: Seat,
    record: _Record,
    what: AuditType,
    *,
    job: int | None = None,
) -> None:
    if job is None:
        job = await add_job(connection, area_code=record.area_code, cause="order", at=call.at)
    await _check_scan(connection, record.values["evidence_id"])
    await connection.execute(
        insert(ClockOrderRecord).values(
            id=record.id,
            version=record.version,
            job_id=job,
            kind=record.kind.value,
            area_code=record.area_code,
            entered_by=call.actor.user_id,
            entered_role=seat.role.value,
            office_id=seat.office_id,
            on_behalf_of=seat.on_behalf_of,
            entered_at=call.at,
            **record.values,
        ),
    )
    await _check_scan(connection, record.values["evidence_id"])
    told: dict[str, JsonValue] = {
        "order": str(record.id),
        "kind": record.kind.value,
        "version": record.version,
        **{name: _plain(value) for name, value in record.values.items() if name != "note"},
    }
    entry = Entry(type=what, by=Doer.of(call.actor, seat), data=told)
    area_code = record.area_code
    await trail.record(connection, stream_of_jobs(area_code), [entry], at=call.at, area_code=area_code)
    await connection.execute(
        insert(Notification).values(
            id=new_id(),
            clock_order_id=record.id,
            area_code=area_code,
            subject=_SUBJECTS[what],
            created_at=call.at,
        ),
    )


def _plain(value: Any) -> JsonValue:
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value


async def _check_scan(connection: AsyncConnection, evidence_id: UUID | None) -> None:
    """Raise InvalidInput for what is no file of the actor's areas.

    Asked before the record names it and once more after: from then on whoever erases files that nobody names waits.
    """
    if evidence_id is None:
        return
    kept = select(Evidence.id).where(Evidence.id == evidence_id, Evidence.erased_at.is_(None))
    if await connection.scalar(kept) is None:
        raise InvalidInput(
            [
                Violation(
                    pointer="/scan",
                    code="evidence_unknown",
                    detail="There is no such file for you.",
                    remedy="Upload it first, or leave it out.",
                ),
            ],
        )
