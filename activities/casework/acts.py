"""Acts of people, recorded: a decision, a repair, a withdrawal. Authority is asked again under the lock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, assert_never
from uuid import UUID

from pydantic import JsonValue

from activities.casework.disputes import close_opinions, follow_dispute, opens_conflict
from activities.casework.ground_checks import ask_check, file_report
from activities.casework.ladder import rule_of
from activities.casework.put_aside import put_aside, take_up_again
from activities.casework.stages import arrive, step_of
from activities.casework.tasks import climb_by_hand, close_task, wait_for_others
from activities.casework.work import Work
from db.models import Decision
from db.repositories.cases import (
    RevisionRecord,
    Standing,
    add_revision,
)
from db.repositories.evidence import bind_evidence, check_evidence, files_in_trail
from db.repositories.findings import Finding, find_duplicates, renew_duplicates
from db.repositories.ground_checks import with_touches
from db.repositories.idempotency import answered_act
from db.repositories.minutes import find_held
from db.repositories.numbers import index_update, unindex_update
from db.repositories.people import actor_of
from db.repositories.situations import Situation
from db.repositories.tasks import TaskRecord, fired_rungs, read_task, read_votes
from db.repositories.trail import Doer
from db.writes import added
from domain.answers import happening_of
from domain.audit import AuditType
from domain.authority import Actor, Permission, Seat, deciding_seat
from domain.changes import Change, numbers_of, revised
from domain.contracts import Act, ActResult, NextStep, StepTaken
from domain.decisions import DecisionInput, Minutes, check_decision, names_record, note_context, taken_by
from domain.disputes import Answer, may_open_conflict
from domain.errors import CaseClosed, InvalidInput, NotFound, NotPossibleNow, TaskAlreadyDecided
from domain.evidence import Naming
from domain.ground_checks import GroundCheckOrder, GroundReportInput, awaited
from domain.ids import new_id
from domain.lifecycle import Happening, Position, awaiting, move, resubmit, send_back
from domain.policy import StageRule
from domain.quorum import Vote, is_settled, refuse_second_vote
from domain.requests import (
    CASE_REQUEST,
    CorrectionRequest,
    DecisionRequest,
    EscalationRequest,
    GroundCheckRequest,
    GroundReportRequest,
    ResubmissionInput,
    ResubmissionRequest,
    WithdrawalInput,
    WithdrawalRequest,
    request_context,
)
from domain.supervision import CorrectionInput, EscalationInput, escalating_seat
from domain.vocabulary import Outcome, Stage


async def record_act(work: Work, act: Act, situation: Situation) -> StepTaken:
    """Carry out an act of a person and save its answer under its key.

    Raises the DomainError that refuses it; then nothing of it is kept.
    """
    work.know(situation)
    keyed = situation.keyed
    actor = actor_of(keyed.actor_id, situation.seats)
    request = work.vault.open_as(keyed.request, CASE_REQUEST, context=request_context(keyed.id))
    outcome: Outcome | None = None
    match request:
        case DecisionRequest(body=body):
            outcome = body.outcome
            step = await _decide(work, actor, await _open_task(work, act, situation), situation.standing, body)
        case ResubmissionRequest(body=body):
            step = await _resubmit(work, actor, await _open_task(work, act, situation), body)
        case WithdrawalRequest(body=body):
            step = await _withdraw(work, actor, situation.task, body)
        case EscalationRequest(body=body):
            step = await _escalate(work, actor, await _open_task(work, act, situation), situation.standing, body)
        case GroundCheckRequest(body=body):
            step = await _ask_check(work, actor, await _open_task(work, act, situation), situation.standing, body)
        case GroundReportRequest(body=body):
            task = await _open_task(work, act, situation)
            step = await _report(work, actor, task, situation.standing, body, report_id=keyed.id)
        case CorrectionRequest(body=body):
            step = await _correct(work, actor, situation.task, body)
        case _:
            assert_never(request)
    taken = StepTaken(next=step, result=_result(work, step, outcome))
    work.keep(answered_act(keyed.id, taken.model_dump(mode="json"), at=work.at))
    return taken


def _result(work: Work, step: NextStep, outcome: Outcome | None) -> ActResult:
    return ActResult(
        update_id=work.case.id,
        status=work.case.status,
        stage=work.case.stage,
        task_id=getattr(step, "task_id", None),
        level=step.level,
        outcome=outcome,
    )


async def _open_task(work: Work, act: Act, situation: Situation) -> TaskRecord:
    """The task that the act is for, while it is open. Says who was first when it is not."""
    task = situation.task
    if task is not None and task.id == act.task_id:
        return task
    if act.task_id is not None:
        asked = await read_task(work.connection, act.task_id)
        if asked.update_id != work.case.id:
            raise NotFound(f"There is no task {act.task_id} in this case.")
        if asked.status == "decided":
            raise TaskAlreadyDecided("This task has been decided.", data=_decided(asked))
    if work.case.stage is Stage.GROUND_CHECK:
        raise awaited(awaiting(work.position))
    if work.position.closed:
        raise CaseClosed(f"The case is {work.case.status.value}.")
    raise NotPossibleNow("This task is no longer open.")


def _decided(task: TaskRecord) -> dict[str, Any]:
    return {
        "task_id": str(task.id),
        "update_id": str(task.update_id),
        "decided_by": task.decided_by and str(task.decided_by),
        "decided_at": task.decided_at and task.decided_at.isoformat(),
        "outcome": task.outcome,
    }


async def _decide(
    work: Work,
    actor: Actor,
    task: TaskRecord,
    standing: Standing,
    decision: DecisionInput,
) -> NextStep:
    if task.stage is Stage.GROUND_CHECK:
        raise awaited(awaiting(work.position))
    seat = deciding_seat(
        actor, area_code=task.area_code, stage=task.stage, grants=standing.grants, involvements=standing.involvements
    )
    rule = rule_of(work, task.stage)
    held = None
    if decision.minutes is not None and names_record(decision, rule=rule, policy=work.policy):
        held = await find_held(work.connection, decision.minutes, update_id=work.case.id)
    violations = check_decision(decision, rule=rule, policy=work.policy, held=held)
    if violations:
        raise InvalidInput(violations)
    position = await _position_after(work, seat, task, decision)
    settled = rule.quorum == "any" or await _settles(work, actor, seat, task, rule, decision)
    _keep_decision(work, actor, seat, task, decision, taken_by(decision, held), settled=settled)
    if not settled:
        return await step_of(work, await wait_for_others(work, task))
    if task.stage is Stage.OPINION:
        return await close_opinions(work, task, decided_by=actor.user_id)
    await close_task(
        work,
        task,
        decided_by=actor.user_id,
        outcome=decision.outcome.value,
        reason=decision.reason,
    )
    if position.stage is Stage.REPAIR:
        await work.tell("returned", task=task, user_ids=[work.case.submitted_by])
    await follow_dispute(work, task, position, decision)
    return await arrive(work, position, reason=None if position.stage is Stage.OPINION else decision.reason)


async def _position_after(work: Work, seat: Seat, task: TaskRecord, decision: DecisionInput) -> Position:
    """Where the decision leads: a no may open a conflict instead of ending or returning the case."""
    position = move(work.position, happening_of(task.stage, decision.outcome))
    answer = Answer(task.stage, decision.outcome, decision.reason)
    if may_open_conflict(work.position, answer, work.policy) and await opens_conflict(work, answer, role=seat.role):
        return move(work.position, Happening.DISPUTED)
    return position


async def _settles(
    work: Work,
    actor: Actor,
    seat: Seat,
    task: TaskRecord,
    rule: StageRule,
    decision: DecisionInput,
) -> bool:
    """Whether this decision ends the task; raises NotPossibleNow for who has given theirs."""
    votes = await read_votes(work.connection, task.id)
    refuse_second_vote(actor.person, votes)
    mine = Vote(user_id=actor.user_id, role=seat.role, on_behalf_of=seat.on_behalf_of)
    ends = decision.outcome is not Outcome.FORWARD and task.stage is not Stage.OPINION
    return ends or is_settled(rule, [*votes, mine])


def _keep_decision(
    work: Work,
    actor: Actor,
    seat: Seat,
    task: TaskRecord,
    decision: DecisionInput,
    minutes: Minutes | None,
    *,
    settled: bool,
) -> None:
    decision_id = new_id()
    row = {
        "id": decision_id,
        "task_id": task.id,
        "update_id": work.case.id,
        "area_code": work.case.area_code,
        "stage": task.stage.value,
        "revision": work.case.revision,
        "outcome": decision.outcome.value,
        "reason": decision.reason,
        "note": work.vault.seal_text(decision.note, context=note_context(decision_id)),
        "minutes": minutes and minutes.model_dump(mode="json"),
        "decided_by": "officer",
        "actor_id": actor.user_id,
        "actor_role": seat.role.value,
        "office_id": seat.office_id,
        "on_behalf_of": seat.on_behalf_of,
        "decided_at": work.at,
    }
    work.keep(added("decision", Decision, row))
    work.involve(actor, seat, stage=task.stage)
    work.note(
        AuditType.TASK_DECIDED if settled else AuditType.TASK_AGREED,
        by=Doer.of(actor, seat),
        task=str(task.id),
        stage=task.stage.value,
        outcome=decision.outcome.value,
        reason=decision.reason,
        revision=work.case.revision,
        minutes=minutes and minutes.number,
        minutes_id=minutes and minutes.id and str(minutes.id),
    )


async def _resubmit(work: Work, actor: Actor, task: TaskRecord, repair: ResubmissionInput) -> NextStep:
    seat = actor.seat_for(Permission.UPDATES_REPAIR, area_code=work.case.area_code)
    if task.stage is not Stage.REPAIR:
        raise NotPossibleNow("Only a returned update is resubmitted.")
    before = await work.revision()
    changed = revised(before.change, repair.change)
    position = resubmit(work.position, changed=changed)
    await close_task(work, task, decided_by=actor.user_id)
    work.involve(actor, seat, stage=None)
    found = await _keep_revision(work, actor, seat, repair, number=before.revision + 1)
    files = await _bind_files(work, actor, repair, number=before.revision + 1)
    work.note(
        AuditType.UPDATE_RESUBMITTED,
        by=Doer.of(actor, seat),
        task=str(task.id),
        revision=before.revision + 1,
        changed=sorted(changed),
        findings=sorted({str(finding["code"]) for finding in found}),
        files=files,
    )
    work.case = replace(work.case, revision=before.revision + 1)
    return await arrive(work, position, also={"revision": work.case.revision})


async def _keep_revision(
    work: Work,
    actor: Actor,
    seat: Seat,
    repair: ResubmissionInput,
    *,
    number: int,
) -> list[Finding]:
    """Keep what was sent in, make its numbers findable, and answer with where else they stand now."""
    record = RevisionRecord(number, repair.change, repair.evidence, actor.user_id, work.at, seat.on_behalf_of)
    await add_revision(work.connection, work.case.id, record, area_code=work.case.area_code, vault=work.vault)
    await unindex_update(work.connection, work.case.id, at=work.at)
    await _index(work, repair.change)
    found = await find_duplicates(
        work.connection,
        repair.change,
        household_id=work.case.household_id,
        update_id=work.case.id,
        actor=actor,
        vault=work.vault,
    )
    await renew_duplicates(work.connection, work.case.id, found)
    return found


async def _bind_files(work: Work, actor: Actor, repair: ResubmissionInput, *, number: int) -> list[JsonValue]:
    """Put files that are new behind the case; answers what the trail tells of them. Raises InvalidInput."""
    naming = Naming(actor.user_id, work.case.area_code, work.case.id, work.case.earlier)
    violations = await check_evidence(work.connection, repair.evidence, naming)
    if violations:
        raise InvalidInput(violations)
    bound = await bind_evidence(
        work.connection,
        repair.evidence,
        naming,
        update_id=work.case.id,
        revision=number,
        at=work.at,
    )
    return files_in_trail(bound)


async def _index(work: Work, change: Change) -> None:
    await index_update(
        work.connection,
        work.case.id,
        numbers_of(change),
        area_code=work.case.area_code,
        vault=work.vault,
    )


async def _escalate(
    work: Work,
    actor: Actor,
    task: TaskRecord,
    standing: Standing,
    order: EscalationInput,
) -> NextStep:
    seat = escalating_seat(
        actor,
        area_code=task.area_code,
        rule=rule_of(work, task.stage),
        grants=standing.grants,
        involvements=await with_touches(work.connection, standing.involvements, task_id=task.id, stage=task.stage),
        fired=await fired_rungs(work.connection, task.id),
    )
    doer = Doer.of(actor, seat)
    work.note(AuditType.TASK_ESCALATION_ORDERED, by=doer, task=str(task.id), reason=order.reason.value)
    return await step_of(work, await climb_by_hand(work, task))


async def _ask_check(
    work: Work, actor: Actor, task: TaskRecord, standing: Standing, order: GroundCheckOrder
) -> NextStep:
    """The task is put aside, and goes on with what was left once it is reported what was found."""
    asked = await ask_check(work, actor, task, standing, order)
    await put_aside(work, task)
    return await arrive(work, work.position, asked=asked)


async def _report(
    work: Work, actor: Actor, task: TaskRecord, standing: Standing, report: GroundReportInput, *, report_id: UUID
) -> NextStep:
    """What was found is no decision on the case, but it ends the task, and whoever looked has had a part."""
    seat = await file_report(work, actor, task, standing, report, report_id=report_id)
    found = DecisionInput(outcome=Outcome.FORWARD)
    _keep_decision(work, actor, seat, task, found, None, settled=True)
    await close_task(work, task, decided_by=actor.user_id, outcome=found.outcome.value)
    position = move(work.position, Happening.GROUND_CHECKED)
    again = await take_up_again(work, position)
    return await arrive(work, position) if again is None else await step_of(work, again)


async def _correct(work: Work, actor: Actor, task: TaskRecord | None, order: CorrectionInput) -> NextStep:
    seat = actor.seat_for(Permission.CASES_CORRECT, area_code=work.case.area_code)
    position = send_back(work.position, to=order.to)
    if task is not None:
        await close_task(work, task, status="cancelled", decided_by=actor.user_id)
    before = None if work.case.stage is None else work.case.stage.value
    doer = Doer.of(actor, seat)
    work.note(AuditType.UPDATE_SENT_BACK, by=doer, reason=order.reason.value, stage=order.to.value, was=before)
    await work.tell("sent_back", task=task, user_ids=[work.case.submitted_by])
    return await arrive(work, position)


async def _withdraw(work: Work, actor: Actor, task: TaskRecord | None, withdrawal: WithdrawalInput) -> NextStep:
    seat = actor.seat_for(Permission.UPDATES_WITHDRAW, area_code=work.case.area_code)
    position: Position = move(work.position, Happening.WITHDRAWN)
    if task is not None:
        await close_task(work, task, status="cancelled", decided_by=actor.user_id)
    work.note(AuditType.UPDATE_WITHDRAWN, by=Doer.of(actor, seat), note_given=bool(withdrawal.note))
    return await arrive(work, position)
