"""Calling casework: a local activity while the database is quick, an ordinary one when it is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

from domain.contracts import (
    ActivityName,
    CloseIdentityCheck,
    MatchPerson,
    OpenCase,
    PassMilestone,
    PushToMinistry,
    Queue,
    RecordAct,
    RecordMinistryAnswer,
    RecordPush,
    StepTaken,
    sibling_queue,
)

Command = OpenCase | RecordAct | PassMilestone | CloseIdentityCheck | RecordPush | RecordMinistryAnswer

_LOCAL_PATIENCE = timedelta(seconds=5)
_LOCAL_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    maximum_interval=timedelta(seconds=1),
    maximum_attempts=5,  # the SDK minds the time-out only while an attempt runs, not between attempts
)
# What a worker that was killed had in hand is given to another after these times, so they are short.
_STEP_TIMEOUT = timedelta(seconds=15)
_STEP_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
_PARTNER_TIMEOUT = timedelta(seconds=20)
_PARTNER_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


async def take_step(name: ActivityName, command: Command) -> StepTaken:
    """One step of casework, certain to be taken: the same step is tried until the database has it.

    Raises FailureError when casework refuses it (see `refusal_of`).
    """
    try:
        return await workflow.execute_local_activity(
            name.value,
            command,
            result_type=StepTaken,
            schedule_to_close_timeout=_LOCAL_PATIENCE,
            retry_policy=_LOCAL_RETRY,
        )
    except FailureError as error:
        if refusal_of(error) is not None or is_cancelled_exception(error):
            raise
    return await workflow.execute_activity(
        name.value,
        command,
        result_type=StepTaken,
        start_to_close_timeout=_STEP_TIMEOUT,
        retry_policy=_STEP_RETRY,
    )


def refusal_of(error: FailureError) -> ApplicationError | None:
    """The refusal that a step ended with, or None when it ended with a fault.

    The SDK hands over the failure of a local activity as it is, and that of an ordinary one inside an ActivityError.
    """
    cause = error.cause if isinstance(error, ActivityError) else error
    return cause if isinstance(cause, ApplicationError) and cause.non_retryable else None


def match_persons(command_of: Sequence[MatchPerson]) -> list[workflow.ActivityHandle[None]]:
    """Begin to ask the civil registry about each person, on the queue that keeps to its rate."""
    return [
        workflow.start_activity(
            ActivityName.MATCH_PERSON.value,
            command,
            result_type=type(None),
            task_queue=sibling_queue(workflow.info().task_queue, Queue.IDENTITY),
            start_to_close_timeout=_PARTNER_TIMEOUT,
            retry_policy=_PARTNER_RETRY,
        )
        for command in command_of
    ]


def push_to_ministry(command: PushToMinistry) -> workflow.ActivityHandle[str]:
    """Begin to hand the change over to the Ministry."""
    return workflow.start_activity(
        ActivityName.PUSH_TO_MINISTRY.value,
        command,
        result_type=str,
        task_queue=sibling_queue(workflow.info().task_queue, Queue.DELIVERY),
        start_to_close_timeout=_PARTNER_TIMEOUT,
        retry_policy=_PARTNER_RETRY,
    )
