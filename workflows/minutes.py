"""Carrying out minutes: every case that they list is decided, or has a result of its own that says why not."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from domain.contracts import (
        MINUTES_WORKFLOW,
        ActivityName,
        DecideListed,
        ListedDecided,
        Queue,
        StartMinutes,
        sibling_queue,
    )

_PIECE_TIMEOUT = timedelta(minutes=5)
# A worker that was killed is missed after this time, so it is short.
_HEARTBEAT = timedelta(seconds=10)
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
_SHORTEST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(minutes=5)


@workflow.defn(name=MINUTES_WORKFLOW)
class CarryOutMinutes:
    """Goes over the paper piece by piece, and again over what is still open, until nothing is."""

    @workflow.run
    async def run(self, start: StartMinutes) -> None:
        """Until every case has its result. A case whose engine or database is away keeps no other one waiting."""
        pause = _SHORTEST_PAUSE
        while await self._go_over(start):
            await workflow.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(start)

    async def _go_over(self, start: StartMinutes) -> int:
        """Once over all that is open; how many cases stayed so."""
        left, after = 0, 0
        while True:
            done: ListedDecided = await workflow.execute_activity(
                ActivityName.DECIDE_LISTED.value,
                DecideListed(minutes_id=start.minutes_id, after=after),
                result_type=ListedDecided,
                task_queue=sibling_queue(workflow.info().task_queue, Queue.BULK),
                start_to_close_timeout=_PIECE_TIMEOUT,
                heartbeat_timeout=_HEARTBEAT,
                retry_policy=_RETRY,
            )
            left += done.open
            if done.last is None:
                return left
            after = done.last
