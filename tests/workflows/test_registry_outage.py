"""A civil registry that is down: waited for, shown, waived by people, and made up for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row

from domain.errors import Forbidden
from domain.vocabulary import Stage, Status
from tests.workflows.stack import Stack, until

HALF_A_DAY = 43_200


async def pauses(stack: Stack, update_id: UUID) -> list[Row[Any]]:
    return await stack.scene.rows("SELECT * FROM clock_intervals WHERE update_id = :id", id=update_id)


async def test_outage_shows_as_a_pause_and_the_check_goes_on_by_itself_afterwards(kawal: Stack) -> None:
    await kawal.servers.registry_fails(error_rate=1, retry_after=1)
    update_id = await kawal.submit()
    (pause,) = await until(lambda: pauses(kawal, update_id), bool)
    assert (pause.cause, pause.to_at) == ("civil_registry_unavailable", None)
    assert (await kawal.engine.live(update_id)).status is Status.CHECKING
    await kawal.servers.registry("DELETE", "/admin/faults")
    await kawal.forward_to(update_id, Stage.VERIFICATION)
    (pause,) = await pauses(kawal, update_id)
    assert pause.to_at is not None
    types = [event.type for event in await kawal.scene.events(update_id)]
    assert types.index("task.clock_paused") < types.index("task.clock_resumed") < types.index("update.identity_checked")


async def test_case_is_withdrawn_while_the_registry_is_down(kawal: Stack) -> None:
    await kawal.servers.registry_fails(error_rate=1, retry_after=HALF_A_DAY)
    update_id = await kawal.submit()
    await until(lambda: pauses(kawal, update_id), bool)
    await kawal.withdraw(update_id)
    assert (await kawal.handle(update_id).result())["status"] == "withdrawn"
    (pause,) = await pauses(kawal, update_id)
    assert pause.to_at is not None, "the clock of a closed case does not stand"


async def test_registry_that_stays_down_is_waived_by_the_supervisor_and_asked_before_delivery(kawal: Stack) -> None:
    await kawal.servers.registry_fails(error_rate=1, retry_after=HALF_A_DAY)
    update_id = await kawal.submit()
    await until(lambda: pauses(kawal, update_id), bool)
    with pytest.raises(Forbidden):
        await kawal.decide(update_id, "kabid")
    case = await kawal.next_milestone(update_id)
    assert (case.status, case.level) == (Status.CHECKING, 1)
    await kawal.decide(update_id, "kabid")
    await kawal.forward_to(update_id, Stage.ENDORSEMENT)
    await kawal.servers.registry("DELETE", "/admin/faults")
    assert (await kawal.decide(update_id, "kadis")).status is Status.CHECKING
    case = await kawal.at(update_id, "approved_local")
    assert not case.identity_waived
    checks = await kawal.scene.rows(
        "SELECT decided_by FROM decisions WHERE stage = 'identity_check' ORDER BY decided_at"
    )
    assert [row.decided_by for row in checks] == ["officer", "system"]
