"""The life of one household update. `run` is the process; everything it knows, casework has told it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from domain.contracts import (
        UPDATE_WORKFLOW,
        Act,
        ActivityName,
        ActKind,
        ActResult,
        AwaitDecision,
        AwaitMinistry,
        AwaitRepair,
        CheckIdentity,
        Closed,
        CloseIdentityCheck,
        DeadlineMoved,
        Deliver,
        LiveCase,
        MatchPerson,
        MinistryAnswered,
        OpenCase,
        PassMilestone,
        PushToMinistry,
        RecordAct,
        RecordMinistryAnswer,
        RecordPush,
        StartUpdate,
    )
    from domain.errors import CaseClosed
    from workflows.casework import match_persons, push_to_ministry, refusal_of, take_step
    from workflows.state import CaseState, OpenStep, Step, new_marks


@workflow.defn(name=UPDATE_WORKFLOW)
class HouseholdUpdate:
    """Escorts a household update from its submission to the registry, or to whatever other end it comes to."""

    @workflow.init
    def __init__(self, start: StartUpdate) -> None:
        self._state = CaseState(start)

    @workflow.run
    async def run(self, start: StartUpdate) -> Closed:
        """Go where casework says, until the case is closed."""
        step = await self._open(start)
        while not isinstance(step, Closed):
            self._stand_at(step)
            match step:
                case CheckIdentity():
                    step = await self._check_identity(step)
                case AwaitDecision() | AwaitRepair() | AwaitMinistry():
                    step = await self._wait_for_people(step)
                case Deliver():
                    step = await self._deliver(step)
                case _:
                    assert_never(step)
            await self._continue_as_new_when_long()
        self._state.step = step
        await self._answer_the_late(step)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return step

    @workflow.update
    async def decide(self, act: Act) -> ActResult:
        """An officer decides the open task."""
        return await self._state.inbox.ask(act)

    @workflow.update
    async def resubmit(self, act: Act) -> ActResult:
        """The operator sends the repaired case back in."""
        return await self._state.inbox.ask(act)

    @workflow.update
    async def withdraw(self, act: Act) -> ActResult:
        """The applicant takes the case back."""
        return await self._state.inbox.ask(act)

    @workflow.update
    async def escalate(self, act: Act) -> ActResult:
        """Somebody does not wait for the next rung."""
        return await self._state.inbox.ask(act)

    @workflow.update
    async def correct(self, act: Act) -> ActResult:
        """An administrator sends a stuck case back."""
        return await self._state.inbox.ask(act)

    @decide.validator
    def refuse_to_decide(self, act: Act) -> None:
        """Refuse only what can never be right: what is merely early waits in the inbox."""
        self._refuse_the_impossible(act, ActKind.DECIDE)

    @resubmit.validator
    def refuse_to_resubmit(self, act: Act) -> None:
        """As for a decision."""
        self._refuse_the_impossible(act, ActKind.RESUBMIT)

    @withdraw.validator
    def refuse_to_withdraw(self, act: Act) -> None:
        """As for a decision."""
        self._refuse_the_impossible(act, ActKind.WITHDRAW)

    @escalate.validator
    def refuse_to_escalate(self, act: Act) -> None:
        """As for a decision."""
        self._refuse_the_impossible(act, ActKind.ESCALATE)

    @correct.validator
    def refuse_to_correct(self, act: Act) -> None:
        """As for a decision."""
        self._refuse_the_impossible(act, ActKind.CORRECT)

    @workflow.signal
    def ministry_answered(self, message: MinistryAnswered) -> None:
        """The Ministry's answer stands in the database."""
        self._state.inbox.put(message)

    @workflow.signal
    def deadline_moved(self, message: DeadlineMoved) -> None:
        """A deadline has become earlier than the workflow was told."""
        self._state.inbox.put(message)

    @workflow.query
    def live(self) -> LiveCase:
        """Where the workflow itself stands."""
        step = self._state.step
        if step is None:
            raise ApplicationError("The case is being opened.", type="not_possible_now")
        return LiveCase(
            update_id=self._state.start.update_id,
            step=step.step,
            status=step.status,
            level=step.level,
            task_id=None if isinstance(step, Closed) else step.task_id,
            wake_at=step.wake_at,
            waiting_acts=len(self._state.inbox),
        )

    async def _open(self, start: StartUpdate) -> Step:
        """Claim the case; a run for a case that has, or had, another run ends here without touching it."""
        command = OpenCase(
            update_id=start.update_id,
            run_id=workflow.info().first_execution_run_id,
            at=workflow.now(),
        )
        try:
            return (await take_step(ActivityName.OPEN_CASE, command)).next
        except FailureError as error:
            raise refusal_of(error) or error from error

    async def _check_identity(self, step: CheckIdentity) -> Step:
        update_id = self._state.start.update_id
        lookups = match_persons(
            [MatchPerson(update_id=update_id, task_id=step.task_id, person=person) for person in step.persons],
        )
        moved = await self._accompany(step, lookups)
        if moved is not None:
            return moved
        command = CloseIdentityCheck(update_id=update_id, task_id=step.task_id, at=workflow.now())
        return (await take_step(ActivityName.CLOSE_IDENTITY_CHECK, command)).next

    async def _deliver(self, step: Deliver) -> Step:
        update_id = self._state.start.update_id
        push = push_to_ministry(PushToMinistry(update_id=update_id, task_id=step.task_id))
        moved = await self._accompany(step, [push])
        if moved is not None:
            return moved
        command = RecordPush(
            update_id=update_id,
            task_id=step.task_id,
            receipt_no=await push,
            at=workflow.now(),
        )
        return (await take_step(ActivityName.RECORD_PUSH, command)).next

    async def _wait_for_people(self, step: OpenStep) -> Step:
        """Wait for somebody to act, or for the next milestone of the deadline, whichever comes first."""
        await self._until_something(step)
        return await self._react(step)

    async def _accompany(self, step: OpenStep, errands: Sequence[workflow.ActivityHandle[Any]]) -> Step | None:
        """See to people and deadlines while errands run; None when all errands are done, else where the case went."""
        try:
            while not _all_done(errands):
                await self._until_something(step, errands)
                if not self._state.inbox and _all_done(errands):
                    return None
                moved = await self._react(step)
                if isinstance(moved, Closed) or moved.task_id != step.task_id:
                    return moved
                step = moved
                self._stand_at(step)
            return None
        finally:
            for errand in errands:
                errand.cancel()

    async def _until_something(
        self,
        step: OpenStep,
        errands: Sequence[workflow.ActivityHandle[Any]] = (),
    ) -> None:
        """Return when somebody acts, when all of the errands given are done, or when it is time to look again."""
        remaining = None if step.wake_at is None else step.wake_at - workflow.now()
        if remaining is not None and remaining.total_seconds() <= 0:
            return
        try:
            await workflow.wait_condition(
                lambda: bool(self._state.inbox) or (bool(errands) and _all_done(errands)),
                timeout=remaining,
            )
        except TimeoutError:
            return

    async def _react(self, step: OpenStep) -> Step:
        """What somebody did comes before what the clock says: a decision in the last second is a decision."""
        if self._state.inbox:
            return await self._take(step)
        return await self._pass_milestone(step)

    async def _take(self, step: Step) -> Step:
        """Deal with the message that has waited longest, and answer whoever waits for it."""
        entry = self._state.inbox.take()
        update_id, at = self._state.start.update_id, workflow.now()
        match entry.message:
            case Act() as act:
                try:
                    taken = await take_step(ActivityName.RECORD_ACT, RecordAct(update_id=update_id, act=act, at=at))
                except FailureError as error:
                    entry.refusal = refusal_of(error)
                    if entry.refusal is None:
                        raise
                    return step
                entry.result = taken.result
                return taken.next
            case MinistryAnswered(answer_id=answer_id):
                command = RecordMinistryAnswer(update_id=update_id, answer_id=answer_id, at=at)
                return (await take_step(ActivityName.RECORD_MINISTRY_ANSWER, command)).next
            case DeadlineMoved():
                return step if isinstance(step, Closed) else await self._pass_milestone(step)
            case _:
                assert_never(entry.message)

    async def _pass_milestone(self, step: OpenStep) -> Step:
        command = PassMilestone(update_id=self._state.start.update_id, task_id=step.task_id, at=workflow.now())
        return (await take_step(ActivityName.PASS_MILESTONE, command)).next

    async def _answer_the_late(self, step: Closed) -> None:
        """Whoever came while the case was closing is told so by casework, which knows who was first."""
        while self._state.inbox:
            await self._take(step)

    async def _continue_as_new_when_long(self) -> None:
        """Begin a new run when the history is long, but not while somebody waits to be answered by this one.

        Whoever comes while the others are told their answer is dealt with first; only this loop could.
        """
        if workflow.info().is_continue_as_new_suggested() and not self._state.inbox:
            await workflow.wait_condition(lambda: workflow.all_handlers_finished() or bool(self._state.inbox))
            if not self._state.inbox:
                workflow.continue_as_new(self._state.start)

    def _refuse_the_impossible(self, act: Act, kind: ActKind) -> None:
        if act.kind is not kind:
            raise ApplicationError(f"An act of kind {act.kind.value} is sent as such.", type="invalid_input")
        if isinstance(self._state.step, Closed):
            raise ApplicationError("The case has ended.", type=CaseClosed.code)

    def _stand_at(self, step: Step) -> None:
        """Remember the step, and let operators find the open case by it; where it ended, the database tells."""
        before = self._state.step
        self._state.step = step
        if marks := new_marks(self._state.start, before, step):
            workflow.upsert_search_attributes(marks)  # pyright: ignore[reportUnknownMemberType]  a bare Dict in the SDK


def _all_done(errands: Sequence[workflow.ActivityHandle[Any]]) -> bool:
    return all(errand.done() for errand in errands)
