"""What no officer decides: the civil registry's answers, the Ministry's, and silence where the policy lets it count."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import insert, select

from activities.casework.ladder import next_look, rule_of
from activities.casework.stages import arrive, stay, step_of
from activities.casework.tasks import close_task, deadline_of
from activities.casework.work import Work
from db.models import Decision, IdentityResult, MinistryAnswer, Task
from db.repositories.cases import save_case
from db.repositories.tasks import TaskRecord, find_open_task, fired_rungs, save_task
from domain.answers import MINISTRY_RULINGS, identity_judged
from domain.audit import AuditType
from domain.changes import identity_expectations
from domain.contracts import NextStep
from domain.ids import new_id
from domain.lifecycle import Happening, move
from domain.origins import ActOrigin, answer_origin_context
from domain.vocabulary import MatchResult, Outcome, ReasonCode, Role, Stage, Status


async def close_identity_check(work: Work, task_id: UUID) -> NextStep:
    """Judge what the civil registry said of every member: on, or back to the operator with the field named.

    While an answer is missing nothing is judged; the step names who is still to be asked about.
    """
    task = await find_open_task(work.connection, work.case.id)
    if task is None or task.id != task_id:
        return await stay(work)
    revision = await work.revision()
    expected = {item.key: item for item in identity_expectations(revision.change, await work.base())}
    answers = (
        await work.connection.execute(
            select(IdentityResult.person_key, IdentityResult.result).where(
                IdentityResult.task_id == task.id,
            ),
        )
    ).all()
    if expected.keys() - {row.person_key for row in answers}:
        return await stay(work)
    unexpected = [
        MatchResult(row.result)
        for row in answers
        if row.person_key in expected and MatchResult(row.result) not in expected[row.person_key].expected
    ]
    work.note(AuditType.UPDATE_IDENTITY_CHECKED, persons=len(expected), unexpected=len(unexpected))
    happening, reason = identity_judged(unexpected)
    if reason is None:
        await _close(work, task, Outcome.FORWARD, reason=None, decided_by="system")
        return await arrive(work, move(work.position, happening))
    await _close(work, task, Outcome.RETURN, reason=reason, decided_by="system")
    await work.tell("returned", task=task, user_ids=[work.case.submitted_by])
    return await arrive(work, move(work.position, happening), reason=reason)


async def record_push(work: Work, task_id: UUID, receipt_no: str) -> NextStep:
    """The Ministry has it: the change is a pending version, and the clock of its answer begins."""
    task = await find_open_task(work.connection, work.case.id)
    if task is None or task.id != task_id or work.case.status is not Status.IN_DELIVERY:
        return await stay(work)
    position = move(work.position, Happening.PUSHED)
    deadline = await deadline_of(work, rule_of(work, task.stage), work.policy.delivery.answer_deadline)
    fired = await fired_rungs(work.connection, task.id)
    await save_task(
        work.connection,
        task,
        receipt_no=receipt_no,
        due_at=deadline.due_at,
        deadline=deadline.model_dump(mode="json"),
        next_milestone_at=await next_look(work, rule_of(work, task.stage), deadline, fired=fired),
    )
    work.note(AuditType.UPDATE_PUSHED, status=position.status, task=str(task.id), receipt_no=receipt_no)
    work.stand_at(position)
    await save_case(work.connection, work.case, position)
    return await step_of(work, await find_open_task(work.connection, work.case.id))


async def record_ministry_answer(work: Work, answer_id: UUID) -> NextStep:
    """Carry out the Ministry's answer; one that comes again, or too late, changes nothing."""
    task = await find_open_task(work.connection, work.case.id)
    answer = (
        await work.connection.execute(
            select(
                MinistryAnswer.answer, MinistryAnswer.reason, MinistryAnswer.receipt_no, MinistryAnswer.origin
            ).where(MinistryAnswer.id == answer_id),
        )
    ).one()
    if task is None or task.stage is not Stage.DELIVERY or not await _answers(work, task, answer.receipt_no):
        return await stay(work)
    if answer.origin is not None:
        work.origin = work.vault.open(answer.origin, ActOrigin, context=answer_origin_context(answer_id))
    reason = answer.reason and ReasonCode(answer.reason)
    ruling = MINISTRY_RULINGS[answer.answer]
    await _close(work, task, ruling.outcome, reason=reason, decided_by="partner", receipt_no=answer.receipt_no)
    work.note(
        AuditType.UPDATE_MINISTRY_ANSWERED,
        task=str(task.id),
        answer=answer.answer,
        reason=reason,
        receipt_no=answer.receipt_no,
    )
    return await arrive(work, move(work.position, ruling.happening), reason=reason)


async def _answers(work: Work, task: TaskRecord, receipt_no: str) -> bool:
    """Whether an answer under this receipt is one to the push of `task`.

    An answer may overtake the note of its own push. One whose receipt an earlier push of the case has is to that
    push, and comes a second time.
    """
    receipts = {
        row.id: row.receipt_no
        for row in await work.connection.execute(
            select(Task.id, Task.receipt_no).where(Task.update_id == work.case.id, Task.receipt_no.is_not(None)),
        )
    }
    return receipt_no == receipts[task.id] if task.id in receipts else receipt_no not in receipts.values()


async def deem(work: Work, task: TaskRecord) -> NextStep:
    """Nobody has decided, up to the last rung and past it: the policy counts that as a forward, marked as such."""
    await _close(work, task, Outcome.FORWARD, reason=None, decided_by="timeout")
    work.note(
        AuditType.TASK_DECIDED,
        task=str(task.id),
        stage=task.stage.value,
        outcome=Outcome.FORWARD.value,
        revision=work.case.revision,
        decided_by="timeout",
    )
    rule = rule_of(work, task.stage)
    told = dict.fromkeys((*rule.deciders, *(Role(rung.to) for rung in rule.ladder if rung.to != "holder")))
    await work.tell("deemed", task=task, roles=(*told, Role.EVALUATOR), user_ids=[work.case.submitted_by])
    return await arrive(work, move(work.position, Happening.FORWARDED))


async def _close(
    work: Work,
    task: TaskRecord,
    outcome: Outcome,
    *,
    reason: ReasonCode | None,
    decided_by: str,
    receipt_no: str | None = None,
) -> None:
    await work.connection.execute(
        insert(Decision).values(
            id=new_id(),
            task_id=task.id,
            update_id=work.case.id,
            area_code=work.case.area_code,
            stage=task.stage.value,
            revision=work.case.revision,
            outcome=outcome.value,
            reason=reason,
            decided_by=decided_by,
            decided_at=work.at,
        ),
    )
    await close_task(work, task, outcome=outcome.value, reason=reason, receipt_no=receipt_no)
