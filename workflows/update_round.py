"""A round carried through its days: it waits for its opening, and takes the baseline of the registry then."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from domain.contracts import (
        ROUND_WORKFLOW,
        ActivityName,
        BaselineTaken,
        LookAtRound,
        Queue,
        RoundLook,
        StartRound,
        TakeBaseline,
        sibling_queue,
    )

_LOOK_TIMEOUT = timedelta(seconds=30)
_PIECE_TIMEOUT = timedelta(minutes=10)
# A worker that was killed is missed after this time, so it is short.
_HEARTBEAT = timedelta(seconds=10)
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


@workflow.defn(name=ROUND_WORKFLOW)
class UpdateRound:
    """Waits and counts; what is true of the round, the database says. Whatever it has taken, it takes once."""

    @workflow.init
    def __init__(self, start: StartRound) -> None:
        self._moved = False
        self._after = start.after

    @workflow.run
    async def run(self, start: StartRound) -> None:
        """Until the baseline is complete."""
        look = await self._look(start)
        while not look.baseline_taken:
            if look.opens_at <= workflow.now():
                await self._take_baseline(start)
                return
            await self._wait(look)
            self._continue_as_new_when_long(start)
            look = await self._look(start)

    @workflow.signal
    def round_moved(self) -> None:
        """The round has other days."""
        self._moved = True

    async def _wait(self, look: RoundLook) -> None:
        """Until the round opens, or is moved."""
        try:
            await workflow.wait_condition(lambda: self._moved, timeout=look.opens_at - workflow.now())
        except TimeoutError:
            return

    async def _look(self, start: StartRound) -> RoundLook:
        self._moved = False  # whoever moves it after this is heard, and whoever moved it before is in what is read
        return await workflow.execute_activity(
            ActivityName.LOOK_AT_ROUND.value,
            LookAtRound(round_id=start.round_id),
            result_type=RoundLook,
            task_queue=sibling_queue(workflow.info().task_queue, Queue.BULK),
            start_to_close_timeout=_LOOK_TIMEOUT,
            retry_policy=_RETRY,
        )

    async def _take_baseline(self, start: StartRound) -> None:
        """Piece by piece; the rows are in the database, and only how far they have come is here."""
        while True:
            taken: BaselineTaken = await workflow.execute_activity(
                ActivityName.TAKE_BASELINE.value,
                TakeBaseline(round_id=start.round_id, after=self._after),
                result_type=BaselineTaken,
                task_queue=sibling_queue(workflow.info().task_queue, Queue.BULK),
                start_to_close_timeout=_PIECE_TIMEOUT,
                heartbeat_timeout=_HEARTBEAT,
                retry_policy=_RETRY,
            )
            if taken.after is None:
                return
            self._after = taken.after
            self._continue_as_new_when_long(start)

    def _continue_as_new_when_long(self, start: StartRound) -> None:
        """A further run looks first, so that a signal which comes meanwhile is not lost."""
        if workflow.info().is_continue_as_new_suggested():
            workflow.continue_as_new(start.model_copy(update={"after": self._after}))
