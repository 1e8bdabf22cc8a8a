"""Casework's activities, called one after the other as the engine would, each at a moment the test chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert

from activities.casework import Casework, Desk
from db.models import IdentityResult
from domain.changes import Change
from domain.contracts import (
    Act,
    ActKind,
    CheckIdentity,
    Closed,
    CloseIdentityCheck,
    Deliver,
    NextStep,
    OpenCase,
    PassMilestone,
    RecordAct,
    RecordMinistryAnswer,
    RecordPush,
    StepTaken,
)
from domain.decisions import DecisionInput, Minutes
from domain.evidence import EvidenceRef
from domain.requests import (
    DecisionRequest,
    GroundReportRequest,
    ResubmissionInput,
    ResubmissionRequest,
    WithdrawalInput,
    WithdrawalRequest,
)
from domain.vocabulary import MatchResult, Outcome, ReasonCode, Stage
from tests.ground import LOOKER, found
from tests.scene import MINUTES, SYSTEM, VAULT, Scene, household_of

DECIDERS = {
    Stage.VERIFICATION: "puskesos.taraju",
    Stage.DELIBERATION: "kades.taraju",
    Stage.APPROVAL: "verifikator",
    Stage.ENDORSEMENT: "kadis",
}
RUN = "run-1"
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Play:
    """A stage, and a clock that only the test moves."""

    scene: Scene
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    casework: Casework = field(init=False)

    def __post_init__(self) -> None:
        self.casework = Casework(Desk(self.scene.worker, VAULT, self.scene.rules))

    def later(self, span: timedelta = HOUR) -> datetime:
        """Some time passes."""
        self.now += span
        return self.now

    async def begin(self, change: Change, *, place: int | None = 0, **what: Any) -> UUID:
        """Submit a change of an invented household (`place` None: of none) and open the case."""
        if place is not None:
            what.setdefault("household", await self.scene.household(household_of(place).id))
        update_id = await self.scene.submit(change, **what)
        self.now = max(self.now, datetime.now(UTC))
        await self.open(update_id)
        return update_id

    async def open(self, update_id: UUID, *, run: str = RUN) -> NextStep:
        return (await self.casework.open_case(OpenCase(update_id=update_id, run_id=run, at=self.now))).next

    async def registry_says(
        self,
        update_id: UUID,
        answers: Mapping[str, tuple[MatchResult, list[str]]] | MatchResult = MatchResult.MATCHED,
    ) -> NextStep:
        """The civil registry answers about everybody who is asked about, and the answers are judged."""
        step = await self.open(update_id)
        assert isinstance(step, CheckIdentity)
        at = self.later()
        async with self.scene.worker.transaction(SYSTEM) as connection:
            for person in step.persons:
                match answers:
                    case MatchResult():
                        result, fields = answers, list[str]()
                    case _:
                        result, fields = answers.get(person, (MatchResult.MATCHED, []))
                await connection.execute(
                    insert(IdentityResult).values(
                        update_id=update_id,
                        task_id=step.task_id,
                        person_key=person,
                        area_code=(await self.scene.case(update_id)).area_code,
                        result=result.value,
                        fields=fields,
                        checked_at=at,
                    ),
                )
        return await self.judge(update_id, step.task_id)

    async def judge(self, update_id: UUID, task_id: UUID) -> NextStep:
        command = CloseIdentityCheck(update_id=update_id, task_id=task_id, at=self.now)
        return (await self.casework.close_identity_check(command)).next

    async def decide(
        self,
        update_id: UUID,
        by: str,
        outcome: Outcome = Outcome.FORWARD,
        *,
        reason: ReasonCode | None = None,
        note: str | None = None,
        minutes: Minutes | None = MINUTES,
        task_id: UUID | None = None,
    ) -> StepTaken:
        """Decide the open task, or another."""
        decision = DecisionInput(outcome=outcome, reason=reason, note=note, minutes=minutes)
        act_id = await self.scene.ask(update_id, by, DecisionRequest(body=decision))
        task_id = task_id or (await self.scene.case(update_id)).task
        return await self.record(update_id, Act(act_id=act_id, kind=ActKind.DECIDE, task_id=task_id))

    async def look(
        self, update_id: UUID, by: str = LOOKER, *, task_id: UUID | None = None, **changes: Any
    ) -> StepTaken:
        """Somebody has looked in the field and reports."""
        body = await found(self.scene, at=self.now, by=by, **changes)
        act_id = await self.scene.ask(update_id, by, GroundReportRequest(body=body))
        task_id = task_id or (await self.scene.case(update_id)).task
        return await self.record(update_id, Act(act_id=act_id, kind=ActKind.DECIDE, task_id=task_id))

    async def record(self, update_id: UUID, act: Act) -> StepTaken:
        return await self.casework.record_act(RecordAct(update_id=update_id, act=act, at=self.later()))

    async def resubmit(
        self, update_id: UUID, change: Change, *, by: str = "operator.taraju", evidence: tuple[EvidenceRef, ...] = ()
    ) -> StepTaken:
        body = ResubmissionInput(change=change, evidence=evidence)
        act_id = await self.scene.ask(update_id, by, ResubmissionRequest(body=body))
        task_id = (await self.scene.case(update_id)).task
        return await self.record(update_id, Act(act_id=act_id, kind=ActKind.RESUBMIT, task_id=task_id))

    async def withdraw(self, update_id: UUID, *, by: str = "operator.taraju") -> StepTaken:
        request = WithdrawalRequest(body=WithdrawalInput(note="Warga mencabut usulannya."))
        act_id = await self.scene.ask(update_id, by, request)
        return await self.record(update_id, Act(act_id=act_id, kind=ActKind.WITHDRAW))

    async def milestone(self, update_id: UUID, *, at: datetime | None = None) -> NextStep:
        """The open task is looked at, at its next milestone or at another moment."""
        case = await self.scene.case(update_id)
        return await self.pass_task(update_id, case.task, at=at or case.next_milestone_at)

    async def pass_task(self, update_id: UUID, task_id: UUID, *, at: datetime) -> NextStep:
        """A task that may not be open any more is looked at."""
        self.now = at
        command = PassMilestone(update_id=update_id, task_id=task_id, at=at)
        return (await self.casework.pass_milestone(command)).next

    async def push(self, update_id: UUID, *, receipt_no: str = "SIKS-1", task_id: UUID | None = None) -> NextStep:
        """The Ministry has taken the change in."""
        task_id = task_id or (await self.scene.case(update_id)).task
        assert task_id is not None
        command = RecordPush(update_id=update_id, task_id=task_id, receipt_no=receipt_no, at=self.later())
        return (await self.casework.record_push(command)).next

    async def ministry_says(
        self,
        update_id: UUID,
        answer: str = "accepted",
        *,
        receipt_no: str = "SIKS-1",
        reason: ReasonCode | None = None,
    ) -> NextStep:
        """The Ministry answers, and the answer is carried out."""
        answer_id = await self.scene.ministry_answers(update_id, answer, receipt_no=receipt_no, reason=reason)
        return await self.carry_out(update_id, answer_id)

    async def carry_out(self, update_id: UUID, answer_id: UUID) -> NextStep:
        command = RecordMinistryAnswer(update_id=update_id, answer_id=answer_id, at=self.later())
        return (await self.casework.record_ministry_answer(command)).next

    async def forward_to(self, update_id: UUID, stage: Stage) -> NextStep:
        """Everything is as it should be, until the case stands in `stage`."""
        step = await self.open(update_id)
        while not isinstance(step, Closed) and (case := await self.scene.case(update_id)).stage != stage:
            if case.stage == Stage.GROUND_CHECK:
                step = (await self.look(update_id)).next
            elif isinstance(step, CheckIdentity):
                step = await self.registry_says(update_id, EXPECTED.get(case.kind, MatchResult.MATCHED))
            else:
                step = (await self.decide(update_id, DECIDERS[case.stage])).next
        return step

    async def through(self, update_id: UUID, *, receipt_no: str = "SIKS-1") -> NextStep:
        """Everything is as it should be, until the Ministry accepts."""
        assert isinstance(await self.forward_to(update_id, Stage.DELIVERY), Deliver)
        await self.push(update_id, receipt_no=receipt_no)
        return await self.ministry_says(update_id, receipt_no=receipt_no)

    async def case(self, update_id: UUID) -> Row[Any]:
        return await self.scene.case(update_id)


EXPECTED = {"death": MatchResult.DECEASED}
