"""Cases that lost their last possible decider when somebody left, went on leave or came back, and are to climb.

What is asked here in one statement is only a hint, so that the engine is not woken for thousands of tasks that
somebody can still decide; `seek_decider` judges each again, under the lock of its case.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Database, Viewer
from domain.authority import NATION

AT_ONCE: Final = 500
"""How many open tasks one transaction looks at."""

_NOBODY: Final = UUID(int=0)
_LOOK: Final = text(
    """
    WITH looked_at AS (
        SELECT t.id, t.update_id, t.area_code, t.stage FROM tasks t
        WHERE t.status = 'open' AND t.id > :after
          AND (:area = '*' OR t.area_code = :area
               OR (t.area_code >= :area || '.' COLLATE "C" AND t.area_code < :area || '/' COLLATE "C"))
          AND EXISTS (SELECT 1 FROM task_grants g WHERE g.task_id = t.id AND g.role = :role AND g.power = 'decide')
        ORDER BY t.id LIMIT :at_once
    ), vacant AS (
        SELECT t.id, t.update_id FROM looked_at t
        WHERE NOT EXISTS (
            SELECT 1 FROM kawal_candidates(
                ARRAY['*', left(t.area_code, 2), left(t.area_code, 5), left(t.area_code, 8), t.area_code],
                ARRAY(SELECT g.role FROM task_grants g WHERE g.task_id = t.id AND g.power = 'decide'),
                :at
            ) c
            WHERE t.stage = 'repair' OR NOT EXISTS (
                SELECT 1 FROM update_revisions r WHERE r.update_id = t.update_id
                  AND (r.submitted_by = ANY (c.accounts || c.lender_accounts)
                       OR r.on_behalf_of = ANY (c.accounts || c.lender_accounts))
                UNION ALL
                SELECT 1 FROM decisions d WHERE d.update_id = t.update_id AND (d.stage <> t.stage OR d.task_id = t.id)
                  AND (d.actor_id = ANY (c.accounts || c.lender_accounts)
                       OR d.on_behalf_of = ANY (c.accounts || c.lender_accounts))
            ))
    ), told AS (
        INSERT INTO outbox (topic, subject_id, payload, available_at)
        SELECT 'signal_deadline_moved', v.update_id, jsonb_build_object('task_id', v.id::text), :at FROM vacant v
    )
    SELECT count(*) AS seen, (SELECT id FROM looked_at ORDER BY id DESC LIMIT 1) AS last FROM looked_at
    """,
)


_LENT: Final = text("SELECT role, area_code FROM kawal_lent_to_holder(:membership_id, :at)")


class AuthorityChanged(BaseModel):
    """What an outbox message of the topic says: somebody gained or lost `role` over `area_code`."""

    role: str
    area_code: str = NATION


async def wake_vacant(database: Database, changed: AuthorityChanged, *, membership_id: UUID, at: datetime) -> None:
    """Have the engine look again at every open task that a holder of the role could decide and now nobody can.

    Whoever loses their own seat stands in for nobody any more: the tasks of those on leave are looked at too.
    """
    async with database.transaction(Viewer.system("worker")) as connection:
        lent = (await connection.execute(_LENT, {"membership_id": membership_id, "at": at})).all()
    for each in (changed, *(AuthorityChanged(role=row.role, area_code=row.area_code) for row in lent)):
        after: UUID | None = _NOBODY
        while after is not None:
            async with database.transaction(Viewer.system("worker")) as connection:
                after = await _look(connection, each, after=after, at=at)


async def _look(connection: AsyncConnection, changed: AuthorityChanged, *, after: UUID, at: datetime) -> UUID | None:
    """Queue what is vacant among the next tasks; the last of them, or None when there are no more."""
    told: dict[str, Any] = {"role": changed.role, "area": changed.area_code, "after": after, "at_once": AT_ONCE}
    row = (await connection.execute(_LOOK, told | {"at": at})).one()
    return row.last if row.seen == AT_ONCE else None
