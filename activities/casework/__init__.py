"""Casework: the short transactions that carry a case from one wait to the next, as the engine calls them."""

from __future__ import annotations

from temporalio import activity

from activities.casework import partners
from activities.casework.acts import record_act
from activities.casework.disputes import close_opinions
from activities.casework.information import see_to_questions
from activities.casework.ladder import has_lapsed, is_deemed, pass_milestone
from activities.casework.lapses import see_to_lapse
from activities.casework.stages import arrive, stay
from activities.casework.tasks import seek_decider
from activities.casework.waits import end_run_out
from activities.casework.work import Desk, Work, work_on, work_on_act
from activities.edge import refusals
from db.repositories.cases import claim_case
from db.repositories.lapses import read_reason
from db.repositories.outbox import marked_started
from db.repositories.tasks import find_open_task
from domain.audit import AuditType
from domain.contracts import (
    ActivityName,
    CloseIdentityCheck,
    NextStep,
    OpenCase,
    PassMilestone,
    RecordAct,
    RecordMinistryAnswer,
    RecordPush,
    StepTaken,
)
from domain.errors import ForeignRun
from domain.lifecycle import Happening, move

__all__ = ["Casework", "Desk"]


class Casework:
    """The activities of casework. Each is one transaction, safe to repeat, and answers with what comes next.

    Only a person is refused something, and only a foreign run. In the other steps a DomainError is a fault like any
    other: a missing calendar must hold a case until it is loaded, and not end it.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=ActivityName.OPEN_CASE)
    async def open_case(self, command: OpenCase) -> StepTaken:
        """Claim the case for this run and enter the first stage; refuses any other run while the case has one.

        A case whose claim an operator has released, since its run was lost, stays where it stands.
        """
        async with work_on(self._desk, command.update_id, at=command.at) as work:
            with refusals(ForeignRun):
                _require_own_run(work, command.run_id)
            return StepTaken(next=await _open(work, command.run_id))

    @activity.defn(name=ActivityName.RECORD_ACT)
    async def record_act(self, command: RecordAct) -> StepTaken:
        """Carry out an act of a person, once.

        Whether it has been carried out is asked under the lock: an attempt that was given up for lost may still have
        committed while the next one waited. Asked again, it has its result, and the case stands where it stands now.
        """
        with refusals():
            acting = work_on_act(self._desk, command.update_id, command.act.act_id, at=command.at)
            async with acting as (work, situation):
                if situation.keyed.response is None:
                    return await record_act(work, command.act, situation)
                answered = StepTaken.model_validate(situation.keyed.response)
                return answered.model_copy(update={"next": await stay(work)})

    @activity.defn(name=ActivityName.PASS_MILESTONE)
    async def pass_milestone(self, command: PassMilestone) -> StepTaken:
        """Fire what is due on a task, climb on when nobody is left to decide it, and let silence decide where it may.

        A task that is no longer open, or was moved to a later date, sleeps on.
        """
        async with work_on(self._desk, command.update_id, at=command.at) as work:
            task = await find_open_task(work.connection, command.update_id)
            if task is None or task.id != command.task_id:
                return StepTaken(next=await stay(work))
            await end_run_out(work, task)
            task = await seek_decider(work, task)
            if await is_deemed(work, task):
                return StepTaken(next=await partners.deem(work, task))
            task = await see_to_questions(work, await pass_milestone(work, task))
            if has_lapsed(work, task):
                return StepTaken(next=await close_opinions(work, task))
            return StepTaken(next=await see_to_lapse(work, task))

    @activity.defn(name=ActivityName.CLOSE_IDENTITY_CHECK)
    async def close_identity_check(self, command: CloseIdentityCheck) -> StepTaken:
        """Judge the civil registry's answers."""
        async with work_on(self._desk, command.update_id, at=command.at) as work:
            return StepTaken(next=await partners.close_identity_check(work, command.task_id))

    @activity.defn(name=ActivityName.RECORD_PUSH)
    async def record_push(self, command: RecordPush) -> StepTaken:
        """Note that the Ministry has taken the change in."""
        async with work_on(self._desk, command.update_id, at=command.at) as work:
            return StepTaken(next=await partners.record_push(work, command.task_id, command.receipt_no))

    @activity.defn(name=ActivityName.RECORD_MINISTRY_ANSWER)
    async def record_ministry_answer(self, command: RecordMinistryAnswer) -> StepTaken:
        """Carry out the Ministry's answer."""
        async with work_on(self._desk, command.update_id, at=command.at) as work:
            return StepTaken(next=await partners.record_ministry_answer(work, command.answer_id))


def _require_own_run(work: Work, run_id: str) -> None:
    if work.case.run_id not in {None, run_id}:
        raise ForeignRun("Another run of the engine carries this case, or carried it to its end.")


async def _open(work: Work, run_id: str) -> NextStep:
    if work.case.run_id == run_id:
        return await stay(work)
    work.keep(marked_started(work.case.id, at=work.at))
    work.note(AuditType.UPDATE_ENGINE_STARTED, run=run_id)
    if work.case.stage is not None:
        await claim_case(work.connection, work.case.id, run_id)
        return await stay(work)
    reason = None if work.case.reopen_of is None else await read_reason(work.connection, work.case.id)
    started = move(work.position, Happening.STARTED)
    return await arrive(work, started, reason=reason, also={"run_id": run_id})
