"""What persons ask of their data: written down by an officer, answered within three days of the clock.

Access is answered by the worker, which makes the export; objection and erasure by somebody, with a coded reason.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import DataSubjectDigest, DataSubjectExport, DataSubjectRequest
from db.repositories import trail
from db.repositories.disclosure import Read, Reader, log_readings
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType, commit, new_salt, stream_of_rights
from domain.authority import Actor, Permission, Seat
from domain.disclosure import Purpose
from domain.errors import ContentErased, Forbidden, NotFound, NotPossibleNow
from domain.ids import new_id
from domain.person_export import PersonExport
from domain.rights import (
    RightsAnswer,
    RightsInput,
    RightsKind,
    RightsState,
    answered_state,
    check_request,
    due_at,
    export_context,
    nik_context,
    rights_note_context,
    words_context,
)
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.queries.rights import RightsRequest, told_request

REQUEST: Final = "POST /v1/data-subject-requests"
ANSWER: Final = "POST /v1/data-subject-requests/{id}/answer"


async def request_rights(kawal: Kawal, call: Call, request: RightsInput) -> RightsRequest:
    """Write down what a person asks for.

    Raises NotFound outside the actor's areas, Forbidden, InvalidInput, IdempotencyKeyReused.
    """
    seat = call.actor.seat_for(Permission.RIGHTS_HANDLE, area_code=request.area_code)
    check_request(request)
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        made, _ = await once(
            connection,
            call,
            request,
            lambda: _write_down(kawal, connection, call, request, seat),
            answer=Created,
            route=REQUEST,
            vault=kawal.vault,
        )
        return await told_request(kawal, connection, await _find(connection, made.id), now=call.at)


async def _write_down(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    request: RightsInput,
    seat: Seat,
) -> Created:
    request_id, salt = new_id(), new_salt()
    await connection.execute(
        insert(DataSubjectRequest).values(
            id=request_id,
            area_code=request.area_code,
            kind=request.kind.value,
            state=RightsState.OPEN.value,
            asked_by=request.asked_by.value,
            identified_by=request.identified_by.value,
            nik=kawal.vault.seal_text(request.nik, context=nik_context(request_id)),
            explanation=kawal.vault.seal_text(request.explanation, context=words_context(request_id)),
            salt=salt,
            requested_by=call.actor.user_id,
            requested_at=call.at,
            due_at=due_at(call.at),
        ),
    )
    for digest in kawal.vault.digests([request.nik], purpose="nik"):
        await connection.execute(
            insert(DataSubjectDigest).values(
                id=new_id(),
                request_id=request_id,
                area_code=request.area_code,
                key_id=digest.key_id,
                digest=digest.digest,
            ),
        )
    told: dict[str, JsonValue] = {
        "kind": request.kind.value,
        "asked_by": request.asked_by.value,
        "identified_by": request.identified_by.value,
        "nik": commit(request.nik, salt=salt),
    }
    await _tell(connection, call.actor, seat, request_id, request.area_code, AuditType.RIGHTS_REQUESTED, told, call.at)
    return Created(id=request_id)


async def answer_rights(kawal: Kawal, call: Call, request_id: UUID, answer: RightsAnswer) -> RightsRequest:
    """Answer a request, once.

    Raises NotFound, Forbidden, NotPossibleNow once it is answered, InvalidInput for a reason of another kind.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        row = await _find(connection, request_id, lock=True)
        seat = call.actor.seat_for(Permission.RIGHTS_ANSWER, area_code=row.area_code)
        await once(
            connection,
            call,
            answer,
            lambda: _answer(kawal, connection, call, row, answer, seat),
            answer=Created,
            route=f"{ANSWER} {request_id}",
            vault=kawal.vault,
        )
        return await told_request(kawal, connection, await _find(connection, request_id), now=call.at)


async def _answer(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    row: Row[*tuple[Any, ...]],
    answer: RightsAnswer,
    seat: Seat,
) -> Created:
    state = answered_state(RightsKind(row.kind), RightsState(row.state), answer.reason)
    await connection.execute(
        update(DataSubjectRequest)
        .where(DataSubjectRequest.id == row.id)
        .values(
            state=state.value,
            reason=answer.reason.value,
            note=kawal.vault.seal_text(answer.note, context=rights_note_context(row.id)),
            answered_by=call.actor.user_id,
            answered_at=call.at,
        ),
    )
    told: dict[str, JsonValue] = {"kind": row.kind, "state": state.value, "reason": answer.reason.value}
    await _tell(connection, call.actor, seat, row.id, row.area_code, AuditType.RIGHTS_ANSWERED, told, call.at)
    return Created(id=row.id)


async def download_export(kawal: Kawal, actor: Actor, request_id: UUID) -> PersonExport:
    """The export, for who wrote the request down; each download is written to the read log first.

    Raises NotFound, Forbidden for anybody else, NotPossibleNow while it is being made, ContentErased after its time.
    """
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        row = await _find(connection, request_id)
        seat = actor.seat_for(Permission.RIGHTS_HANDLE, area_code=row.area_code)
        if row.requested_by != actor.user_id:
            raise Forbidden("The export is handed to who wrote the request down.", remedy="Write one down yourself.")
        _check_ready(row, at=at)
        content = await connection.scalar(
            select(DataSubjectExport.content).where(DataSubjectExport.request_id == request_id),
        )
        if content is None:
            raise _gone()
        words = f"Salinan data untuk {row.asked_by}"
        reader = Reader(
            user_id=actor.user_id,
            seat=seat,
            purpose=Purpose.PERSONS_REQUEST,
            explanation=words,
            batch_id=request_id,
        )
        read = Read(subject="person", area_code=row.area_code)
        (reading,) = await log_readings(connection, reader, [read], at=at, vault=kawal.vault)
        told: dict[str, JsonValue] = {"reading": str(reading)}
        await _tell(connection, actor, seat, request_id, row.area_code, AuditType.RIGHTS_EXPORT_READ, told, at)
    return kawal.vault.open(content, PersonExport, context=export_context(request_id))


def _check_ready(row: Row[*tuple[Any, ...]], *, at: datetime) -> None:
    if row.kind != RightsKind.ACCESS.value:
        raise NotPossibleNow("There is an export of requests for access alone.", remedy="Write such a request down.")
    if row.state == RightsState.OPEN.value:
        raise NotPossibleNow("The export is being made.", remedy="Ask again in a minute.")
    if row.export_until is None:
        raise NotPossibleNow("The request was answered without an export.", remedy="Read its reason.")
    if row.export_until <= at:
        raise _gone()


def _gone() -> ContentErased:
    return ContentErased("The export was removed after its time.", remedy="Write a new request down.")


async def _find(connection: AsyncConnection, request_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
    wanted = select(DataSubjectRequest.__table__).where(DataSubjectRequest.id == request_id)
    row = (await connection.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    if row is None:
        raise NotFound(f"There is no request {request_id} for you.")
    return row


async def _tell(
    connection: AsyncConnection,
    actor: Actor,
    seat: Seat,
    request_id: UUID,
    area_code: str,
    happened: AuditType,
    data: dict[str, JsonValue],
    at: datetime,
) -> None:
    entry = Entry(type=happened, by=Doer.of(actor, seat), data=data)
    await trail.record(connection, stream_of_rights(request_id), [entry], at=at, area_code=area_code)
