"""What crosses between services, workflows and activities: messages, next steps, and activities by name.

Ids and coded values only: no name, no number of a person and no free text passes through the engine. Whoever
needs the content reads it from PostgreSQL under its own authority.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.vocabulary import Outcome, Stage, Status

UPDATE_WORKFLOW = "HouseholdUpdate"
MINUTES_WORKFLOW = "CarryOutMinutes"
ROUND_WORKFLOW = "UpdateRound"
EVALUATION_WORKFLOW = "Evaluation"


class Message(BaseModel):
    """Base of all that is sent: immutable, and open to fields that a later version adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Queue(StrEnum):
    """The task queues. Calls to the outside have their own, so that a slow partner starves nobody."""

    CASES = "cases"
    IDENTITY = "identity"
    DELIVERY = "delivery"
    BULK = "bulk"


def queue_name(prefix: str, queue: Queue) -> str:
    """The name of a queue of the installation `prefix`, such as `kawal-cases`."""
    return f"{prefix}-{queue.value}"


def sibling_queue(name: str, queue: Queue) -> str:
    """The queue beside the one called `name`, in the same installation."""
    return queue_name(name.rpartition("-")[0], queue)


class ActivityName(StrEnum):
    """The activities, by the names that histories record."""

    OPEN_CASE = "open_case"
    RECORD_ACT = "record_act"
    PASS_MILESTONE = "pass_milestone"  # noqa: S105  no password: the case passes a milestone
    CLOSE_IDENTITY_CHECK = "close_identity_check"
    MATCH_PERSON = "match_person"
    PUSH_TO_MINISTRY = "push_to_ministry"
    RECORD_PUSH = "record_push"
    RECORD_MINISTRY_ANSWER = "record_ministry_answer"
    DECIDE_LISTED = "decide_listed"
    LOOK_AT_ROUND = "look_at_round"
    TAKE_BASELINE = "take_baseline"
    CARRY_ROUND_ON = "carry_round_on"
    LOOK_AT_EVALUATION = "look_at_evaluation"
    MEASURE = "measure"
    PUBLISH_EVALUATION = "publish_evaluation"


class ActKind(StrEnum):
    """What a person may ask of a case that ends a wait, or changes what is waited for."""

    DECIDE = "decide"
    RESUBMIT = "resubmit"
    WITHDRAW = "withdraw"
    ESCALATE = "escalate"
    CORRECT = "correct"


# --- what starts and reaches a workflow -----------------------------------------------------------------------


class StartUpdate(Message):
    """The input of `HouseholdUpdate`.

    `marks` names which moves the engine's own list of cases follows: every one for cases begun before 2026-11-24, whose
    histories are replayed so, and since then only those into and out of escalation (see docs/operations.md).
    """

    update_id: UUID
    policy_version_id: UUID
    marks: Literal["every_move", "escalations"] = "every_move"


class Act(Message):
    """One act of one person; its content stands in `idempotency_keys` under `act_id`."""

    act_id: UUID
    kind: ActKind
    task_id: UUID | None = None


class ActResult(Message):
    """What an act led to, for the answer to the person."""

    update_id: UUID
    status: Status
    stage: Stage | None
    task_id: UUID | None
    level: int = 0
    outcome: Outcome | None = None


class LiveCase(Message):
    """Query `live`: where the workflow itself stands, for whoever doubts the tables."""

    update_id: UUID
    step: str
    status: Status
    level: int
    task_id: UUID | None
    wake_at: datetime | None
    waiting_acts: int


class MinistryAnswered(Message):
    """Signal: the Ministry's answer stands in `ministry_answers` under `answer_id`."""

    answer_id: UUID


class DeadlineMoved(Message):
    """Signal: a deadline of the open task has become earlier than the workflow was told."""

    task_id: UUID


# --- what casework says comes next ----------------------------------------------------------------------------


class _Step(Message):
    status: Status
    level: int = 0
    wake_at: datetime | None = None


class CheckIdentity(_Step):
    """Ask the civil registry about each of `persons`; at `wake_at` the patience with it is over."""

    step: Literal["check_identity"] = "check_identity"
    task_id: UUID
    persons: tuple[str, ...]


class AwaitDecision(_Step):
    """People have the case: wait for their decision, or for the next milestone of the deadline."""

    step: Literal["await_decision"] = "await_decision"
    task_id: UUID
    stage: Stage


class AwaitRepair(_Step):
    """The operator has the case back: wait for the resubmission, or for the next milestone."""

    step: Literal["await_repair"] = "await_repair"
    task_id: UUID
    stage: Stage = Stage.REPAIR


class Deliver(_Step):
    """Push the change to the Ministry."""

    step: Literal["deliver"] = "deliver"
    task_id: UUID


class AwaitMinistry(_Step):
    """The Ministry has the case: wait for its answer, or for the next milestone."""

    step: Literal["await_ministry"] = "await_ministry"
    task_id: UUID


class Closed(_Step):
    """The case has ended."""

    step: Literal["closed"] = "closed"


NextStep = Annotated[
    CheckIdentity | AwaitDecision | AwaitRepair | Deliver | AwaitMinistry | Closed,
    Field(discriminator="step"),
]


# --- activities -----------------------------------------------------------------------------------------------


class OpenCase(Message):
    """Claim the case for this run and enter the first stage."""

    update_id: UUID
    run_id: str
    at: datetime


class RecordAct(Message):
    """Record one act of a person."""

    update_id: UUID
    act: Act
    at: datetime


class PassMilestone(Message):
    """The time of a milestone of `task_id` may have come."""

    update_id: UUID
    task_id: UUID
    at: datetime


class MatchPerson(Message):
    """Ask the civil registry about one person of the case."""

    update_id: UUID
    task_id: UUID
    person: str


class CloseIdentityCheck(Message):
    """Every person has an answer: judge them and move on."""

    update_id: UUID
    task_id: UUID
    at: datetime


class PushToMinistry(Message):
    """Send the change of the case under the key of `task_id`."""

    update_id: UUID
    task_id: UUID


class RecordPush(Message):
    """The Ministry has taken the change in: note its receipt and wait for the answer."""

    update_id: UUID
    task_id: UUID
    receipt_no: str
    at: datetime


class RecordMinistryAnswer(Message):
    """Carry out an answer of the Ministry."""

    update_id: UUID
    answer_id: UUID
    at: datetime


class StepTaken(Message):
    """What casework answers: where the case goes, and what to tell the person whose act it was."""

    next: NextStep
    result: ActResult | None = None


# --- many cases at once ---------------------------------------------------------------------------------------


class StartMinutes(Message):
    """The input of `CarryOutMinutes`."""

    minutes_id: UUID


class DecideListed(Message):
    """Decide some of the cases that minutes list, from after this place on the paper."""

    minutes_id: UUID
    after: int


class ListedDecided(Message):
    """How far a piece of the work came: the last place that was looked at, None when there is none after it.

    `open` is how many cases have no result at the end of it, though they were asked about: something was away.
    """

    last: int | None
    open: int


# --- rounds ---------------------------------------------------------------------------------------------------


class BaselinePlace(Message):
    """How far the baseline of a round has come: the household after which it goes on, by area and id."""

    area_code: str
    household_id: UUID


class StartRound(Message):
    """The input of `UpdateRound`; `after` is where its baseline goes on in a further run."""

    round_id: UUID
    after: BaselinePlace | None = None


class LookAtRound(Message):
    """Ask what the database says of a round now."""

    round_id: UUID


class RoundLook(Message):
    """When the round opens by its latest terms, and whether its baseline is taken."""

    opens_at: datetime
    baseline_taken: bool


class TakeBaseline(Message):
    """Take the next piece of the baseline, from after this place on."""

    round_id: UUID
    after: BaselinePlace | None


class BaselineTaken(Message):
    """Where the next piece begins; None when the baseline is complete."""

    after: BaselinePlace | None


class CarryRoundOn(Message):
    """Do what is due in a round whose baseline is taken: a piece of it, for the rest is asked again."""

    round_id: UUID


class RoundCarried(Message):
    """When to look at the round again, at once without `wake_at`; or that nothing more will ever be due."""

    wake_at: datetime | None = None
    over: bool = False


# --- evaluations ----------------------------------------------------------------------------------------------


class StartEvaluation(Message):
    """The input of `Evaluation`; `after` is the village after which it goes on in a further run."""

    evaluation_id: UUID
    after: str | None = None


class LookAtEvaluation(Message):
    """Ask what the database says of an evaluation now."""

    evaluation_id: UUID


class EvaluationLook(Message):
    """From when on its facts may be read, since all that was done before its bound is written; whether it is done."""

    readable_at: datetime
    measured: bool


class MeasurePiece(Message):
    """Observe some villages of the area, from after this one on."""

    evaluation_id: UUID
    after: str | None


class Measured(Message):
    """The last village that was observed; None when none is left."""

    after: str | None


class PublishEvaluation(Message):
    """Sum up what was observed, and publish it."""

    evaluation_id: UUID
