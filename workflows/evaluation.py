"""An evaluation at work: observed village by village, then summed up and published at once."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from domain.contracts import (
        EVALUATION_WORKFLOW,
        ActivityName,
        EvaluationLook,
        LookAtEvaluation,
        Measured,
        MeasurePiece,
        PublishEvaluation,
        Queue,
        StartEvaluation,
        sibling_queue,
    )

_LOOK_TIMEOUT = timedelta(seconds=30)
_PIECE_TIMEOUT = timedelta(minutes=30)
# A worker that was killed is missed after this time, so it is short.
_HEARTBEAT = timedelta(seconds=10)
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


@workflow.defn(name=EVALUATION_WORKFLOW)
class Evaluation:
    """Waits and counts; observations and numbers are in the database. Whatever is observed, is so once."""

    @workflow.run
    async def run(self, start: StartEvaluation) -> None:
        """Until the numbers are published."""
        look = await self._look(start)
        if look.measured:
            return
        await workflow.sleep(max(look.readable_at - workflow.now(), timedelta()))
        await self._measure(start)
        await workflow.execute_activity(
            ActivityName.PUBLISH_EVALUATION.value,
            PublishEvaluation(evaluation_id=start.evaluation_id),
            task_queue=sibling_queue(workflow.info().task_queue, Queue.BULK),
            start_to_close_timeout=_PIECE_TIMEOUT,
            heartbeat_timeout=_HEARTBEAT,
            retry_policy=_RETRY,
        )

    async def _look(self, start: StartEvaluation) -> EvaluationLook:
        return await workflow.execute_activity(
            ActivityName.LOOK_AT_EVALUATION.value,
            LookAtEvaluation(evaluation_id=start.evaluation_id),
            result_type=EvaluationLook,
            task_queue=sibling_queue(workflow.info().task_queue, Queue.BULK),
            start_to_close_timeout=_LOOK_TIMEOUT,
            retry_policy=_RETRY,
        )

    async def _measure(self, start: StartEvaluation) -> None:
        """Some villages at a time; only how far it has come is here."""
        after = start.after
        while True:
            done: Measured = await workflow.execute_activity(
                ActivityName.MEASURE.value,
                MeasurePiece(evaluation_id=start.evaluation_id, after=after),
                result_type=Measured,
                task_queue=sibling_queue(workflow.info().task_queue, Queue.BULK),
                start_to_close_timeout=_PIECE_TIMEOUT,
                heartbeat_timeout=_HEARTBEAT,
                retry_policy=_RETRY,
            )
            after = done.after
            if after is None:
                return
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(start.model_copy(update={"after": after}))
