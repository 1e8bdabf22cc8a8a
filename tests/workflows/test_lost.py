"""The engine has lost its state: cases are found, given to new runs, and go on where they stood."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from temporalio.client import Client

from db.owner import OwnerDatabase
from devstack.scratch import scratch_temporal
from devstack.temporal import TemporalServer
from domain.errors import NotPossibleNow
from domain.ids import new_id
from domain.vocabulary import Outcome, ReasonCode, Stage
from services.administration import cases
from services.administration.cases import read_standing
from tests.cli.conftest import command, settle
from tests.scene import Scene, household_of
from tests.soundness import assert_sound
from tests.workflows.stack import PartnerServers, Stack, floor_area, until

WHY = "Server Temporal dipulihkan dari cadangan lama."


@pytest.fixture
async def frail() -> AsyncIterator[TemporalServer]:
    """An engine of the test's own, in memory: stopped, it has forgotten everything."""
    async with scratch_temporal() as server:
        yield server


@pytest.fixture
async def stack(
    scene: Scene,
    partner_servers: PartnerServers,
    engine_client: Client,
    frail: TemporalServer,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Stack]:
    """Kawal on the frail engine, and the operator's command on the same."""
    await partner_servers.reset()
    client = await Client.connect(frail.address, data_converter=engine_client.data_converter)
    settle(monkeypatch, scene.urls, TEMPORAL_ADDRESS=frail.address)
    yield Stack(scene, partner_servers, client)
    await assert_sound(scene)


async def lose(engine: TemporalServer) -> None:
    """Throw away all that the engine knows."""
    await engine.stop()
    await engine.start()


async def lost() -> set[UUID]:
    result = await command("case", "list", "--lost", "--json")
    return {UUID(case["id"]) for case in json.loads(result.stdout)}


async def inspected(update_id: UUID) -> tuple[int, dict[str, Any]]:
    result = await command("case", "inspect", str(update_id), "--json")
    return result.exit_code, json.loads(result.stdout)


async def restart(*update_ids: UUID, by: str = "admin", reason: str = WHY) -> tuple[int, str]:
    result = await command("case", "restart", *map(str, update_ids), "--by", by, "--reason", reason)
    return result.exit_code, result.output


async def test_cases_of_an_engine_that_lost_its_state_go_on_where_they_stood(
    stack: Stack,
    frail: TemporalServer,
) -> None:
    async with stack.working():
        verifying = await stack.submit(floor_area(30), household=household_of(0))
        returned = await stack.submit(floor_area(31), household=household_of(1))
        answered = await stack.submit(floor_area(32), household=household_of(2))
        closed = await stack.submit(floor_area(33), household=household_of(3))
        await stack.forward_to(verifying, Stage.VERIFICATION)
        await stack.forward_to(returned, Stage.APPROVAL)
        await stack.decide(returned, "verifikator", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
        await stack.pushed(answered)
        await stack.forward_to(closed, Stage.VERIFICATION)
        await stack.withdraw(closed)
    before = {case: await stack.scene.case(case) for case in (verifying, returned, answered)}
    assert await lost() == set()
    # The Ministry's answer reaches the engine, and is lost with it.
    await stack.ministry_answers(answered, "accepted")
    await stack.scene.rows("UPDATE outbox SET done_at = now() WHERE done_at IS NULL RETURNING 1")
    await lose(frail)

    assert await lost() == {verifying, returned, answered}
    code, told = await inspected(verifying)
    assert (code, told["lost"], told["engine"], told["stage"]) == (1, True, None, "verification")
    assert told["task"]["id"] == str(before[verifying].task)
    assert (await inspected(closed))[1]["lost"] is False

    assert (await restart(verifying, returned, answered))[0] == 0
    async with stack.working():
        for update_id in (verifying, returned):
            now = await taken_up(stack, update_id)
            assert now.run_id != before[update_id].run_id
            assert _standing(now) == _standing(before[update_id])
        assert await lost() == set()
        await stack.at(answered, "applied")
        await stack.resubmit(returned, floor_area(31))
        assert (await stack.scene.case(returned)).stage == Stage.APPROVAL
        for update_id in (verifying, returned):
            await stack.pushed(update_id)
            await stack.ministry_answers(update_id, "accepted")
            await stack.at(update_id, "applied")
    (event,) = [item for item in await stack.scene.events(verifying) if item.type == "update.restarted"]
    admin = await stack.scene.one("SELECT id FROM users WHERE username = 'admin'")
    assert (event.actor_id, event.status) == (admin.id, None)
    assert event.data == {"reason": WHY, "lost_run": before[verifying].run_id, "engine": "nothing"}


async def test_case_whose_run_was_ended_in_the_engine_gets_another_under_the_same_id(stack: Stack) -> None:
    async with stack.working():
        update_id = await stack.submit()
        before = await stack.forward_to(update_id, Stage.VERIFICATION)
        await stack.handle(update_id).terminate()
        code, told = await inspected(update_id)
        assert (code, told["engine"]["status"], told["engine"]["open"]) == (1, "terminated", False)
        assert (await restart(update_id))[0] == 0
        await taken_up(stack, update_id)
        await stack.decide(update_id, "puskesos.taraju")
        now = await stack.scene.case(update_id)
        assert (now.stage, now.run_id == before.run_id) == (Stage.DELIBERATION, False)


async def test_case_that_somebody_carries_or_nobody_has_to_is_not_restarted(stack: Stack) -> None:
    waiting = await stack.submit(floor_area(31), household=household_of(1))
    code, said = await restart(waiting)
    assert (code, "waits in the outbox" in said) == (1, True)
    async with stack.working():
        carried, closed = waiting, await stack.submit()
        await stack.forward_to(carried, Stage.VERIFICATION)
        await stack.forward_to(closed, Stage.VERIFICATION)
        await stack.withdraw(closed)
        before = [await stack.scene.case(carried), len(await stack.scene.events(carried))]
        code, said = await restart(carried, closed, new_id())
        assert code == 1
        for told in ("The engine carries the case", "The case is withdrawn", "There is no case", "0 of 3 cases"):
            assert told in said
        assert [await stack.scene.case(carried), len(await stack.scene.events(carried))] == before


async def test_restart_names_an_account_and_a_reason_that_may_be_kept(stack: Stack) -> None:
    async with stack.working():
        update_id = await stack.submit()
        await stack.forward_to(update_id, Stage.VERIFICATION)
        await stack.handle(update_id).terminate()
        for by, reason, code in (
            ("nobody", WHY, "account_unknown"),
            ("admin", " ", "reason_unfit"),
            ("admin", "NIK 3206 1352 0385 0071 hilang", "reason_unfit"),
        ):
            exit_code, said = await restart(update_id, by=by, reason=reason)
            assert (exit_code, code in said) == (1, True), said
        assert await lost() == {update_id}
        assert (await restart(update_id))[0] == 0
        await taken_up(stack, update_id)


async def test_two_operators_at_once_make_one_run(stack: Stack) -> None:
    async with stack.working():
        update_id = await stack.submit()
        await stack.forward_to(update_id, Stage.VERIFICATION)
        await stack.handle(update_id).terminate()
    owner = OwnerDatabase(stack.scene.urls.migrator)
    async with owner.transaction() as connection:
        case = await read_standing(connection, update_id)
    run = await stack.engine.find_run(update_id)

    async def restart_it() -> None:
        async with owner.transaction() as connection:
            await cases.restart(connection, case, run=run, by="admin", reason=WHY, at=datetime.now(UTC))

    answers = await asyncio.gather(restart_it(), restart_it(), return_exceptions=True)
    assert {type(answer) for answer in answers} == {type(None), NotPossibleNow}, answers
    async with stack.working():
        await taken_up(stack, update_id)
        await stack.decide(update_id, "puskesos.taraju")
    restarted = [item for item in await stack.scene.events(update_id) if item.type == "update.restarted"]
    assert len(restarted) == 1


async def test_engine_that_is_away_or_serves_another_namespace_proves_nothing(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with stack.working():
        update_id = await stack.submit()
        await stack.forward_to(update_id, Stage.VERIFICATION)
        settle(monkeypatch, stack.scene.urls, TEMPORAL_ADDRESS="127.0.0.1:9")
        assert (await restart(update_id))[0] == 1
        address = stack.plain_client.service_client.config.target_host
        settle(monkeypatch, stack.scene.urls, TEMPORAL_ADDRESS=address, TEMPORAL_NAMESPACE="elsewhere")
        code, said = await restart(update_id)
        assert (code, "does not answer" in said) == (1, True), said
        await stack.decide(update_id, "puskesos.taraju")


async def taken_up(stack: Stack, update_id: UUID) -> Any:
    """The case once a run has claimed it."""
    return await until(lambda: stack.scene.case(update_id), lambda case: case.run_id is not None)


def _standing(case: Any) -> tuple[object, ...]:
    return case.task, case.status, case.stage, case.due_at, case.next_milestone_at, case.level, case.version
