"""A round on a real engine: it waits for its opening, moves with it, and takes its baseline once."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowHandle, WorkflowHistory

import activities.round_lists
import activities.rounds
from domain.ids import round_workflow_id
from tests.rounds import REGENCY, dates, moved, planned, today
from tests.scene import household_of
from tests.workflows.stack import Stack, floor_area, until
from tests.workflows.test_interrupted import CutOff
from tests.workflows.test_replay import replayer
from workflows.update_round import UpdateRound

DAY = timedelta(days=1)
ROUND_HISTORIES = Path(__file__).parent.parent / "histories" / "rounds"
RECORDED = sorted(path.stem for path in ROUND_HISTORIES.glob("*.json"))
_years = count(2031)


@pytest.fixture(autouse=True)
def _period(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """A period of the test's own: the engine is shared, and carries a round of a regency and period once."""
    monkeypatch.setattr(f"{__name__}.PERIOD", f"{next(_years)}-01")


PERIOD = ""


async def _planned(stack: Stack, *, opens_in: int) -> UUID:
    now = datetime.now(UTC)
    opens = today(now) + opens_in * DAY
    round_id = await planned(stack.scene, dates(opens, opens + 20 * DAY), at=now, period=PERIOD)
    await stack.engine.carry_round(round_id, area_code=REGENCY, period=PERIOD)
    return round_id


def _handle(stack: Stack) -> WorkflowHandle[Any, Any]:
    return stack.skipper.client.get_workflow_handle(round_workflow_id(stack.prefix, REGENCY, PERIOD))


async def _listed(stack: Stack, round_id: UUID) -> None:
    """Until every village has its work list, and those that have work were asked for their plans."""
    await until(
        lambda: stack.scene.one("SELECT listed_at, looks_at FROM rounds WHERE id = :id", id=round_id),
        lambda row: row.listed_at is not None and row.looks_at is not None,
        within=60,
    )


async def _taken(stack: Stack, round_id: UUID) -> list[Any]:
    return await stack.scene.rows("SELECT * FROM round_baseline WHERE round_id = :id", id=round_id)


async def _pass(stack: Stack, span: timedelta) -> None:
    """Let the round's time pass; all of it, unless the round comes to its end meanwhile."""
    await stack.skipper.fast_forward(_handle(stack), span)


async def test_a_round_waits_for_its_opening_and_takes_the_registry_as_it_was_then(stack: Stack) -> None:
    scene = stack.scene
    async with stack.working():
        round_id = await _planned(stack, opens_in=3)
        await _pass(stack, DAY)
        assert await _taken(stack, round_id) == []
        changed = await scene.change_meanwhile(household_of(0), desil=2)
        await _pass(stack, 3 * DAY)
        await _listed(stack, round_id)
    rows = {row.household_id: row for row in await _taken(stack, round_id)}
    registered = await scene.rows("SELECT id FROM households WHERE area_code LIKE '32.06.%' AND status = 'active'")
    assert rows.keys() == {row.id for row in registered}
    assert rows[household_of(0).id].version == changed.version
    events = await scene.rows("SELECT data FROM audit_events WHERE type = 'round.baseline_taken'")
    assert [event.data for event in events] == [{"round": PERIOD, "households": len(rows)}]


async def test_what_changes_after_the_opening_is_not_in_the_baseline(stack: Stack) -> None:
    before = household_of(0)
    round_id = await _planned(stack, opens_in=0)
    await stack.scene.change_meanwhile(before, desil=2)
    async with stack.working():
        await _listed(stack, round_id)
    rows = {row.household_id: row for row in await _taken(stack, round_id)}
    assert rows[before.id].version == before.version


async def test_a_round_that_is_moved_opens_on_its_other_day(stack: Stack) -> None:
    async with stack.working():
        round_id = await _planned(stack, opens_in=3)
        opens = today(datetime.now(UTC)) + 10 * DAY
        await moved(stack.scene, round_id, dates(opens, opens + 20 * DAY), at=datetime.now(UTC))
        await stack.engine.tell_round_moved(area_code=REGENCY, period=PERIOD)
        await _pass(stack, 5 * DAY)
        assert await _taken(stack, round_id) == []
        await _pass(stack, 6 * DAY)
        await _listed(stack, round_id)
    assert await _taken(stack, round_id) != []


@pytest.mark.parametrize("cache_size", [1000, 0], ids=["cached", "replayed"])
async def test_pieces_that_are_lost_after_they_were_taken_are_taken_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, cache_size: int
) -> None:
    monkeypatch.setattr(activities.rounds, "CHUNK", 2)
    monkeypatch.setattr(activities.rounds, "CHUNKS", 1)
    monkeypatch.setattr(activities.round_lists, "VILLAGES", 100)
    cut_off = CutOff()
    async with stack.working(interceptors=[cut_off], cache_size=cache_size):
        round_id = await _planned(stack, opens_in=0)
        await _listed(stack, round_id)
    rows = await _taken(stack, round_id)
    registered = await stack.scene.rows("SELECT 1 FROM households WHERE area_code LIKE '32.06.%' AND status = 'active'")
    assert len(rows) == len(registered)
    assert cut_off.lost["take_baseline"] >= len(rows) // 2
    for what in ("round.baseline_taken", "round.work_listed"):
        assert len(await stack.scene.rows("SELECT 1 FROM audit_events WHERE type = :what", what=what)) == 1, what
    listed = await stack.scene.rows("SELECT 1 FROM round_targets WHERE round_id = :id", id=round_id)
    named = await stack.scene.one("SELECT sum(listed) AS n FROM round_villages WHERE round_id = :id", id=round_id)
    assert len(listed) == named.n > 0
    history = [event async for event in _handle(stack).fetch_history_events()]
    assert len(history) < 10 * sum(cut_off.lost.values()) + 20, "ids and places only, some events a piece"


async def test_a_round_of_a_regency_and_period_is_carried_once(stack: Stack) -> None:
    async with stack.working():
        round_id = await _planned(stack, opens_in=0)
        await _listed(stack, round_id)
        first = (await _handle(stack).describe()).run_id
        await stack.engine.carry_round(round_id, area_code=REGENCY, period=PERIOD)
        assert (await _handle(stack).describe()).run_id == first


async def test_the_baseline_knows_what_was_matched_what_is_double_and_how_old_data_are(stack: Stack) -> None:
    async with stack.working():
        update_id = await stack.submit(floor_area(30), household=household_of(0))
        await until(lambda: stack.scene.case(update_id), lambda case: case.stage == "verification")
        round_id = await _planned(stack, opens_in=0)
        await _listed(stack, round_id)
    rows = {row.household_id: row for row in await _taken(stack, round_id)}
    assert rows[household_of(1).id].match_state == "unknown"
    of_checked = rows[household_of(0).id]
    results = await stack.scene.rows("SELECT result FROM identity_results WHERE update_id = :id", id=update_id)
    assert of_checked.match_state == ("matched" if results else "unknown")
    assert all(row.age_days >= 0 and 0 < row.completeness <= 100 for row in rows.values())
    verified = household_of(0).last_verified_on
    assert of_checked.verified == (verified is not None)
    if verified is not None:
        assert of_checked.age_days == (today(datetime.now(UTC)) - verified).days


async def test_plans_from_below_wait_in_the_engine_escalate_in_time_and_end_when_determined(stack: Stack) -> None:
    scene = stack.scene
    async with stack.working():
        round_id = await _planned(stack, opens_in=0)
        await _listed(stack, round_id)
        opened = await scene.rows("SELECT area_code, due_at FROM round_signoffs WHERE round_id = :id", id=round_id)
        assert len(opened) > 1
        due = max(row.due_at for row in opened)
        await _pass(stack, due - datetime.now(UTC) + timedelta(minutes=2))
        await until(
            lambda: scene.rows("SELECT 1 FROM audit_events WHERE type = 'round.signoff_escalated'"),
            lambda rows: len(rows) == len(opened),
        )
        reminded = await scene.rows("SELECT 1 FROM audit_events WHERE type = 'round.signoff_reminded'")
        assert len(reminded) == len(opened), "each rung once"
        at = datetime.now(UTC)
        for row in opened:
            async with scene.as_owner() as connection:
                await connection.execute(
                    text("UPDATE round_villages SET determined_at = :at WHERE round_id = :id AND area_code = :area"),
                    {"at": at, "id": round_id, "area": row.area_code},
                )
        await stack.engine.tell_round_moved(area_code=REGENCY, period=PERIOD)
        await _handle(stack).result()
    history = await _handle(stack).fetch_history()
    assert len(history.events) < 1_000
    await replayer(UpdateRound).replay_workflow(history)
    if os.environ.get("KAWAL_RECORD_HISTORIES"):
        (ROUND_HISTORIES / "plans_from_below.json").write_text(history.to_json() + "\n")


@pytest.mark.parametrize("shape", RECORDED)
async def test_a_recorded_round_replays_with_the_code_of_today(shape: str) -> None:
    recorded = WorkflowHistory.from_json(f"recorded/{shape}", (ROUND_HISTORIES / f"{shape}.json").read_text())
    result = await replayer(UpdateRound).replay_workflow(recorded, raise_on_replay_failure=False)
    assert result.replay_failure is None
