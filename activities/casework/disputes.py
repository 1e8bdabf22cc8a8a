"""Conflicts between offices, and what comes of appeals: opened, heard, answered, and told to both sides."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from activities.casework.ladder import rule_of
from activities.casework.stages import arrive
from activities.casework.tasks import close_task
from activities.casework.work import Work
from db.models import Decision
from db.repositories import trail
from db.repositories.cases import lock_case, save_case, touch_case
from db.repositories.tasks import TaskRecord, notify, read_votes
from db.repositories.trail import Entry, stream_of_update
from domain.audit import AuditType
from domain.contracts import NextStep
from domain.decisions import DecisionInput
from domain.disputes import Answer, conflict_opened
from domain.lifecycle import Happening, Position, move
from domain.origins import seal_origin
from domain.policy import Dispute
from domain.vocabulary import Outcome, ReasonCode, Role, Stage


async def opens_conflict(work: Work, answer: Answer, *, role: Role) -> bool:
    """Whether the no of a `role` opens a conflict, by what officers have answered in the case before."""
    rows = await work.connection.execute(
        select(Decision.stage, Decision.outcome, Decision.reason).where(
            Decision.update_id.in_([work.case.id, *work.case.earlier]),
            Decision.decided_by == "officer",
        ),
    )
    before = [Answer(Stage(row.stage), Outcome(row.outcome), row.reason and ReasonCode(row.reason)) for row in rows]
    opened = conflict_opened(work.position, answer, role=role, before=before, policy=work.policy)
    return opened is not None


async def close_opinions(work: Work, task: TaskRecord, *, decided_by: UUID | None = None) -> NextStep:
    """Both offices have been heard, or the time for it is over: who was silent has given no opinion."""
    await work.write_kept()
    given = {vote.role for vote in await read_votes(work.connection, task.id)}
    silent = sorted(role.value for role in rule_of(work, task.stage).deciders if role not in given)
    await close_task(work, task, decided_by=decided_by)
    heard = sorted(role.value for role in given)
    work.note(AuditType.UPDATE_OPINIONS_HEARD, task=str(task.id), given=heard, none_given=silent)
    return await arrive(work, move(work.position, Happening.OPINIONS_HEARD))


async def follow_dispute(work: Work, task: TaskRecord, position: Position, decision: DecisionInput) -> None:
    """Write down and tell what a decision means for a dispute, where there is one: the closed `task` was decided."""
    if position.stage is Stage.OPINION:
        _note_opened(work, task, decision)
    elif task.stage is Stage.CONFLICT:
        dispute = _dispute(work)
        both = (dispute.speaks_for, dispute.speaks_against)
        await work.tell("conflict_decided", task=task, roles=both, user_ids=[work.case.submitted_by])
    elif task.stage is Stage.APPEAL and work.case.appeal_of is not None:
        await _answer_appeal(work, work.case.appeal_of, decision.outcome)


def _note_opened(work: Work, task: TaskRecord, decision: DecisionInput) -> None:
    dispute = _dispute(work, about=task.stage)
    work.note(
        AuditType.UPDATE_CONFLICT_OPENED,
        stage=task.stage.value,
        outcome=decision.outcome.value,
        reason=decision.reason,
        speaks_for=dispute.speaks_for.value,
        speaks_against=dispute.speaks_against.value,
        decider=dispute.decider.value,
    )


def _dispute(work: Work, *, about: Stage | None = None) -> Dispute:
    conflicts = work.policy.conflicts
    if conflicts is None:
        raise RuntimeError("a case is in conflict by a policy that knows none")
    return conflicts.dispute_about(about or work.case.contested)


async def _answer_appeal(work: Work, rejected_id: UUID, outcome: Outcome) -> None:
    """The rejected case learns what became of its appeal; where it is overturned, the appeal takes its place."""
    rejected = await lock_case(work.connection, rejected_id)
    answered = {"appeal": str(work.case.id), "outcome": outcome.value}
    entries = [Entry(type=AuditType.UPDATE_APPEAL_ANSWERED, data={**answered})]
    if outcome is Outcome.OVERTURN:
        policy = await work.desk.rules.policy(work.connection, rejected.policy_version_id)
        position = move(rejected.position(policy), Happening.SUPERSEDED)
        await save_case(work.connection, rejected, position)
        entries.append(
            Entry(type=AuditType.UPDATE_SUPERSEDED, status=position.status, data={"by": str(work.case.id)}),
        )
    else:
        await touch_case(work.connection, rejected_id)
    await trail.record(
        work.connection,
        stream_of_update(rejected_id),
        entries,
        at=work.at,
        area_code=rejected.area_code,
        origin=seal_origin(work.origin, lambda: work.vault.fields),
    )
    contested = work.case.contested
    below = () if contested is None else work.policy.stage(contested).deciders
    await notify(
        work.connection,
        "appeal_answered",
        update_id=rejected_id,
        task_id=None,
        area_code=rejected.area_code,
        at=work.at,
        roles=below,
        user_ids=sorted({rejected.submitted_by, work.case.submitted_by}),
    )
