"""Exports of all that is held on one NIK: made for requests that wait, kept sealed, removed after their time.

What is gathered is read in pages of a hundred rows, each in a short transaction of its own. Nothing of it passes
through the engine, the log or the trail, which knows the NIK as a commitment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, Select, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import DataSubjectExport, DataSubjectRequest
from db.repositories import trail
from db.repositories.trail import Entry
from db.vault import Vault
from domain.audit import AuditType, commit, stream_of_rights
from domain.person_export import PersonExport
from domain.policy import RetentionSubject
from domain.rights import RightsKind, RightsReason, RightsState, export_context, nik_context
from duties.evidence_sweep import Begin
from duties.person_data import gather
from runtime.periodic import repeat

_EVERY: Final = timedelta(seconds=10)
_LEASE: Final = timedelta(minutes=15)
"""Whoever has taken a request and not finished it by then has died; another takes it."""
_PERIOD: Final = text("SELECT kawal_period(:area, :subject)")
_ERASE: Final = text("SELECT kawal_erase_person_requests(100)")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonExports:
    """Makes them for as long as a process runs. Any number may at the same time."""

    begin: Begin
    vault: Vault
    every: timedelta = _EVERY

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        await repeat(self.turn, stop, name="person_exports", every=self.every)

    async def turn(self, at: datetime) -> bool:
        """Make one export, or else remove what has had its time; whether an export was made."""
        request = await self._take(at)
        if request is None:
            await self._remove_old(at)
            return False
        nik = self.vault.open_text(request.nik, context=nik_context(request.id)) or ""
        area_code = request.area_code
        export = await gather(self.begin, self.vault, request_id=request.id, nik=nik, area_code=area_code, at=at)
        async with self.begin() as connection:
            await self._keep(connection, request, export, at=at)
        _log.info("person_exports.made", request=str(request.id))
        return True

    async def _take(self, at: datetime) -> Row[*tuple[Any, ...]] | None:
        async with self.begin() as connection:
            row = (await connection.execute(_waiting(at))).one_or_none()
            if row is not None:
                leased = update(DataSubjectRequest).where(DataSubjectRequest.id == row.id)
                await connection.execute(leased.values(leased_until=at + _LEASE))
            return row

    async def _keep(
        self,
        connection: AsyncConnection,
        request: Row[*tuple[Any, ...]],
        export: PersonExport,
        *,
        at: datetime,
    ) -> None:
        """Seal the export and answer the request, unless somebody has meanwhile."""
        subject = RetentionSubject.PERSON_EXPORTS.value
        period = await connection.scalar(_PERIOD, {"area": request.area_code, "subject": subject})
        until = at + (period or timedelta(days=1))
        reason = RightsReason.EXPORT_MADE if export.held else RightsReason.NOT_HELD
        answered = await connection.execute(
            update(DataSubjectRequest)
            .where(DataSubjectRequest.id == request.id, DataSubjectRequest.state == RightsState.OPEN.value)
            .values(
                state=RightsState.GRANTED.value,
                answered_at=at,
                reason=reason.value,
                held=export.held,
                export_until=until,
            ),
        )
        if not answered.rowcount:
            return
        await connection.execute(
            insert(DataSubjectExport).values(
                request_id=request.id,
                area_code=request.area_code,
                content=self.vault.seal(export, context=export_context(request.id)),
                made_at=at,
                expires_at=until,
            ),
        )
        told = {"kind": RightsKind.ACCESS.value, "reason": reason.value, "nik": commit(export.nik, salt=request.salt)}
        entry = Entry(type=AuditType.RIGHTS_ANSWERED, data={**told})
        await trail.record(connection, stream_of_rights(request.id), [entry], at=at, area_code=request.area_code)

    async def _remove_old(self, at: datetime) -> None:
        async with self.begin() as connection:
            gone = delete(DataSubjectExport).where(DataSubjectExport.expires_at < at)
            removed = (await connection.execute(gone.returning(DataSubjectExport.request_id))).all()
            for row in removed:
                entry = Entry(type=AuditType.RIGHTS_EXPORT_REMOVED)
                await trail.record(connection, stream_of_rights(row.request_id), [entry], at=at, area_code=None)
            erased = await connection.scalar(_ERASE)
            if erased:
                told = Entry(
                    type=AuditType.RETENTION_SWEPT,
                    data={"subject": RetentionSubject.PERSON_REQUESTS.value, "rows": erased},
                )
                await trail.record(connection, "retention", [told], at=at, area_code=None)


def _waiting(at: datetime) -> Select[*tuple[Any, ...]]:
    columns: Sequence[Any] = (
        DataSubjectRequest.id,
        DataSubjectRequest.area_code,
        DataSubjectRequest.nik,
        DataSubjectRequest.salt,
    )
    return (
        select(*columns)
        .where(
            DataSubjectRequest.kind == RightsKind.ACCESS.value,
            DataSubjectRequest.state == RightsState.OPEN.value,
            DataSubjectRequest.leased_until.is_(None) | (DataSubjectRequest.leased_until < at),
        )
        .order_by(DataSubjectRequest.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
