"""What the tiers below say of a draft while it is shown to them, and what the office that drafted it answers."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import DraftRevision, PolicyAnswer, PolicyComment
from db.repositories import trail
from db.repositories.policies import DraftRecord, find_draft, lock_draft, standing_of, tell
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Permission, Seat
from domain.consultation import CommentVerdict, Remark, check_may_comment, check_open
from domain.errors import InvalidInput, NotFound, NotPossibleNow, Violation
from domain.ids import new_id
from domain.policy.comparison import place_of
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.policies.drafts import office_seat

COMMENT: Final = "POST /v1/policies/drafts/{draft_id}/comments"
ANSWER: Final = "POST /v1/policies/drafts/{draft_id}/comments/{comment_id}/answer"

Pointer = Annotated[str, StringConstraints(max_length=200, pattern=r"^(/[^/\s]{1,80}){1,8}$")]


class CommentInput(BaseModel):
    """What somebody has to say of the draft as they have read it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    revision: Annotated[int, Field(ge=1, le=100_000, description="The revision that you have read")]
    text: Remark
    pointer: Pointer | None = Field(
        default=None,
        description="The rule it is about, by position or by name; the whole draft if left out",
        examples=["/stages/approval/deadline", "/stages/2/deadline"],
    )


class AnswerInput(BaseModel):
    """What the office says of a comment, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    verdict: CommentVerdict
    reason: Remark


class _Said(BaseModel):
    draft_id: UUID
    comment: CommentInput


class _Answered(BaseModel):
    draft_id: UUID
    comment_id: UUID
    answer: AnswerInput


def stream_of_comment(comment_id: UUID) -> str:
    """The name of the trail of a comment: that it was made, in the area of whoever made it, and answered."""
    return f"policy-comment:{comment_id}"


async def comment(kawal: Kawal, call: Call, draft_id: UUID, request: CommentInput) -> tuple[Created, bool]:
    """Say something of a draft that is shown. It is kept for good, with the revision it was made on.

    Raises NotFound for a draft that is not shown here, Forbidden, NotPossibleNow outside the time for comments,
    InvalidInput for a revision or a place that there is not.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        await lock_draft(connection, draft_id)
        found = await find_draft(connection, draft_id)
        seat = call.actor.seat_in(Permission.POLICIES_COMMENT, area_code=found.area_code)

        async def write() -> Created:
            check_may_comment(await standing_of(connection, found), now=call.at)
            return Created(id=await _add(connection, call, seat, found, request))

        asked = _Said(draft_id=draft_id, comment=request)
        return await once(connection, call, asked, write, answer=Created, route=COMMENT, vault=kawal.vault)


async def _add(
    connection: AsyncConnection,
    call: Call,
    seat: Seat,
    found: DraftRecord,
    request: CommentInput,
) -> UUID:
    document = await connection.scalar(
        select(DraftRevision.document).where(
            DraftRevision.draft_id == found.id, DraftRevision.revision == request.revision
        ),
    )
    if document is None:
        raise InvalidInput([_unknown_revision(found.revision)])
    pointer = None if request.pointer is None else place_of(document, request.pointer)
    comment_id = new_id()
    await connection.execute(
        insert(PolicyComment).values(
            id=comment_id,
            draft_id=found.id,
            revision=request.revision,
            area_code=found.area_code,
            from_area=seat.area_code,
            pointer=pointer,
            text=request.text,
            author_id=call.actor.user_id,
            role=seat.role.value,
            office_id=seat.office_id,
            at=call.at,
        ),
    )
    entry = Entry(
        type=AuditType.POLICY_COMMENTED,
        by=Doer.of(call.actor, seat),
        data={"draft": str(found.id), "revision": request.revision, "pointer": pointer},
    )
    await trail.record(connection, stream_of_comment(comment_id), [entry], at=call.at, area_code=seat.area_code)
    drafter = [found.drafted_by]
    await tell(
        connection,
        "policy_commented",
        draft_id=found.id,
        area_code=found.area_code,
        at=call.at,
        user_ids=drafter,
    )
    return comment_id


async def answer(
    kawal: Kawal,
    call: Call,
    draft_id: UUID,
    comment_id: UUID,
    request: AnswerInput,
) -> tuple[Created, bool]:
    """Answer a comment, once; whoever made it is told. The answer is kept for good.

    Raises NotFound, Forbidden for any office but the one that drafted, NotPossibleNow when it has an answer.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        await lock_draft(connection, draft_id)
        found = await find_draft(connection, draft_id)
        seat = office_seat(call.actor, found)

        async def write() -> Created:
            check_open(await standing_of(connection, found))
            await _answer(connection, call, seat, found, comment_id, request)
            return Created(id=comment_id)

        asked = _Answered(draft_id=draft_id, comment_id=comment_id, answer=request)
        return await once(connection, call, asked, write, answer=Created, route=ANSWER, vault=kawal.vault)


async def _answer(
    connection: AsyncConnection,
    call: Call,
    seat: Seat,
    found: DraftRecord,
    comment_id: UUID,
    request: AnswerInput,
) -> None:
    answered = exists().where(PolicyAnswer.comment_id == PolicyComment.id).label("answered")
    columns = select(PolicyComment.author_id, PolicyComment.from_area, answered)
    of_draft = columns.where(PolicyComment.id == comment_id, PolicyComment.draft_id == found.id)
    row = (await connection.execute(of_draft)).one_or_none()
    if row is None:
        raise NotFound(f"The draft has no comment {comment_id}.")
    if row.answered:
        raise NotPossibleNow("The comment has an answer.", remedy="Read the answer; it is not changed any more.")
    await connection.execute(
        insert(PolicyAnswer).values(
            comment_id=comment_id,
            area_code=found.area_code,
            verdict=request.verdict.value,
            reason=request.reason,
            answered_by=call.actor.user_id,
            office_id=seat.office_id,
            at=call.at,
        ),
    )
    entry = Entry(
        type=AuditType.POLICY_COMMENT_ANSWERED,
        by=Doer.of(call.actor, seat),
        data={"draft": str(found.id), "verdict": request.verdict.value},
    )
    await trail.record(connection, stream_of_comment(comment_id), [entry], at=call.at, area_code=row.from_area)
    author = [row.author_id]
    await tell(
        connection,
        "policy_comment_answered",
        draft_id=found.id,
        area_code=found.area_code,
        at=call.at,
        user_ids=author,
    )


def _unknown_revision(current: int) -> Violation:
    return Violation(
        pointer="/revision",
        code="no_such_revision",
        detail=f"The draft has no such revision; it is in revision {current}.",
        remedy="Name the revision in which you read it.",
    )
