"""Drafts of policies: write, show, comment, answer, publish by somebody else."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from api.deps import ActorDep, HeldVersions, IdempotencyKey, KawalDep, RequiredVersions, etag, requires
from api.pagination import Page, PageQuery, page_of
from api.problems import Problem
from domain.areas import AreaOrNation
from domain.authority import Permission
from domain.consultation import DraftStatus
from domain.policy.comparison import Difference
from services.keyed import Call, Created
from services.policies import comments, drafts, publication, reading
from services.policies.comments import AnswerInput, CommentInput
from services.policies.drafts import DraftInput, WithdrawalInput
from services.policies.publication import EmergencyInput
from services.policies.reading import Comment, DraftDocument, DraftSummary, RevisionDocument
from services.policies.versions import PolicyDocument, read_policy
from services.queries.keyset import ByAge

router = APIRouter(prefix="/policies/drafts", tags=["policies"])

_CONFLICT: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": Problem, "description": "Not possible now, on another version, or something is missing: `data`."},
    412: {"model": Problem, "description": "The draft has changed since you read it."},
}


class DraftFilter(PageQuery):
    """Which drafts."""

    area_code: AreaOrNation | None = None
    status: DraftStatus | None = None


class CommentFilter(PageQuery):
    """Which comments."""

    answered: bool | None = Field(default=None, description="false: only those that still wait for an answer")


class DraftComparison(BaseModel):
    """What a draft would change."""

    policy_in_force: UUID
    differences: list[Difference]


async def _revising(key: IdempotencyKey, holds: RequiredVersions, actor: ActorDep, kawal: KawalDep) -> Call:
    """A request under a key, by somebody who names the version of the draft that they have seen."""
    return Call(actor=actor, key=key, at=kawal.now(), holds=holds)


RevisingDep = Annotated[Call, Depends(_revising)]


@router.post("", status_code=201, dependencies=[requires(Permission.POLICIES_DRAFT)])
async def draft_policy(
    body: DraftInput, key: IdempotencyKey, actor: ActorDep, kawal: KawalDep, response: Response
) -> DraftDocument:
    """Write a draft. It is checked as a policy, and tried on the open cases of its area, which stay as they are."""
    made, replayed = await drafts.draft(kawal, Call(actor=actor, key=key, at=kawal.now()), body)
    response.headers["Location"] = f"/v1/policies/drafts/{made.id}"
    return await _now(actor, kawal, made.id, response, replayed=replayed)


@router.get("", dependencies=[requires(Permission.POLICIES_READ)])
async def list_drafts(query: Annotated[DraftFilter, Query()], actor: ActorDep, kawal: KawalDep) -> Page[DraftSummary]:
    """The drafts of your areas and those that are shown to them, the newest first."""
    page = query.page(ByAge)
    return page_of(await reading.list_drafts(kawal, actor, page, area_code=query.area_code, status=query.status))


@router.get("/{draft_id}", dependencies=[requires(Permission.POLICIES_READ)])
async def read_draft(draft_id: UUID, actor: ActorDep, kawal: KawalDep, response: Response) -> DraftDocument:
    """A draft with its rules, how it fell out on the open cases, and what is missing before it may be published."""
    return await _now(actor, kawal, draft_id, response)


@router.get("/{draft_id}/diff", dependencies=[requires(Permission.POLICIES_READ)])
async def compare_draft(draft_id: UUID, actor: ActorDep, kawal: KawalDep) -> DraftComparison:
    """What the draft would change in the policy in force, field by field and in words."""
    in_force, differences = await reading.compare_draft(kawal, actor, draft_id)
    return DraftComparison(policy_in_force=in_force, differences=differences)


@router.get("/{draft_id}/revisions/{revision}", dependencies=[requires(Permission.POLICIES_READ)])
async def read_revision(
    draft_id: UUID, revision: Annotated[int, Path(ge=1, le=100_000)], actor: ActorDep, kawal: KawalDep
) -> RevisionDocument:
    """A draft as it was in one of its revisions: comments name the one they were made on."""
    return await reading.read_revision(kawal, actor, draft_id, revision)


@router.post(
    "/{draft_id}/revisions",
    status_code=201,
    dependencies=[requires(Permission.POLICIES_DRAFT)],
    responses=_CONFLICT,
)
async def amend_draft(
    draft_id: UUID,
    body: DraftInput,
    call: RevisingDep,
    kawal: KawalDep,
    response: Response,
) -> DraftDocument:
    """Write the next revision; `based_on` rebases it. A draft that is on show is shown anew, for the whole time."""
    made, replayed = await drafts.amend(kawal, call, draft_id, body)
    return await _now(call.actor, kawal, made.id, response, replayed=replayed)


@router.post("/{draft_id}/consultation", dependencies=[requires(Permission.POLICIES_DRAFT)], responses=_CONFLICT)
async def open_consultation(draft_id: UUID, actor: ActorDep, kawal: KawalDep, response: Response) -> DraftDocument:
    """Show the draft to everybody who works in its area, for the time that the policy in force gives them."""
    await drafts.open_consultation(kawal, actor, draft_id)
    return await _now(actor, kawal, draft_id, response)


@router.post("/{draft_id}/withdrawal", dependencies=[requires(Permission.POLICIES_DRAFT)], responses=_CONFLICT)
async def withdraw_draft(
    draft_id: UUID,
    body: WithdrawalInput,
    holds: HeldVersions,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> DraftDocument:
    """Give the draft up. What was said of it stays."""
    await drafts.withdraw(kawal, Call(actor=actor, key="", at=kawal.now(), holds=holds), draft_id, body)
    return await _now(actor, kawal, draft_id, response)


@router.get("/{draft_id}/comments", dependencies=[requires(Permission.POLICIES_READ)])
async def list_comments(
    draft_id: UUID, query: Annotated[CommentFilter, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[Comment]:
    """What was said of the draft and what was answered, the newest first."""
    page = query.page(ByAge)
    return page_of(await reading.list_comments(kawal, actor, draft_id, page, answered=query.answered))


@router.post(
    "/{draft_id}/comments",
    status_code=201,
    dependencies=[requires(Permission.POLICIES_COMMENT)],
    responses=_CONFLICT,
)
async def comment_on_draft(
    draft_id: UUID,
    body: CommentInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> Comment:
    """Say something of the draft, or of one of its rules, while it is shown. It is kept for good and answered."""
    made, replayed = await comments.comment(kawal, Call(actor=actor, key=key, at=kawal.now()), draft_id, body)
    _mark(response, replayed=replayed)
    return await reading.read_comment(kawal, actor, draft_id, made.id)


@router.post(
    "/{draft_id}/comments/{comment_id}/answer",
    status_code=201,
    dependencies=[requires(Permission.POLICIES_DRAFT)],
    responses=_CONFLICT,
)
async def answer_comment(
    draft_id: UUID,
    comment_id: UUID,
    body: AnswerInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> Comment:
    """Answer a comment for the office that drafted. Whoever made it is told; an answer is not changed any more."""
    call = Call(actor=actor, key=key, at=kawal.now())
    _, replayed = await comments.answer(kawal, call, draft_id, comment_id, body)
    _mark(response, replayed=replayed)
    return await reading.read_comment(kawal, actor, draft_id, comment_id)


@router.post(
    "/{draft_id}/publication",
    status_code=201,
    dependencies=[requires(Permission.POLICIES_PUBLISH)],
    responses=_CONFLICT,
)
async def publish_draft(
    draft_id: UUID,
    call: RevisingDep,
    kawal: KawalDep,
    response: Response,
) -> PolicyDocument:
    """Publish the draft as the next version of its area, once its consultation is over and every comment answered.

    By somebody who wrote none of it. Open cases keep the version they began with. It confirms its own emergency.
    """
    return await _published(kawal, call, await publication.publish(kawal, call, draft_id), response)


@router.post(
    "/{draft_id}/emergency",
    status_code=201,
    dependencies=[requires(Permission.POLICIES_PUBLISH)],
    responses=_CONFLICT,
)
async def publish_in_emergency(
    draft_id: UUID,
    body: EmergencyInput,
    call: RevisingDep,
    kawal: KawalDep,
    response: Response,
) -> PolicyDocument:
    """Put the draft in force at once and for a bounded time, by somebody who wrote none of it; its consultation opens.

    Unless it is confirmed by then, the policy before it is in force again by itself for what is submitted after.
    """
    return await _published(kawal, call, await publication.publish_in_emergency(kawal, call, draft_id, body), response)


async def _now(
    actor: ActorDep, kawal: KawalDep, draft_id: UUID, response: Response, *, replayed: bool = False
) -> DraftDocument:
    found = await reading.read_draft(kawal, actor, draft_id)
    response.headers["ETag"] = etag(found.version)
    _mark(response, replayed=replayed)
    return found


async def _published(
    kawal: KawalDep, call: Call, published: tuple[Created, bool], response: Response
) -> PolicyDocument:
    """The version that a draft has become, by whichever way."""
    made, replayed = published
    response.headers["Location"] = f"/v1/policies/{made.id}"
    _mark(response, replayed=replayed)
    return await read_policy(kawal, call.actor, made.id)


def _mark(response: Response, *, replayed: bool) -> None:
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
