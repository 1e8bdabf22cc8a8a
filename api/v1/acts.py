"""Acts on a case: on its open task, and on the update itself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from api.deps import ActorDep, HeldVersions, KawalDep, OptionalIdempotencyKey, etag, requires
from api.openapi import PENDING
from domain.authority import Permission
from domain.contracts import ActResult
from domain.decisions import DecisionInput
from domain.ids import new_id
from domain.requests import ResubmissionInput, WithdrawalInput
from domain.supervision import CorrectionInput, EscalationInput, ExtensionInput, ReassignmentInput
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from services import acts, claims, supervision
from services.acts import Acted
from services.claims import Held
from services.keyed import Call
from services.supervision import Assignable, Ordered

router = APIRouter(tags=["acts"])


async def _call(
    actor: ActorDep,
    kawal: KawalDep,
    holds: HeldVersions,
    key: OptionalIdempotencyKey = None,
) -> Call:
    """The request as a service knows it; without a key of the client's, under one that is made here."""
    return Call(actor=actor, key=key or str(new_id()), at=kawal.now(), holds=holds)


CallDep = Annotated[Call, Depends(_call)]


class CaseNow(BaseModel):
    """Where a case stands after the act."""

    id: UUID
    status: Status
    stage: Stage | None
    level: int = Field(description="How far up the ladder it has moved")


class DecisionTaken(BaseModel):
    """What was decided."""

    task_id: UUID
    outcome: Outcome
    reason: ReasonCode | None


class ActAnswer(BaseModel):
    """What an act led to."""

    update: CaseNow
    next_task_id: UUID | None = Field(description="The task that is open now; null when the case has ended")
    links: dict[str, str]


class DecisionAnswer(ActAnswer):
    """What a decision led to."""

    decision: DecisionTaken


class ClaimAnswer(BaseModel):
    """A task and who holds it."""

    task_id: UUID
    update_id: UUID
    version: int
    claimed_by: UUID | None
    links: dict[str, str]


class OrderAnswer(ClaimAnswer):
    """A task after a supervisor's order."""

    due_at: datetime


@router.post("/tasks/{task_id}/decision", responses=PENDING, dependencies=[requires(Permission.TASKS_WORK)])
async def decide_task(
    task_id: UUID,
    decision: DecisionInput,
    call: CallDep,
    kawal: KawalDep,
    response: Response,
) -> DecisionAnswer:
    """Decide a task: forward, return or reject; an appeal: uphold or overturn.

    Of two who decide at once, one does; the other is told who.
    """
    acted = await acts.decide(kawal, call, task_id, decision)
    _say_how(response, call, acted)
    return DecisionAnswer(
        update=_case(acted.result),
        decision=DecisionTaken(task_id=task_id, outcome=decision.outcome, reason=decision.reason),
        next_task_id=acted.result.task_id,
        links=_links(acted.result.update_id),
    )


@router.post("/tasks/{task_id}/claim", dependencies=[requires(Permission.TASKS_WORK)])
async def claim_task(task_id: UUID, call: CallDep, kawal: KawalDep, response: Response) -> ClaimAnswer:
    """Take a task for yourself, so that others see that you work on it."""
    return _claimed(response, await claims.claim(kawal, call, task_id))


@router.post("/tasks/{task_id}/release", dependencies=[requires(Permission.TASKS_WORK)])
async def release_task(task_id: UUID, call: CallDep, kawal: KawalDep, response: Response) -> ClaimAnswer:
    """Give a task back that you hold, or that somebody whom you supervise holds."""
    return _claimed(response, await claims.release(kawal, call, task_id))


@router.get("/tasks/{task_id}/assignable", dependencies=[requires(Permission.TASKS_WORK)])
async def list_assignable(task_id: UUID, actor: ActorDep, kawal: KawalDep) -> list[Assignable]:
    """Whom a task that you manage can be given to: who may decide it and had no other part in the case."""
    return list(await supervision.list_assignable(kawal, actor, task_id))


@router.post("/tasks/{task_id}/reassign", dependencies=[requires(Permission.TASKS_WORK)])
async def reassign_task(
    task_id: UUID,
    order: ReassignmentInput,
    call: CallDep,
    kawal: KawalDep,
    response: Response,
) -> OrderAnswer:
    """Give a task that you manage to somebody who may decide it. Who may decide it otherwise still may."""
    return _told(response, await supervision.reassign(kawal, call, task_id, order))


@router.post("/tasks/{task_id}/extend", dependencies=[requires(Permission.TASKS_WORK)])
async def extend_task(
    task_id: UUID,
    order: ExtensionInput,
    call: CallDep,
    kawal: KawalDep,
    response: Response,
) -> OrderAnswer:
    """Give a task that you manage more time, within the limits of the policy. Rungs that have fired stay fired."""
    return _told(response, await supervision.extend(kawal, call, task_id, order))


@router.post("/tasks/{task_id}/escalation", dependencies=[requires(Permission.TASKS_WORK)])
async def escalate_task(
    task_id: UUID,
    order: EscalationInput,
    call: CallDep,
    kawal: KawalDep,
    response: Response,
) -> ActAnswer:
    """Have the next rung of the ladder fire now. The holder keeps the task until somebody decides it."""
    return answer_of(response, call, await acts.escalate(kawal, call, task_id, order))


@router.post("/updates/{update_id}/resubmission", responses=PENDING, dependencies=[requires(Permission.UPDATES_REPAIR)])
async def resubmit_update(
    update_id: UUID,
    repair: ResubmissionInput,
    call: CallDep,
    kawal: KawalDep,
    response: Response,
) -> ActAnswer:
    """Send a returned update in again, whole."""
    return answer_of(response, call, await acts.resubmit(kawal, call, update_id, repair))


@router.post("/updates/{update_id}/withdrawal", responses=PENDING, dependencies=[requires(Permission.UPDATES_WITHDRAW)])
async def withdraw_update(
    update_id: UUID,
    withdrawal: WithdrawalInput,
    call: CallDep,
    kawal: KawalDep,
    response: Response,
) -> ActAnswer:
    """Take an update back in the applicant's name, until it is being delivered."""
    return answer_of(response, call, await acts.withdraw(kawal, call, update_id, withdrawal))


@router.post("/updates/{update_id}/correction", dependencies=[requires(Permission.CASES_CORRECT)])
async def correct_update(
    update_id: UUID,
    order: CorrectionInput,
    call: CallDep,
    kawal: KawalDep,
    response: Response,
) -> ActAnswer:
    """Send a case that is stuck back to a stage it has passed, or into its present one anew. Nobody is passed over."""
    return answer_of(response, call, await acts.correct(kawal, call, update_id, order))


def answer_of(response: Response, call: Call, acted: Acted) -> ActAnswer:
    """What an act led to, under which key."""
    _say_how(response, call, acted)
    return ActAnswer(
        update=_case(acted.result),
        next_task_id=acted.result.task_id,
        links=_links(acted.result.update_id),
    )


def _say_how(response: Response, call: Call, acted: Acted) -> None:
    response.headers["Idempotency-Key"] = call.key
    if acted.replayed:
        response.headers["Idempotency-Replayed"] = "true"


def _case(result: ActResult) -> CaseNow:
    return CaseNow(id=result.update_id, status=result.status, stage=result.stage, level=result.level)


def _claimed(response: Response, held: Held) -> ClaimAnswer:
    response.headers["ETag"] = etag(held.version)
    return ClaimAnswer(
        task_id=held.task_id,
        update_id=held.update_id,
        version=held.version,
        claimed_by=held.holder,
        links=_links(held.update_id),
    )


def _told(response: Response, ordered: Ordered) -> OrderAnswer:
    response.headers["ETag"] = etag(ordered.version)
    return OrderAnswer(
        task_id=ordered.task_id,
        update_id=ordered.update_id,
        version=ordered.version,
        claimed_by=ordered.holder,
        due_at=ordered.deadline.due_at,
        links=_links(ordered.update_id),
    )


def _links(update_id: UUID) -> dict[str, str]:
    address = f"/v1/updates/{update_id}"
    return {"update": address, "timeline": f"{address}/timeline"}
