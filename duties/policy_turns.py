"""Versions of policies take effect and lapse by themselves, since every case asks which holds; here it is written down.

Whichever worker comes first writes the event and tells everybody who works in the area, once for each version.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Row, and_, bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from db.models import PolicyTurn, PolicyVersion
from db.repositories import trail
from db.repositories.policies import add_turn, lock_line, stream_of_policy, tell
from db.repositories.trail import Entry
from db.session import Database, Viewer
from domain.audit import AuditType
from domain.consultation import Turn
from runtime.periodic import repeat

_EVERY: Final = timedelta(seconds=2)
_BATCH: Final = 20
_KINDS: Final = {Turn.TOOK_EFFECT: AuditType.POLICY_TOOK_EFFECT, Turn.LAPSED: AuditType.POLICY_LAPSED}
_SUBJECTS: Final = {Turn.TOOK_EFFECT: "policy_took_effect", Turn.LAPSED: "policy_lapsed"}
_log = structlog.get_logger()


def _is_due(turn: Turn) -> ColumnElement[bool]:
    """A version that another one has confirmed or replaced before its end does not lapse; one revoked does neither."""
    at = bindparam("at", type_=PolicyVersion.ends_at.type)
    done = exists().where(
        PolicyTurn.version_id == PolicyVersion.id,
        PolicyTurn.turn.in_([turn.value, Turn.REVOKED.value]),
    )
    if turn is Turn.TOOK_EFFECT:
        later = PolicyVersion.effective_at > PolicyVersion.published_at
        return and_(PolicyVersion.draft_id.is_not(None), later, PolicyVersion.effective_at <= at, ~done)
    after = aliased(PolicyVersion)
    revoked = exists().where(PolicyTurn.version_id == after.id, PolicyTurn.turn == Turn.REVOKED.value)
    replaced = exists().where(
        after.area_code == PolicyVersion.area_code,
        after.effective_at > PolicyVersion.effective_at,
        after.effective_at <= PolicyVersion.ends_at,
        or_(after.ends_at.is_(None), after.ends_at > PolicyVersion.ends_at),
        ~revoked,
    )
    return and_(PolicyVersion.ends_at <= at, ~done, ~replaced)


_COLUMNS = (PolicyVersion.id, PolicyVersion.area_code, PolicyVersion.number, PolicyVersion.draft_id)
_DUE: Final = {turn: select(*_COLUMNS).where(_is_due(turn)).order_by(PolicyVersion.id).limit(_BATCH) for turn in _KINDS}
_STILL_DUE: Final = {
    turn: select(exists().where(PolicyVersion.id == bindparam("version_id"), _is_due(turn))) for turn in _KINDS
}


class PolicyTurns:
    """Writes down what became of versions, for as long as a process runs. Any number may at the same time."""

    def __init__(self, database: Database, *, every: timedelta = _EVERY) -> None:
        self._database = database
        self._every = every

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        await repeat(self._look, stop, name="policy_turns", every=self._every)

    async def _look(self, at: datetime) -> bool:
        return await self.note_due(at) >= _BATCH

    async def note_due(self, at: datetime) -> int:
        """Write down what is due `at` this moment; how many turns there were."""
        return await self._note(Turn.TOOK_EFFECT, at) + await self._note(Turn.LAPSED, at)

    async def _note(self, turn: Turn, at: datetime) -> int:
        noted = 0
        async with self._database.transaction(Viewer.system("worker")) as connection:
            for row in (await connection.execute(_DUE[turn], {"at": at})).all():
                await lock_line(connection, row.area_code)
                if await connection.scalar(_STILL_DUE[turn], {"version_id": row.id, "at": at}):
                    await _write(connection, row, turn, at)
                    noted += 1
        return noted


async def _write(connection: AsyncConnection, row: Row[*tuple[Any, ...]], turn: Turn, at: datetime) -> None:
    await add_turn(connection, row.id, turn, area_code=row.area_code, at=at)
    entry = Entry(type=_KINDS[turn], data={"version": str(row.id), "number": row.number})
    await trail.record(connection, stream_of_policy(row.area_code), [entry], at=at, area_code=row.area_code)
    await tell(connection, _SUBJECTS[turn], draft_id=row.draft_id, area_code=row.area_code, at=at)
    _log.info("policies.noted", turn=turn.value, area=row.area_code, number=row.number)
