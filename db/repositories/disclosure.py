"""The read log and the requests to see many: written in the transaction of the reading, before anybody is answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Reading, UnmaskRequest
from db.vault import Vault
from domain.authority import Seat
from domain.disclosure import BulkStanding, BulkVerdict, DisclosureInput, Purpose
from domain.errors import NotFound
from domain.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads, in which seat, what for; `batch_id` is what lets many be read at once."""

    user_id: UUID
    seat: Seat
    purpose: Purpose
    explanation: str
    batch_id: UUID | None = None

    @classmethod
    def of(cls, user_id: UUID, seat: Seat, request: DisclosureInput, *, batch_id: UUID | None = None) -> Reader:
        """The reader that a request makes of somebody."""
        explanation = request.explanation
        return cls(user_id=user_id, seat=seat, purpose=request.purpose, explanation=explanation, batch_id=batch_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What is read: a household, a case (with its household), `items` payloads of the engine, or a file."""

    subject: Literal["household", "update", "engine", "evidence", "person"]
    area_code: str
    household_id: UUID | None = None
    update_id: UUID | None = None
    evidence_id: UUID | None = None
    items: int = 1


def explanation_context(reading_id: UUID) -> str:
    """Where the sealed explanation of a reading belongs."""
    return f"read_log.explanation:{reading_id}"


def request_explanation_context(request_id: UUID) -> str:
    """Where the sealed explanation of a request to see many belongs."""
    return f"unmask_requests.explanation:{request_id}"


def request_note_context(request_id: UUID) -> str:
    """Where the sealed note of its answer belongs."""
    return f"unmask_requests.note:{request_id}"


async def log_readings(
    connection: AsyncConnection,
    reader: Reader,
    readings: Iterable[Read],
    *,
    at: datetime,
    vault: Vault,
) -> list[UUID]:
    """Write down that all of this is read; the ids of the entries in the same order."""
    rows = [_row(reader, read, at=at, vault=vault) for read in readings]
    if rows:
        await connection.execute(insert(Reading), rows)
    return [row["id"] for row in rows]


def _row(reader: Reader, read: Read, *, at: datetime, vault: Vault) -> dict[str, Any]:
    reading_id = new_id()
    return {
        "id": reading_id,
        "at": at,
        "area_code": read.area_code,
        "actor_id": reader.user_id,
        "actor_role": reader.seat.role.value,
        "office_id": reader.seat.office_id,
        "subject": read.subject,
        "household_id": read.household_id,
        "update_id": read.update_id,
        "evidence_id": read.evidence_id,
        "batch_id": reader.batch_id,
        "purpose": reader.purpose.value,
        "explanation": vault.fields.seal(reader.explanation.encode(), context=explanation_context(reading_id)),
        "items": read.items,
    }


async def find_request(connection: AsyncConnection, request_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
    """A request to see many, within view. Raises NotFound."""
    wanted = select(UnmaskRequest.__table__).where(UnmaskRequest.id == request_id)
    row = (await connection.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    if row is None:
        raise NotFound(f"There is no request {request_id} for you.")
    return row


def standing_of(row: Row[*tuple[Any, ...]]) -> BulkStanding:
    """Where the request of this row stands."""
    return BulkStanding(
        requested_by=row.requested_by,
        verdict=row.verdict and BulkVerdict(row.verdict),
        valid_until=row.valid_until,
        rows=row.rows,
        rows_read=row.rows_read,
    )
