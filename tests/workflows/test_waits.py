"""Waiting on skipped time, with a real engine: what a case waits for ends when it is said to, and once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from db.repositories.people import read_actor
from domain.contracts import ActKind
from domain.document_waits import DocumentWaitEndInput, DocumentWaitInput
from domain.errors import CaseClosed
from domain.evidence import EvidenceType
from domain.ids import new_id
from domain.information import InformationInput
from domain.lapses import ReopeningInput
from domain.policy import Policy, demo_policy
from domain.requests import ResubmissionInput, ResubmissionRequest
from domain.vocabulary import DocumentWaitReason, Outcome, PeerOffice, ReasonCode, ReopenReason, Stage, Status
from runtime.engine import EngineHasNoCaseError
from services.document_waits import await_document, end_document_wait
from services.information import ask
from services.kawal import Kawal
from services.keyed import Call
from services.reopening import reopen
from tests.scene import SYSTEM, VAULT, no_room, user
from tests.workflows.stack import Stack, floor_area, until
from tests.workflows.test_interrupted import CutOff
from tests.workflows.test_silence import seconds

KK = DocumentWaitInput(
    document=EvidenceType.KK, office=PeerOffice.CIVIL_REGISTRY_OFFICE, reason=DocumentWaitReason.BEING_ISSUED
)


def serving(stack: Stack) -> Kawal:
    """What the API works with, beside the stack."""
    return Kawal(stack.scene.app, VAULT, stack.scene.rules, stack.engine, no_room())


async def calling(stack: Stack, update_id: UUID, *, at: datetime | None = None, by: str = "operator.taraju") -> Call:
    """A request of the operator or somebody else, at the time that the case has unless another is given."""
    at = at or await stack.now(update_id)
    async with stack.scene.worker.transaction(SYSTEM) as connection:
        return Call(actor=await read_actor(connection, user(by), at=at), key=str(new_id()), at=at)


async def returned(stack: Stack) -> UUID:
    """A case that its operator has back."""
    update_id = await stack.submit()
    await stack.forward_to(update_id, Stage.VERIFICATION)
    await stack.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    return update_id


@pytest.mark.parametrize("cache_size", [1000, 0], ids=["cached", "replayed"])
async def test_a_wait_of_sixty_days_runs_out_by_itself_and_the_repair_then_climbs(
    stack: Stack, cache_size: int
) -> None:
    async with stack.working(cache_size=cache_size):
        update_id = await returned(stack)
        now, _ = await await_document(serving(stack), await calling(stack, update_id), update_id, KK)
        assert now.waits_until is not None
        await stack.pass_time_until(update_id, now.waits_until - timedelta(days=2))
        assert (await stack.scene.case(update_id)).status == Status.WAITING_DOCUMENT
        await stack.pass_time_until(update_id, now.waits_until)
        case = await stack.at(update_id, Status.RETURNED)
        assert case.level == 0
        await stack.pass_time_until(update_id, case.due_at)
        await until(lambda: stack.scene.case(update_id), lambda case: case.level == 1)
        assert (await stack.resubmit(update_id, floor_area(31))).stage is Stage.VERIFICATION


async def test_the_engine_looks_earlier_at_a_repair_whose_wait_was_ended(kawal: Stack) -> None:
    update_id = await returned(kawal)
    await await_document(serving(kawal), await calling(kawal, update_id), update_id, KK)
    await kawal.pass_time_until(update_id, (await kawal.scene.case(update_id)).opened_at + timedelta(days=8))
    await end_document_wait(serving(kawal), await calling(kawal, update_id), update_id, DocumentWaitEndInput())
    async with kawal.scene.as_owner() as connection:
        await connection.execute(text("UPDATE outbox SET available_at = now()"))  # the dispatcher skips no time
    case = await kawal.scene.case(update_id)
    live = await until(lambda: kawal.engine.live(update_id), lambda live: live.status is Status.RETURNED)
    assert live.wake_at is not None
    assert timedelta(0) <= live.wake_at - case.next_milestone_at <= timedelta(seconds=60)


async def test_a_repair_sent_in_as_its_wait_runs_out_has_one_outcome(kawal: Stack) -> None:
    update_id = await returned(kawal)
    now, _ = await await_document(serving(kawal), await calling(kawal, update_id), update_id, KK)
    assert now.waits_until is not None
    await kawal.pass_time_until(update_id, now.waits_until - timedelta(minutes=5))
    passing = asyncio.create_task(kawal.pass_time_until(update_id, now.waits_until))
    result = await kawal.resubmit(update_id, floor_area(31))
    await passing
    assert result.stage is Stage.VERIFICATION
    ended = "SELECT ended_because FROM document_waits WHERE update_id = :id"
    assert (await kawal.scene.one(ended, id=update_id)).ended_because in {"moved_on", "ran_out"}


def in_moments() -> Policy:
    """The demonstration policy with a repair of a second, and a lapse soon after its last rung."""
    policy = demo_policy()
    reminder, supervisor, head, assistant = policy.repair.ladder
    later = (head.model_copy(update={"after": seconds(1)}), assistant.model_copy(update={"after": seconds(2)}))
    repair = policy.repair.model_copy(update={"deadline": seconds(1), "ladder": (reminder, supervisor, *later)})
    assert policy.lapse is not None
    lapse = policy.lapse.model_copy(update={"after": seconds(1), "notice": seconds(2)})
    return policy.model_copy(update={"repair": repair, "lapse": lapse})


async def test_a_case_that_nobody_mends_lapses_while_a_person_watches_and_another_carries_it_on(kawal: Stack) -> None:
    version_id = await kawal.scene.publish(in_moments())
    update_id = await kawal.submit(policy_version_id=version_id)
    await kawal.forward_to(update_id, Stage.VERIFICATION)
    await kawal.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    case = await kawal.at(update_id, Status.LAPSED, within=30)
    (notice,) = await kawal.scene.rows("SELECT * FROM lapse_notices WHERE update_id = :id", id=update_id)
    assert notice.told_at + timedelta(seconds=2) <= notice.lapses_at <= notice.lapsed_at == case.closed_at
    assert (await kawal.handle(update_id).result())["status"] == "lapsed"
    repair = ResubmissionInput(change=floor_area(31))
    late = await kawal.scene.ask(update_id, "operator.taraju", ResubmissionRequest(body=repair))
    with pytest.raises((CaseClosed, EngineHasNoCaseError)):
        await kawal.act(update_id, late, ActKind.RESUBMIT, None)
    call = await calling(kawal, update_id, at=datetime.now(UTC))
    request = ReopeningInput(reason=ReopenReason.NOT_REACHED, text="Keluarga baru mendengar hari ini.")
    receipt = (await reopen(serving(kawal), call, update_id, request)).receipt
    assert (await kawal.at(receipt.update_id, Status.RETURNED)).task_stage == Stage.REPAIR
    assert (await kawal.resubmit(receipt.update_id, floor_area(31))).stage is Stage.VERIFICATION


async def test_a_lapse_whose_every_step_is_lost_after_it_was_taken_is_told_once_and_comes_once(stack: Stack) -> None:
    version_id = await stack.scene.publish(in_moments())
    async with stack.working(interceptors=[CutOff()]):
        update_id = await stack.submit(policy_version_id=version_id)
        await stack.forward_to(update_id, Stage.VERIFICATION)
        await stack.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
        await stack.at(update_id, Status.LAPSED, within=60)
        assert (await stack.handle(update_id).result())["status"] == "lapsed"
    types = [event.type for event in await stack.scene.events(update_id)]
    assert [types.count(f"update.{what}") for what in ("lapse_told", "lapsed", "closed")] == [1, 1, 1]
    told = "SELECT count(*) AS n FROM notifications WHERE subject = :what AND to_role = 'village_operator'"
    assert [(await stack.scene.one(told, what=what)).n for what in ("lapse_told", "lapsed")] == [1, 1]


async def test_a_question_climbs_its_own_ladder_in_the_engine_and_a_decision_leaves_it_behind(kawal: Stack) -> None:
    update_id = await kawal.submit()
    case = await kawal.forward_to(update_id, Stage.VERIFICATION)
    wanted = InformationInput(office=PeerOffice.SCHOOL, question="Apakah anak ini masih bersekolah?")
    now, _ = await ask(serving(kawal), await calling(kawal, update_id, by="puskesos.taraju"), case.task, wanted)
    looked = (await kawal.scene.case(update_id)).next_milestone_at
    await until(lambda: kawal.engine.live(update_id), lambda live: live.wake_at is not None and live.wake_at >= looked)
    await kawal.pass_time_until(update_id, now.answer_due_at)

    async def told() -> list[str]:
        types = [event.type for event in await kawal.scene.events(update_id)]
        return [each for each in types if each.startswith(("update.information_", "task.reminded", "task.escalated"))]

    expected = [f"update.information_{what}" for what in ("requested", "reminded", "escalated")]
    assert await until(told, lambda found: len(found) >= len(expected)) == expected, "no rung of the stage has fired"
    assert (await kawal.decide(update_id, "puskesos.taraju")).stage is Stage.DELIBERATION
    state = "SELECT state FROM information_requests WHERE update_id = :id"
    assert (await kawal.scene.one(state, id=update_id)).state == "moved_on"
