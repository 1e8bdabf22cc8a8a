"""The sweep against whoever names a file at the same time, and through what goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Evidence
from domain.errors import EvidenceUnavailable
from tests.api.evidence.conftest import Counter, Desk
from tests.api.evidence.test_naming import file, proposal, submit
from tests.evidence.files import photo
from tests.scene import SYSTEM

pytestmark = pytest.mark.embedded

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TTL = 14 * DAY
LOCK = "SELECT 1 FROM evidence WHERE id = '{}' FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Late:
    """A connection whose locking statement began before something happened, and locks after it what it saw then."""

    connection: Any
    saw: list[UUID]
    meanwhile: Callable[[], Awaitable[None]]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    async def scalars(self, statement: Select[Any]) -> Any:
        if "FOR UPDATE" not in str(statement.compile(dialect=postgresql.dialect())):
            return await self.connection.scalars(statement)
        await self.meanwhile()
        return await self.connection.scalars(
            select(Evidence.id).where(Evidence.id.in_(self.saw), Evidence.erased_at.is_(None)).with_for_update()
        )


async def test_a_file_that_is_bound_while_the_sweep_looks_for_orphans_stays(counter: Counter, desk: Desk) -> None:
    """The statement that looks began before the update was there, and locks the file after it has committed."""
    evidence_id, orphan = await desk.uploaded(photo(), type="kk"), await desk.uploaded(photo((500, 300)))
    scene, bound = counter.office.scene, list[str]()

    async def meanwhile() -> None:
        if not bound:
            assert (await submit(desk, proposal(file(evidence_id)))).status_code == 201
            bound.append(evidence_id)

    @asynccontextmanager
    async def begin() -> AsyncGenerator[AsyncConnection]:
        async with scene.worker.transaction(SYSTEM) as connection:
            late: Any = Late(connection, [UUID(evidence_id), UUID(orphan)], meanwhile)
            yield late

    sweep = replace(counter.sweep(orphan_ttl=timedelta(0)), begin=begin)
    swept = await sweep.sweep(counter.office.app.state.front.kawal.now())
    assert bound
    assert (swept.files, swept.contents) == (1, 2)
    assert (await desk.client.get(f"/v1/evidence/{evidence_id}")).status_code == 200
    told = await scene.rows("SELECT stream FROM audit_events WHERE type = 'evidence.erased'")
    assert [row.stream for row in told] == [f"evidence:{orphan}"]


async def test_a_store_that_is_away_when_a_file_is_erased_gives_its_content_up_later(
    counter: Counter, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.uploaded(photo())
    sweep, at = counter.sweep(orphan_ttl=timedelta(0)), datetime.now(UTC)

    async def is_away(*_: Any) -> None:
        raise EvidenceUnavailable("The store of files does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(type(sweep.archive.objects), "delete", is_away)
        with pytest.raises(EvidenceUnavailable):
            await sweep.sweep(at)
    assert await counter.office.scene.rows("SELECT 1 FROM evidence WHERE erased_at IS NULL") == []
    assert len(counter.files("sha256")) == 2
    swept = await sweep.sweep(at + HOUR)
    assert (swept.files, swept.contents) == (0, 2)
    assert counter.files("sha256") == []
    assert not any(await sweep.sweep(at + 2 * HOUR))


async def test_what_a_process_that_died_has_left_of_erased_files_goes_when_the_next_begins(
    counter: Counter, desk: Desk
) -> None:
    content = photo((500, 300))
    erased, live, same = [await desk.uploaded(each) for each in (photo(), content, content)]
    for evidence_id in (erased, same):
        await counter.office.scene.rows(
            "UPDATE evidence SET erased_at = now(), capture = NULL WHERE id = :id RETURNING 1", id=UUID(evidence_id)
        )
    swept = await counter.sweep().sweep(datetime.now(UTC) + DAY)
    assert (swept.files, swept.contents) == (0, 2)
    assert (await desk.client.get(f"/v1/evidence/{live}")).status_code == 200


async def test_a_sweep_looks_at_files_that_came_of_age_since_the_last_and_once_a_day_at_all(
    counter: Counter, desk: Desk
) -> None:
    held, _ = await desk.uploaded(photo()), await desk.uploaded(photo((500, 300)))
    of_age, sweep, scene = datetime.now(UTC) + TTL, counter.sweep(orphan_ttl=TTL), counter.office.scene
    assert (await sweep.sweep(of_age - 2 * HOUR)).files == 0
    async with scene.worker.transaction(SYSTEM) as connection:
        await connection.exec_driver_sql(LOCK.format(held))
        assert (await sweep.sweep(of_age + 2 * HOUR)).files == 1, "the other came of age since the last"
    assert (await sweep.sweep(of_age + 5 * HOUR)).files == 0, "it is of before the last"
    assert (await sweep.sweep(of_age - 2 * HOUR + DAY)).files == 1
