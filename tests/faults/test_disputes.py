"""kill -9 while offices disagree, and while an appeal is heard: both are heard once, one case goes on."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import select

from db.models import Decision, Update
from domain.vocabulary import Stage
from tests.faults.offices import Offices
from tests.faults.stack import Stack
from tests.faults.watch import Watch

MEANS = "not_eligible_means"
ASSISTANT, SUPERVISOR, OPERATOR = "asisten", "kabid", "operator.taraju"
OPINIONS = {
    "kades.taraju": {"advises": "forward", "text": "Rumahnya rusak berat."},
    "verifikator": {"advises": "reject", "reason": MEANS, "text": "Ada dua mobil di halaman."},
}


@pytest.fixture
async def hearing(offices: Offices) -> Offices:
    """The offices, with those who decide between them."""
    await offices.log_in(ASSISTANT, SUPERVISOR)
    return offices


async def at_last(offices: Offices, path: str, body: dict[str, str], *, by: str) -> httpx2.Response:
    """The same request until it has its answer."""
    key = str(uuid4())
    answer, _ = await offices.insist(lambda: offices.post(path, body, by=by, key=key))
    return answer


async def decide(offices: Offices, update_id: UUID, stage: Stage, outcome: dict[str, str], *, by: str) -> None:
    task = await offices.watch.open_task(update_id, stage)
    answer = await at_last(offices, f"/v1/tasks/{task['id']}/decision", outcome, by=by)
    assert answer.status_code == 200, answer.text


async def disputed(offices: Offices) -> UUID:
    """The village agreed and the Dinas says no."""
    update_id = await offices.towards(Stage.APPROVAL)
    await decide(offices, update_id, Stage.APPROVAL, {"outcome": "reject", "reason": MEANS}, by="verifikator")
    await offices.watch.open_task(update_id, Stage.OPINION)
    return update_id


async def given(stack: Stack, update_id: UUID) -> list[tuple[str, str]]:
    async with stack.database.transaction() as connection:
        taken = select(Decision.stage, Decision.outcome).where(Decision.update_id == update_id)
        rows = await connection.execute(taken.where(Decision.stage.in_(["opinion", "conflict", "appeal"])))
        return sorted((row.stage, row.outcome) for row in rows)


async def test_a_killed_worker_loses_no_opinion_and_hears_none_twice(
    stack: Stack, hearing: Offices, watch: Watch
) -> None:
    cases = await asyncio.gather(*(disputed(hearing) for _ in range(3)))
    async with watch.locked(cases[0]) as somebody_waits:
        opinions = [
            asyncio.create_task(at_last(hearing, f"/v1/updates/{case}/opinion", opinion, by=by))
            for case in cases
            for by, opinion in OPINIONS.items()
        ]
        await somebody_waits()  # one opinion is half-way through its transaction
        stack.worker.kill()
    await stack.worker.start()
    assert [answer.status_code for answer in await asyncio.gather(*opinions)] == [200] * 6
    for case in cases:
        await watch.open_task(case, Stage.CONFLICT)
        assert await given(stack, case) == [("opinion", "forward"), ("opinion", "reject")]


async def test_an_appeal_is_begun_once_and_takes_the_place_of_the_rejected_case_once(
    stack: Stack, hearing: Offices, watch: Watch
) -> None:
    rejected = await disputed(hearing)
    for by, opinion in OPINIONS.items():
        assert (await at_last(hearing, f"/v1/updates/{rejected}/opinion", opinion, by=by)).status_code == 200
    await decide(hearing, rejected, Stage.CONFLICT, {"outcome": "reject", "reason": MEANS}, by=ASSISTANT)
    await watch.reaches(rejected, "rejected")
    stack.worker.kill()
    body = {"ground": "facts_wrong", "text": "Mobil itu milik tetangga."}
    answer = await at_last(hearing, f"/v1/updates/{rejected}/appeal", body, by=OPERATOR)
    assert answer.status_code == 201, answer.text
    appeal = UUID(answer.json()["id"])
    await stack.worker.start()
    task = await watch.open_task(appeal, Stage.APPEAL)
    assert await watch.times_started(appeal) == 1
    async with watch.locked(rejected) as somebody_waits:
        path = f"/v1/tasks/{task['id']}/decision"
        overturning = asyncio.create_task(at_last(hearing, path, {"outcome": "overturn"}, by=SUPERVISOR))
        await somebody_waits()  # the appeal is granted, and the rejected case is about to be superseded
        stack.worker.kill()
    await stack.worker.start()
    assert (await overturning).status_code == 200
    await watch.open_task(appeal, Stage.ENDORSEMENT)
    await watch.reaches(rejected, "superseded")
    assert await given(stack, appeal) == [("appeal", "overturn")]
    async with stack.database.transaction() as connection:
        (one,) = await connection.scalars(select(Update.id).where(Update.appeal_of == rejected))
    assert one == appeal
