"""What the engine keeps, in the clear for whoever looks for a fault in it: ids and coded values. Who looked is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue
from temporalio.api.common.v1 import Payload

from db.repositories import trail
from db.repositories.disclosure import Read, Reader, log_readings
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import NATION, Actor, Permission
from domain.disclosure import Purpose
from services.kawal import Kawal

_STREAM: Final = "engine"
_WHY: Final = "Payloads of the workflow engine"


async def read_payloads(kawal: Kawal, actor: Actor, payloads: Sequence[Payload]) -> list[Payload]:
    """The payloads opened, once the reading is written down; one that does not open is marked as such.

    Raises Forbidden for who may not, NotFound for whose areas are less than the nation: a payload says not whose it is.
    """
    at = kawal.now()
    seat = actor.seat_for(Permission.ENGINE_READ, area_code=NATION)
    reader = Reader(user_id=actor.user_id, seat=seat, purpose=Purpose.ENGINE_DIAGNOSIS, explanation=_WHY)
    read = Read(subject="engine", area_code=NATION, items=max(len(payloads), 1))
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        (read_id,) = await log_readings(connection, reader, [read], at=at, vault=kawal.vault)
        told: dict[str, JsonValue] = {"reading": str(read_id), "payloads": len(payloads)}
        entry = Entry(type=AuditType.ENGINE_READ, by=Doer.of(actor, seat), data=told)
        await trail.record(connection, _STREAM, [entry], at=at, area_code=NATION)
    return await kawal.engine.open_payloads(payloads)
