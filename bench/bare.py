"""The yardstick: a Temporal workflow with as many Updates, timers and local activities as a case, and nothing else.

Run as `python -m bench.bare` it is the worker of that workflow: the same server, sandbox, codec, converter, pollers and
cache as Kawal's own worker has.
"""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from typing import Final

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

with workflow.unsafe.imports_passed_through():
    import uvloop
    from pydantic import BaseModel, ConfigDict

    from runtime.engine import connect
    from runtime.settings import Settings, get_settings
    from worker import workflow_runner

QUEUE: Final = "bare-cases"
STAGES: Final = 4
_DEADLINE = timedelta(days=5)


class BareAct(BaseModel):
    """As much as an act of Kawal carries."""

    model_config = ConfigDict(frozen=True)

    act_id: str
    stage: int


class BareStep(BaseModel):
    """As much as casework answers."""

    model_config = ConfigDict(frozen=True)

    stage: int
    status: str


@activity.defn
async def bare_step(act: BareAct) -> BareStep:
    """No work at all."""
    return BareStep(stage=act.stage, status="decided")


@workflow.defn
class BareCase:
    """Opened once, decided four times, a timer beside each wait."""

    @workflow.init
    def __init__(self, case_id: str) -> None:
        self._case_id = case_id
        self._inbox: list[BareAct] = []
        self._done: dict[str, BareStep] = {}

    @workflow.run
    async def run(self, case_id: str) -> str:
        """Open, then record one act after the other."""
        await self._record(BareAct(act_id=case_id, stage=0))
        while len(self._done) <= STAGES:
            await workflow.wait_condition(lambda: bool(self._inbox), timeout=_DEADLINE)
            await self._record(self._inbox.pop(0))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return case_id

    @workflow.update
    async def decide(self, act: BareAct) -> BareStep:
        """Put the act in and wait until it is recorded."""
        self._inbox.append(act)
        await workflow.wait_condition(lambda: act.act_id in self._done)
        return self._done[act.act_id]

    async def _record(self, act: BareAct) -> None:
        self._done[act.act_id] = await workflow.execute_local_activity(
            bare_step,
            act,
            schedule_to_close_timeout=timedelta(seconds=5),
        )


async def bare_client(settings: Settings) -> Client:
    """The same client as Kawal's."""
    return await connect(settings, lazy=False)


async def main(settings: Settings) -> None:
    """Work until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pollers = PollerBehaviorAutoscaling(minimum=1, initial=2, maximum=20)
    worker = Worker(
        await bare_client(settings),
        task_queue=QUEUE,
        workflows=[BareCase],
        activities=[bare_step],
        workflow_runner=workflow_runner(sandboxed=settings.sandboxed),
        max_cached_workflows=settings.worker_cache_size,
        workflow_task_poller_behavior=pollers,
        activity_task_poller_behavior=pollers,
    )
    async with worker:
        await stop.wait()
    await asyncio.sleep(0.3)  # the SDK's core may abort the interpreter if it ends at once (sdk-python #300)


if __name__ == "__main__":
    uvloop.run(main(get_settings()))
