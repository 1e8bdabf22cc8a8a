"""What the repair of a case waits for, a paper of another office; and the way back for one that has lapsed."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from api.deps import ActorDep, IdempotencyKey, KawalDep, etag, requires
from api.v1.submissions import SubmittedUpdate, submitted_update
from domain.document_waits import DocumentWaitEndInput, DocumentWaitInput
from domain.lapses import ReopeningInput
from domain.permissions import Permission
from services import document_waits, reopening
from services.document_waits import WaitNow
from services.keyed import Call

router = APIRouter(prefix="/updates/{update_id}", tags=["acts"])


class ReopenedUpdate(SubmittedUpdate):
    """The receipt of a reopening: a case of its own, with its own tracking code, that carries the lapsed one on."""

    reopen_of: UUID = Field(description="The lapsed update; its tracking code shows the new case too")


@router.post("/document-wait", status_code=201, dependencies=[requires(Permission.UPDATES_REPAIR)])
async def await_document(
    update_id: UUID,
    wanted: DocumentWaitInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> WaitNow:
    """Let the repair wait for a paper of another office; its clock stands meanwhile. Works while the engine is down."""
    call = Call(actor=actor, key=key, at=kawal.now())
    return _told(response, *await document_waits.await_document(kawal, call, update_id, wanted))


@router.post("/document-wait/end", dependencies=[requires(Permission.TASKS_WORK)])
async def end_document_wait(
    update_id: UUID,
    ending: DocumentWaitEndInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> WaitNow:
    """Let the repair go on with what was left of its time: the paper has come as a file, or is given up.

    Whoever mends in the village does, and who manages the repair.
    """
    call = Call(actor=actor, key=key, at=kawal.now())
    return _told(response, *await document_waits.end_document_wait(kawal, call, update_id, ending))


@router.post("/reopening", status_code=201, dependencies=[requires(Permission.UPDATES_REOPEN)])
async def reopen_update(
    update_id: UUID,
    request: ReopeningInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> ReopenedUpdate:
    """Reopen a lapsed update, once, within the period of the policy. It waits to be repaired, as the lapsed one did."""
    submitted = await reopening.reopen(kawal, Call(actor=actor, key=key, at=kawal.now()), update_id, request)
    receipt = submitted_update(submitted)
    response.headers["Location"] = receipt.links["self"]
    response.headers["ETag"] = etag(1)
    if submitted.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    links = {**receipt.links, "reopen_of": f"/v1/updates/{update_id}"}
    return ReopenedUpdate.model_validate({**dict(receipt), "links": links, "reopen_of": update_id})


def _told(response: Response, now: WaitNow, replayed: bool) -> WaitNow:  # noqa: FBT001  a pair taken apart
    response.headers["ETag"] = etag(now.version)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return now
