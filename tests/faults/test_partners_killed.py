"""The civil registry and the Ministry die and come back; unavailable is never a mismatch, and nothing is sent twice."""

from __future__ import annotations

from domain.vocabulary import Stage
from tests.faults.offices import DECIDER, Offices
from tests.faults.stack import Stack
from tests.faults.watch import Watch


async def test_partners_die_and_the_cases_wait_for_them(stack: Stack, offices: Offices, watch: Watch) -> None:
    delivering = await offices.submitted()
    await offices.forward(delivering, *list(DECIDER)[:-1])
    await watch.partner("PUT", stack.ministry_url, "/admin/faults", {"lose_answer_rate": 1})
    await offices.forward(delivering, Stage.ENDORSEMENT)
    await watch.pushed(delivering)
    stack.partners.kill()
    await stack.partners.ended()
    checking = await offices.submitted()
    await watch.clock_stands(checking)
    await stack.partners.start()
    await watch.reaches(checking, "in_verification")
    await watch.reaches(delivering, "applied")
    assert len(await watch.proposals(delivering)) == 1
