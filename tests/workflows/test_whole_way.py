"""The way of a case from submission to the registry, on every route."""

from __future__ import annotations

from domain.vocabulary import Stage
from tests.scene import household_of
from tests.workflows.stack import Stack


async def test_standard_case_is_applied_when_the_ministry_accepts(kawal: Stack) -> None:
    update_id = await kawal.submit()
    await kawal.pushed(update_id)
    await kawal.ministry_answers(update_id, "accepted")
    await kawal.at(update_id, "applied")
    assert (await kawal.scene.household(household_of(0).id)).circumstances.floor_area_m2 == 30


async def test_time(kawal: Stack) -> None:
    update_id = await kawal.submit()
    case = await kawal.forward_to(update_id, Stage.VERIFICATION)
    print(case)
    print(await kawal.now(update_id))
    for _ in range(6):
        case = await kawal.next_milestone(update_id)
        print(case.level, case.next_milestone_at, case.digests_sent)
    for row in await kawal.scene.rows("select * from escalations order by rung"):
        print(row.rung, row.action, row.to_role, row.due_at, row.fired_at)
