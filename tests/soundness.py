"""What holds of every case at any moment, whatever was done to it; asked after each scenario."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from db.repositories.trail import read_stream, stream_of_update
from domain.audit_verification import verify_stream
from domain.vocabulary import CLOSED_STATUSES, Status
from services.administration.replay import replay_cases
from tests.scene import SYSTEM, VAULT, Scene


async def assert_sound(scene: Scene) -> None:
    """Fail with what is wrong with any case of the database."""
    for case in await scene.rows("SELECT * FROM updates"):
        await _assert_case(scene, case)
    await _assert_follows_from_events(scene)
    await _assert_nothing_twice(scene)
    await _assert_registry(scene)


async def _assert_follows_from_events(scene: Scene) -> None:
    """Where each case stands follows from its events alone."""
    async with scene.worker.transaction(SYSTEM, snapshot=True) as connection:
        differing = [report async for report in replay_cases(connection) if report.differences]
    assert differing == []


async def _assert_case(scene: Scene, case: Row[Any]) -> None:
    tasks = await scene.rows("SELECT * FROM tasks WHERE update_id = :id ORDER BY opened_at, id", id=case.id)
    open_tasks = [task for task in tasks if task.status == "open"]
    closed = Status(case.status) in CLOSED_STATUSES
    started = case.run_id is not None
    assert len(open_tasks) == int(started and not closed), f"{case.status} with {len(open_tasks)} open tasks"
    assert (case.closed_at is not None) == closed
    assert (case.stage is None) == (closed or not started)
    for task in open_tasks:
        assert task.stage == case.stage
        assert task.next_milestone_at is not None, "an open task has a moment at which it is looked at again"
        assert (case.level, case.cause) == (task.level, task.cause)
    for task in tasks:
        if task.status == "put_aside":
            assert case.stage == "ground_check", "a task is put aside while somebody looks, and no longer"
        elif task.status != "open":
            assert task.decided_at is not None
            assert task.decided_at >= task.opened_at
            assert task.next_milestone_at is None
    await _assert_clocks(scene, case.id)
    await _assert_trail(scene, case)
    if closed:
        digests = await scene.rows(
            "SELECT 1 FROM identity_digests WHERE update_id = :id AND ended_at IS NULL", id=case.id
        )
        assert not digests, "a closed case is found by its numbers no longer"


async def _assert_clocks(scene: Scene, update_id: UUID) -> None:
    pauses = await scene.rows(
        """
        SELECT c.*, t.status AS task_status, t.opened_at, t.decided_at FROM clock_intervals c
        JOIN tasks t ON t.id = c.task_id WHERE c.update_id = :id
        """,
        id=update_id,
    )
    for pause in pauses:
        assert pause.from_at >= pause.opened_at
        assert pause.to_at is None or pause.to_at >= pause.from_at
        assert pause.to_at is not None or pause.task_status in {"open", "put_aside"}, "a closed task's clock stands"


async def _assert_trail(scene: Scene, case: Row[Any]) -> None:
    """The chain is whole, and its moments come in order."""
    async with scene.worker.transaction(SYSTEM) as connection:
        events, head = await read_stream(connection, stream_of_update(case.id))
    assert verify_stream(stream_of_update(case.id), events, head=head) == []
    moments = [stored.event.at for stored in events]
    assert moments == sorted(moments)


async def _assert_nothing_twice(scene: Scene) -> None:
    twice = {
        "a decision": "SELECT task_id, actor_id FROM decisions GROUP BY 1, 2 HAVING count(*) > 1",
        "a rung": "SELECT task_id, rung FROM escalations GROUP BY 1, 2 HAVING count(*) > 1",
        "a notification": """
            SELECT 1 FROM notifications n
            GROUP BY update_id, task_id, round_id, area_code, subject, to_role, to_user_id, created_at
            HAVING count(*) > greatest(1, (
                SELECT count(*) FROM escalations e WHERE e.task_id = n.task_id AND e.fired_at = n.created_at
            ))
        """,
        "an event": """
            SELECT 1 FROM audit_events e WHERE type IN ('update.applied', 'update.closed', 'update.engine_started')
            GROUP BY stream, type HAVING count(*) > 1 + (
                SELECT count(*) FROM audit_events r WHERE r.stream = e.stream AND r.type = 'update.restarted'
                AND e.type = 'update.engine_started'
            )
        """,
    }
    for what, statement in twice.items():
        assert await scene.rows(statement) == [], f"{what} twice"


async def _assert_registry(scene: Scene) -> None:
    """Versions follow each other without a gap, and a household is its latest version."""
    broken = await scene.rows(
        """
        SELECT h.id FROM households h JOIN household_versions v ON v.household_id = h.id GROUP BY h.id, h.version
        HAVING max(v.version) <> h.version OR count(*) <> h.version - min(v.version) + 1
        """,
    )
    assert broken == []
    for row in await scene.rows("SELECT DISTINCT household_id FROM household_versions WHERE update_id IS NOT NULL"):
        household = await scene.household(row.household_id)
        digests = await scene.rows(
            "SELECT purpose, digest FROM identity_digests WHERE household_id = :id AND ended_at IS NULL",
            id=row.household_id,
        )
        held = {d for m in household.active_members if m.nik for d in VAULT.lookups([m.nik], purpose="nik")}
        assert {bytes(digest.digest) for digest in digests if digest.purpose == "nik"} == held
