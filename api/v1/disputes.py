"""Disputes about a case: an appeal against its rejection, and the opinions of two offices in a conflict."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from api.deps import ActorDep, IdempotencyKey, KawalDep, etag, requires
from api.openapi import PENDING
from api.v1.acts import ActAnswer, CallDep, answer_of
from api.v1.submissions import SubmittedUpdate, submitted_update
from domain.decisions import OpinionInput
from domain.disputes import AppealInput
from domain.permissions import Permission
from services import acts, appeals
from services.keyed import Call

router = APIRouter(prefix="/updates/{update_id}", tags=["acts"])


class SubmittedAppeal(SubmittedUpdate):
    """The receipt of an appeal: a case of its own, with a tracking code of its own."""

    appeal_of: UUID = Field(description="The rejected update; its tracking code shows the appeal too")


@router.post("/appeal", status_code=201, dependencies=[requires(Permission.UPDATES_APPEAL)])
async def appeal_update(
    update_id: UUID,
    request: AppealInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> SubmittedAppeal:
    """Appeal against a rejection, within the period of the policy, once. The tier above decides, and somebody else."""
    submitted = await appeals.appeal(kawal, Call(actor=actor, key=key, at=kawal.now()), update_id, request)
    receipt = submitted_update(submitted)
    response.headers["Location"] = receipt.links["self"]
    response.headers["ETag"] = etag(1)
    if submitted.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    links = {**receipt.links, "appeal_of": f"/v1/updates/{update_id}"}
    return SubmittedAppeal.model_validate({**dict(receipt), "links": links, "appeal_of": update_id})


@router.post("/opinion", responses=PENDING, dependencies=[requires(Permission.TASKS_WORK)])
async def give_opinion(
    update_id: UUID,
    opinion: OpinionInput,
    call: CallDep,
    kawal: KawalDep,
    response: Response,
) -> ActAnswer:
    """Say what your office holds to be right in a conflict. Both offices and whoever decides read it."""
    return answer_of(response, call, await acts.give_opinion(kawal, call, update_id, opinion))
