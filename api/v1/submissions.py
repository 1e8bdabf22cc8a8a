"""Submitting an update."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.deps import ActorDep, IdempotencyKey, KawalDep, etag, requires
from domain.authority import Permission
from domain.requests import SubmissionInput
from domain.vocabulary import Kind, Status
from services.keyed import Call
from services.submit import Submitted, submit

router = APIRouter(tags=["updates"])


class SubmittedUpdate(BaseModel):
    """The receipt of an update."""

    id: UUID
    tracking_code: str = Field(description="For the citizen: shows the status without personal data")
    kind: Kind
    status: Status
    engine: Literal["started", "pending"] = Field(
        description="`pending`: the workflow engine does not answer; the update is safe and will be started by itself",
    )
    task: UUID | None = Field(description="The open task; null until the case has entered its first stage")
    findings: list[dict[str, Any]] = Field(description="What was noticed, by code; none keeps the update from going on")
    links: dict[str, str]


@router.post("/updates", status_code=201, dependencies=[requires(Permission.UPDATES_SUBMIT)])
async def submit_update(
    request: SubmissionInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> SubmittedUpdate:
    """Submit an update. Sent again with the same Idempotency-Key and body, it is answered again and not done again."""
    submitted = await submit(kawal, Call(actor=actor, key=key, at=kawal.now()), request)
    receipt = submitted_update(submitted)
    response.headers["Location"] = receipt.links["self"]
    response.headers["ETag"] = etag(1)
    if submitted.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return receipt


def submitted_update(submitted: Submitted) -> SubmittedUpdate:
    """The receipt of a case that was written down."""
    receipt = submitted.receipt
    address = f"/v1/updates/{receipt.update_id}"
    return SubmittedUpdate(
        id=receipt.update_id,
        tracking_code=receipt.tracking_code,
        kind=receipt.kind,
        status=Status.RECEIVED,
        engine="started" if submitted.started else "pending",
        task=None,
        findings=receipt.findings,
        links={
            "self": address,
            "timeline": f"{address}/timeline",
            "track": f"/public/track/{receipt.tracking_code}",
        },
    )
