"""Questions of a stage to an office outside the case, and their answers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.deps import ActorDep, IdempotencyKey, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from domain.information import AnswerInput, InformationInput, RequestWithdrawalInput
from domain.permissions import Permission
from services import information
from services.information import QuestionNow
from services.keyed import Call
from services.queries.information import Question, list_questions
from services.queries.keyset import ByAge

router = APIRouter(tags=["acts"])


@router.post("/tasks/{task_id}/information-requests", status_code=201, dependencies=[requires(Permission.TASKS_WORK)])
async def ask_office(
    task_id: UUID,
    wanted: InformationInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> QuestionNow:
    """Ask an office outside the case before you decide; the clock of the task stands meanwhile, for a bounded time."""
    call = Call(actor=actor, key=key, at=kawal.now())
    return _told(response, *await information.ask(kawal, call, task_id, wanted))


@router.get("/information-requests", dependencies=[requires(Permission.INFORMATION_ANSWER)])
async def list_information_requests(
    query: Annotated[PageQuery, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[Question]:
    """What waits for an answer: what your office was asked, and what is asked in the areas that you work in."""
    return page_of(await list_questions(kawal, actor, query.page(ByAge)))


@router.post("/information-requests/{question_id}/answer", dependencies=[requires(Permission.INFORMATION_ANSWER)])
async def answer_question(
    question_id: UUID,
    given: AnswerInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> QuestionNow:
    """Answer a question to your office; or record the answer of an office by its letter, if you may decide the task."""
    call = Call(actor=actor, key=key, at=kawal.now())
    return _told(response, *await information.answer(kawal, call, question_id, given))


@router.post("/information-requests/{question_id}/withdrawal", dependencies=[requires(Permission.TASKS_WORK)])
async def withdraw_question(
    question_id: UUID,
    withdrawal: RequestWithdrawalInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> QuestionNow:
    """Take a question back that you asked, or that belongs to a task which you manage."""
    call = Call(actor=actor, key=key, at=kawal.now())
    return _told(response, *await information.withdraw(kawal, call, question_id, withdrawal))


def _told(response: Response, now: QuestionNow, replayed: bool) -> QuestionNow:  # noqa: FBT001  a pair taken apart
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return now
