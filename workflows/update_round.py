"""A round carried through its days: it waits for its opening, takes the baseline of the registry, and carries on."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from domain.contracts import (
        ROUND_WORKFLOW,
        ActivityName,
        BaselineTaken,
        CarryRoundOn,
        LookAtRound,
        Queue,
        RoundCarried,
        RoundLook,
        StartRound,
        TakeBaseline,
        sibling_queue,
    )

_LOOK_TIMEOUT = timedelta(seconds=30)
_PIECE_TIMEOUT = timedelta(minutes=10)
# A worker that was killed is missed after this time, so it is short.
_HEARTBEAT = timedelta(seconds=10)
_CARRIES_ON = "carries_on_past_the_baseline"
"""Rounds begun before 2026-11-25 ended with their baseline."""
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
        """Until nothing more is due."""
        look = await self._look(start)
        while not look.baseline_taken:
            if look.opens_at <= workflow.now():
                await self._take_baseline(start)
                break
            await self._wait_until(look.opens_at)
            self._continue_as_new_when_long(start)
            look = await self._look(start)
        if workflow.patched(_CARRIES_ON):
            await self._carry_on(start)

    @workflow.signal
    def round_moved(self) -> None:
        """The round has other days."""
        self._moved = True

    async def _wait_until(self, moment: datetime) -> None:
        """Until this moment, or until the round is moved."""
        try:
            await workflow.wait_condition(lambda: self._moved, timeout=moment - workflow.now())
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

    async def _carry_on(self, start: StartRound) -> None:
        """Have done what is due, piece by piece, and wait for what is due next; the database knows which it is."""
        while not (carried := await self._carry_piece(start)).over:
            if carried.wake_at is not None:
                await self._wait_until(carried.wake_at)
            self._continue_as_new_when_long(start)

    async def _carry_piece(self, start: StartRound) -> RoundCarried:
        self._moved = False
        return await workflow.execute_activity(
            ActivityName.CARRY_ROUND_ON.value,
            CarryRoundOn(round_id=start.round_id),
            result_type=RoundCarried,
            task_queue=sibling_queue(workflow.info().task_queue, Queue.BULK),
            start_to_close_timeout=_PIECE_TIMEOUT,
            heartbeat_timeout=_HEARTBEAT,
            retry_policy=_RETRY,
        )

    def _continue_as_new_when_long(self, start: StartRound) -> None:
        """A further run looks first, so that a signal which comes meanwhile is not lost."""
        if workflow.info().is_continue_as_new_suggested():
            workflow.continue_as_new(start.model_copy(update={"after": self._after}))
