"""kill -9 and SIGTERM of the worker: whatever it had in hand goes on, and nothing of it is done twice."""

from __future__ import annotations

import asyncio
from uuid import UUID

from domain.vocabulary import Stage
from tests.faults.offices import Offices
from tests.faults.stack import Stack
from tests.faults.watch import Watch

HELD = {"answer": None}
"""The Ministry keeps its answer until it is given by hand."""


async def _awaiting_ministry(offices: Offices) -> UUID:
    watch = offices.watch
    await watch.partner("PUT", offices.stack.ministry_url, "/admin/rules/default", HELD)
    update_id = await offices.towards(Stage.ENDORSEMENT)
    await offices.forward(update_id, Stage.ENDORSEMENT)
    await watch.reaches(update_id, "approved_local")
    await watch.partner("DELETE", offices.stack.ministry_url, "/admin/rules")
    return update_id


async def test_killed_worker_loses_no_case_in_any_stage(stack: Stack, offices: Offices, watch: Watch) -> None:
    waiting, decided, returned, delivering = await asyncio.gather(
        offices.towards(Stage.VERIFICATION),
        offices.towards(Stage.APPROVAL),
        offices.towards(Stage.APPROVAL),
        offices.towards(Stage.ENDORSEMENT),
    )
    answer = await offices.decide(await watch.open_task(returned, Stage.APPROVAL), outcome="return")
    assert answer.status_code == 200, answer.text
    with_ministry = await _awaiting_ministry(offices)
    slow = {"latency_ms": 4000}
    await watch.partner("PUT", stack.ministry_url, "/admin/faults", slow)
    await watch.partner("PUT", stack.registry_url, "/admin/faults", slow)
    checking = await offices.submitted()
    await watch.reaches(checking, "checking")
    await offices.forward(delivering, Stage.ENDORSEMENT)
    await watch.pushed(delivering)
    deciding = asyncio.create_task(offices.decide_at_last(await watch.open_task(decided, Stage.APPROVAL)))
    await asyncio.sleep(0)  # the decision is on its way, and nobody knows how far it has come

    stack.worker.kill()
    for partner in (stack.registry_url, stack.ministry_url):
        await watch.partner("DELETE", partner, "/admin/faults")
    (proposal,) = await watch.proposals(with_ministry)
    receipt = f"/admin/proposals/{proposal['receipt_no']}/answer"
    await watch.partner("POST", stack.ministry_url, receipt, {"answer": "accepted"})
    await stack.worker.start()

    decision, _ = await deciding
    assert decision.status_code == 200, decision.text
    resubmitted, _ = await offices.insist(lambda: offices.resubmit(returned, key="mended"))
    assert resubmitted.status_code == 200, resubmitted.text
    await offices.forward(waiting, Stage.VERIFICATION)
    await watch.reaches(with_ministry, "applied")
    await watch.reaches(delivering, "applied")
    await watch.reaches(checking, "in_verification")
    for update_id in (with_ministry, delivering):
        assert len(await watch.proposals(update_id)) == 1
    assert (await watch.decided(decided)).count("approval") == 1


async def test_other_worker_carries_on_when_one_of_two_is_killed(stack: Stack, offices: Offices, watch: Watch) -> None:
    await stack.second_worker.start()
    cases = await asyncio.gather(*(offices.towards(Stage.VERIFICATION) for _ in range(4)))
    tasks = [await watch.open_task(update_id, Stage.VERIFICATION) for update_id in cases]
    deciding = [asyncio.create_task(offices.decide_at_last(task)) for task in tasks]
    stack.worker.kill()
    for decision, _ in await asyncio.gather(*deciding):
        assert decision.status_code == 200, decision.text
    assert stack.second_worker.pid is not None
    for update_id in cases:
        await watch.reaches(update_id, "in_deliberation")


async def test_terminated_worker_finishes_what_it_has_in_hand(stack: Stack, offices: Offices, watch: Watch) -> None:
    await watch.partner("PUT", stack.registry_url, "/admin/faults", {"latency_ms": 2000})
    update_id = await offices.submitted()
    await watch.reaches(update_id, "checking")
    await watch.registry_requests(at_least=1)
    await stack.worker.stop()
    assert await stack.worker.ended() == "exit code 0"
    assert await watch.identity_results(update_id) == 1
    await stack.worker.start()
    await watch.reaches(update_id, "in_verification")
    assert await watch.registry_requests() == 1, "the civil registry was asked again about what it had answered"
