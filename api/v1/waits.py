"""What the repair of a case waits for: a paper of another office."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from api.deps import ActorDep, IdempotencyKey, KawalDep, etag, requires
from domain.document_waits import DocumentWaitEndInput, DocumentWaitInput
from domain.permissions import Permission
from services import document_waits
from services.document_waits import WaitNow
from services.keyed import Call

router = APIRouter(prefix="/updates/{update_id}/document-wait", tags=["acts"])


@router.post("", status_code=201, dependencies=[requires(Permission.UPDATES_REPAIR)])
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


@router.post("/end", dependencies=[requires(Permission.UPDATES_REPAIR)])
async def end_document_wait(
    update_id: UUID,
    ending: DocumentWaitEndInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> WaitNow:
    """Let the repair go on with what was left of its time: the paper has come as a file, or is given up."""
    call = Call(actor=actor, key=key, at=kawal.now())
    return _told(response, *await document_waits.end_document_wait(kawal, call, update_id, ending))


def _told(response: Response, now: WaitNow, replayed: bool) -> WaitNow:  # noqa: FBT001  a pair taken apart
    response.headers["ETag"] = etag(now.version)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return now
