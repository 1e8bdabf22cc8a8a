"""Questions of a stage to an office outside the case: asked, answered, taken back; no engine needed.

The question and the pause of the stage's clock are one transaction; of an earlier look the engine is told. What passes
by itself, rungs and the end of the pause, casework does at the milestones of the task.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Office
from db.repositories import trail
from db.repositories.cases import CaseRecord, Standing, lock_case, read_standing, touch_case
from db.repositories.evidence import bind_evidence, check_evidence, files_in_trail
from db.repositories.information import (
    NewRequest,
    RequestRecord,
    add_request,
    open_requests,
    read_request,
    save_request,
)
from db.repositories.pauses import begin_pause_until, cut_one_pause
from db.repositories.tasks import TaskRecord, notify, read_pauses, read_task
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Seat, covers, deciding_seat
from domain.bounded_pauses import stands_until
from domain.deadlines import compute_deadline
from domain.errors import InvalidInput, NotPossibleNow, Violation
from domain.evidence import Naming
from domain.ids import new_id
from domain.information import (
    AnswerInput,
    InformationInput,
    RequestState,
    RequestWithdrawalInput,
    answering_seat,
    require_letter,
    require_may_ask,
    withdrawing_seat,
    words_of_answer,
)
from domain.ladder import rung_times, stage_rule
from domain.pauses import ClockInterval, PauseCause
from domain.permissions import Permission
from domain.policy import InformationRule, Policy, StageRule
from domain.vocabulary import PeerOffice, Role
from services.acts import require_open
from services.clocks import save_reckoned
from services.comments import add_comment
from services.kawal import Kawal
from services.keyed import Call, once

_CAUSE = PauseCause.INFORMATION_REQUESTED


class QuestionNow(BaseModel):
    """Where a question stands, and the task that it belongs to."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    update_id: UUID
    task_id: UUID
    office: PeerOffice
    state: RequestState
    answer_due_at: datetime
    clock_stands_until: datetime | None
    task_due_at: datetime


@dataclass(frozen=True, slots=True)
class _Desk:
    """An open task under the lock of its case, with what authority over it is judged on."""

    kawal: Kawal
    connection: AsyncConnection
    call: Call
    case: CaseRecord
    task: TaskRecord
    policy: Policy
    rule: StageRule
    standing: Standing


async def ask(kawal: Kawal, call: Call, task_id: UUID, wanted: InformationInput) -> tuple[QuestionNow, bool]:
    """Ask an office, once for each key; and whether that had been done before.

    Raises NotFound outside the actor's areas, Forbidden and SeparationOfDuties for who may not decide the task,
    NotPossibleNow where nobody is asked or that office is already, InvalidInput, IdempotencyKeyReused.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        seen = await read_task(connection, task_id)
        case = await lock_case(connection, seen.update_id)
        call.actor.seat_for(Permission.TASKS_WORK, area_code=case.area_code)

        async def put() -> QuestionNow:
            desk = await _desk(kawal, connection, call, case, await read_task(connection, task_id))
            return await _ask(desk, wanted)

        route = f"POST /v1/tasks/{task_id}/information-requests"
        return await once(connection, call, wanted, put, answer=QuestionNow, route=route, vault=kawal.vault)


async def answer(kawal: Kawal, call: Call, request_id: UUID, given: AnswerInput) -> tuple[QuestionNow, bool]:
    """Answer a question: as the office that was asked, or for it by its letter; as `ask`.

    Raises NotPossibleNow once it is over, InvalidInput for an answer without the letter that it rests on.
    """

    async def give(desk: _Desk, request: RequestRecord) -> QuestionNow:
        return await _answer(desk, request, given)

    return await _end(kawal, call, request_id, given, give, route="answer", permission=Permission.INFORMATION_ANSWER)


async def withdraw(
    kawal: Kawal, call: Call, request_id: UUID, withdrawal: RequestWithdrawalInput
) -> tuple[QuestionNow, bool]:
    """Take a question back: its asker, or who manages the task; as `ask`."""
    return await _end(
        kawal, call, request_id, withdrawal, _withdraw, route="withdrawal", permission=Permission.TASKS_WORK
    )


async def _end(
    kawal: Kawal,
    call: Call,
    request_id: UUID,
    body: BaseModel,
    do: Callable[[_Desk, RequestRecord], Awaitable[QuestionNow]],
    *,
    route: str,
    permission: Permission,
) -> tuple[QuestionNow, bool]:
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        seen = await read_request(connection, request_id)
        call.actor.seat_for(permission, area_code=seen.area_code)
        case = await lock_case(connection, seen.update_id)

        async def end() -> QuestionNow:
            request = await read_request(connection, request_id)
            if request.state is not RequestState.OPEN:
                raise NotPossibleNow(f"The question is over: it is {request.state.value}.")
            desk = await _desk(kawal, connection, call, case, await read_task(connection, request.task_id))
            return await do(desk, request)

        named = f"POST /v1/information-requests/{request_id}/{route}"
        return await once(connection, call, body, end, answer=QuestionNow, route=named, vault=kawal.vault)


async def _desk(kawal: Kawal, connection: AsyncConnection, call: Call, case: CaseRecord, task: TaskRecord) -> _Desk:
    require_open(task)
    policy = await kawal.rules.policy(connection, case.policy_version_id)
    rule = stage_rule(policy, task.stage, settled=case.settled, contested=case.contested)
    standing = await read_standing(connection, case.id, task_id=task.id)
    return _Desk(kawal, connection, call, case, task, policy, rule, standing)


async def _ask(desk: _Desk, wanted: InformationInput) -> QuestionNow:
    connection, at, task = desk.connection, desk.call.at, desk.task
    seat = deciding_seat(
        desk.call.actor,
        area_code=task.area_code,
        stage=task.stage,
        grants=desk.standing.grants,
        involvements=desk.standing.involvements,
    )
    there_are = {request.office for request in await open_requests(connection, task.id)}
    require_may_ask(desk.policy, desk.rule, open_for=there_are, office=wanted.office)
    await _check_office(desk, wanted.office_id)
    rule = _information(desk)
    calendar = await desk.kawal.rules.calendar(connection, task.area_code)
    pauses = await read_pauses(connection, task.id)
    until = stands_until(rule.longest, at=at, cause=_CAUSE, pauses=pauses, calendar=calendar)
    pause = ClockInterval(from_=at, to=until, cause=_CAUSE)
    ordered = [each for each in pauses if each.order is not None]
    deadline = compute_deadline(at, duration=rule.deadline, calendar=calendar, pauses=ordered, now=at)
    doer = Doer.of(desk.call.actor, seat)
    new = NewRequest(
        id=new_id(),
        wanted=wanted,
        question_id=await _say(desk, seat, wanted.question),
        at=at,
        deadline=deadline,
        pause_id=await begin_pause_until(connection, task, pause),
        stands_until=until,
        by=doer,
    )
    await add_request(connection, task, new)
    first = min(rung_times(rule.ladder, deadline, calendar=calendar))
    moved = await save_reckoned(desk.kawal, connection, task, desk.rule, [*pauses, pause], at=at, also=first)
    told: dict[str, JsonValue] = {
        "request": str(new.id),
        "office": wanted.office.value,
        "office_id": wanted.office_id and str(wanted.office_id),
        "comment": str(new.question_id),
        "due_at": deadline.due_at.isoformat(),
        "until": until.isoformat(),
    }
    await _note(desk, seat, AuditType.UPDATE_INFORMATION_REQUESTED, AuditType.TASK_CLOCK_PAUSED, **told)
    if wanted.office_id is not None:
        await _tell(desk, "information_requested", roles=(Role.PEER_OFFICER,))
    return QuestionNow(
        id=new.id,
        update_id=desk.case.id,
        task_id=task.id,
        office=wanted.office,
        state=RequestState.OPEN,
        answer_due_at=deadline.due_at,
        clock_stands_until=None if until == at else until,
        task_due_at=moved.due_at,
    )


async def _check_office(desk: _Desk, office_id: UUID | None) -> None:
    if office_id is None:
        return
    wanted = select(Office.area_code).where(Office.id == office_id, Office.closed_at.is_(None))
    area_code = await desk.connection.scalar(wanted)
    if area_code is None or not covers(area_code, desk.case.area_code):
        fault = Violation(
            pointer="/office_id",
            code="office_unknown",
            detail="There is no such office for this area.",
            remedy="Choose one of `GET /v1/offices`, or name the kind of office alone.",
        )
        raise InvalidInput([fault])


async def _answer(desk: _Desk, request: RequestRecord, given: AnswerInput) -> QuestionNow:
    seat, of_the_office = answering_seat(
        desk.call.actor,
        area_code=request.area_code,
        office_id=request.office_id,
        stage=desk.task.stage,
        grants=desk.standing.grants,
        involvements=desk.standing.involvements,
    )
    require_letter(given, of_the_office=of_the_office)
    files = await _bind(desk, given)
    answer_id = await _say(desk, seat, words_of_answer(given))
    told: dict[str, JsonValue] = {
        "comment": str(answer_id),
        "of_the_office": of_the_office,
        "letter": given.letter is not None,
        "files": files,
    }
    changes: dict[str, object] = {
        "answer_id": answer_id,
        "of_the_office": of_the_office,
        "evidence_id": None if given.letter is None else given.letter.evidence_id,
    }
    now = await _over(desk, seat, request, RequestState.ANSWERED, changes, told)
    await _tell(desk, "information_answered", user_ids=_holders(desk, request))
    return now


async def _withdraw(desk: _Desk, request: RequestRecord) -> QuestionNow:
    seat = withdrawing_seat(
        desk.call.actor,
        area_code=request.area_code,
        asked_by=request.asked_by,
        rule=desk.rule,
        grants=desk.standing.grants,
    )
    return await _over(desk, seat, request, RequestState.WITHDRAWN, {}, {})


async def _over(
    desk: _Desk,
    seat: Seat,
    request: RequestRecord,
    state: RequestState,
    changes: dict[str, object],
    told: dict[str, JsonValue],
) -> QuestionNow:
    """The question is over, and the stage's clock runs again unless it stands for another."""
    connection, at, task = desk.connection, desk.call.at, desk.task
    by = desk.call.actor.user_id
    await save_request(connection, request.id, state=state.value, ended_at=at, ended_by=by, **changes)
    await cut_one_pause(connection, request.pause_id, at=at)
    pauses = await read_pauses(connection, task.id)
    moved = await save_reckoned(desk.kawal, connection, task, desk.rule, pauses, at=at)
    what = {
        RequestState.ANSWERED: AuditType.UPDATE_INFORMATION_ANSWERED,
        RequestState.WITHDRAWN: AuditType.UPDATE_INFORMATION_WITHDRAWN,
    }[state]
    facts: dict[str, JsonValue] = {"request": str(request.id), "office": request.office.value, **told}
    stood = request.stands_until > at
    await _note(desk, seat, what, AuditType.TASK_CLOCK_RESUMED if stood else None, **facts)
    return QuestionNow(
        id=request.id,
        update_id=desk.case.id,
        task_id=task.id,
        office=request.office,
        state=state,
        answer_due_at=request.deadline.due_at,
        clock_stands_until=None,
        task_due_at=moved.due_at,
    )


async def _say(desk: _Desk, seat: Seat, words: str) -> UUID:
    """Keep what was asked or answered, sealed, among what is said about the case."""
    case = desk.case
    return await add_comment(desk.kawal, desk.connection, desk.call, seat, case.id, case.area_code, words)


async def _bind(desk: _Desk, given: AnswerInput) -> list[JsonValue]:
    """Put the letter behind the case where it is a file; answers what the trail tells of it. Raises InvalidInput."""
    if given.letter is None or given.letter.evidence_id is None:
        return []
    case = desk.case
    naming = Naming(desk.call.actor.user_id, case.area_code, case.id, case.earlier)
    violations = await check_evidence(desk.connection, [given.letter], naming)
    if violations:
        raise InvalidInput([each.model_copy(update={"pointer": "/letter/evidence_id"}) for each in violations])
    bound = await bind_evidence(
        desk.connection, [given.letter], naming, update_id=case.id, revision=case.revision, at=desk.call.at
    )
    return files_in_trail(bound)


def _information(desk: _Desk) -> InformationRule:
    if desk.policy.information is None:
        raise RuntimeError("a question was let pass by a policy that knows none")
    return desk.policy.information


async def _note(desk: _Desk, seat: Seat, what: AuditType, clock: AuditType | None, **told: JsonValue) -> None:
    case, doer, task = desk.case, Doer.of(desk.call.actor, seat), str(desk.task.id)
    entries = [Entry(type=what, by=doer, data={"task": task, **told})]
    if clock is not None:
        entries.append(Entry(type=clock, by=doer, data={"task": task, "cause": _CAUSE.value}))
    await touch_case(desk.connection, case.id)
    stream = stream_of_update(case.id)
    await trail.record(desk.connection, stream, entries, at=desk.call.at, area_code=case.area_code)


async def _tell(desk: _Desk, subject: str, *, roles: Sequence[Role] = (), user_ids: Sequence[UUID] = ()) -> None:
    await notify(
        desk.connection,
        subject,
        update_id=desk.case.id,
        task_id=desk.task.id,
        area_code=desk.case.area_code,
        at=desk.call.at,
        roles=roles,
        user_ids=user_ids,
    )


def _holders(desk: _Desk, request: RequestRecord) -> list[UUID]:
    concerned = {request.asked_by, desk.task.claimed_by} - {None, desk.call.actor.user_id}
    return sorted(user_id for user_id in concerned if user_id is not None)
