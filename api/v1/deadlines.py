"""Deadlines without a case."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import ActorDep, KawalDep, signed_in
from services.queries.clock import ExplainedDeadline
from services.queries.deadlines import DeadlineQuestion, preview_deadline

router = APIRouter(tags=["deadlines"], dependencies=[signed_in])


@router.post("/deadlines/preview")
async def preview(question: DeadlineQuestion, actor: ActorDep, kawal: KawalDep) -> ExplainedDeadline:
    """When something would be due in an area, explained day by day. Nothing is stored."""
    return await preview_deadline(kawal, actor, question)
