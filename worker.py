"""The worker process: settings → logging → engine client → workers and dispatcher → graceful stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
import uvloop
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import (
    PollerBehaviorAutoscaling,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerDeploymentConfig,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from activities.casework import Casework, Desk
from activities.delivery import Delivery
from activities.evaluations import EvaluationsAtWork
from activities.identity_check import IdentityCheck
from activities.minutes import MinutesAtWork
from activities.outbox import Dispatcher
from activities.rounds import RoundsAtWork
from db.repositories.rules import Rules
from db.session import Database, Viewer
from db.vault import Vault
from domain.contracts import Queue, queue_name
from domain.errors import EngineUnavailable
from duties.clock_jobs import ClockJobs
from duties.evaluation_turns import EvaluationTurns
from duties.evidence_sweep import EvidenceSweep
from duties.notary import Notary
from duties.person_exports import PersonExports
from duties.policy_turns import PolicyTurns
from duties.retention import RetentionSweep
from duties.round_turns import RoundTurns
from runtime.connectors.civil_registry import CivilRegistryClient
from runtime.connectors.ministry import MinistryClient
from runtime.engine import Engine, connect, metrics_runtime
from runtime.evidence.room import open_archive
from runtime.heap import settle_heap
from runtime.logging import configure_logging
from runtime.periodic import Duty
from runtime.settings import Settings, get_settings
from workflows.evaluation import Evaluation
from workflows.household_update import HouseholdUpdate
from workflows.minutes import CarryOutMinutes
from workflows.update_round import UpdateRound

_GRACE = timedelta(seconds=30)
_STICKY_PATIENCE = timedelta(seconds=3)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Partners:
    """The clients of the partners."""

    registry: CivilRegistryClient
    ministry: MinistryClient

    @classmethod
    def of(cls, settings: Settings) -> Partners:
        """The partners that the settings name."""
        return cls(
            registry=CivilRegistryClient(
                settings.civil_registry_url,
                settings.civil_registry_token.get_secret_value(),
            ),
            ministry=MinistryClient(settings.ministry_url, settings.ministry_token.get_secret_value()),
        )

    async def close(self) -> None:
        """Close their connections."""
        await self.registry.aclose()
        await self.ministry.aclose()


def workflow_runner(*, sandboxed: bool) -> WorkflowRunner:
    """The sandbox that refuses at start whatever would be loaded anew for every case, or none."""
    if not sandboxed:
        return UnsandboxedWorkflowRunner()
    restrictions = SandboxRestrictions.default.with_import_notification_policy(
        SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
        | SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT,
    )
    return SandboxedWorkflowRunner(restrictions=restrictions)


def build_workers(
    client: Client,
    desk: Desk,
    partners: Partners,
    *,
    engine: Engine,
    queue_prefix: str,
    runner: WorkflowRunner,
    cache_size: int = 1000,
    build_id: str | None = None,
    grace: timedelta = _GRACE,
) -> list[Worker]:
    """One worker for the cases, one for each partner and one for work in bulk, so that none keeps another waiting."""
    casework = Casework(desk)
    pollers = PollerBehaviorAutoscaling(minimum=1, initial=2, maximum=20)
    cases = Worker(
        client,
        task_queue=queue_name(queue_prefix, Queue.CASES),
        workflows=[HouseholdUpdate, CarryOutMinutes, UpdateRound, Evaluation],
        activities=[
            casework.open_case,
            casework.record_act,
            casework.pass_milestone,
            casework.close_identity_check,
            casework.record_push,
            casework.record_ministry_answer,
        ],
        workflow_runner=runner,
        max_cached_workflows=cache_size,
        workflow_task_poller_behavior=pollers,
        activity_task_poller_behavior=pollers,
        sticky_queue_schedule_to_start_timeout=_STICKY_PATIENCE,
        graceful_shutdown_timeout=grace,
        deployment_config=_deployment(queue_prefix, build_id),
    )
    rounds, evaluations = RoundsAtWork(desk), EvaluationsAtWork(desk)
    errands = {
        Queue.IDENTITY: [IdentityCheck(desk, partners.registry).match_person],
        Queue.DELIVERY: [Delivery(desk, partners.ministry).push_to_ministry],
        Queue.BULK: [
            MinutesAtWork(desk, engine).decide_listed,
            rounds.look_at_round,
            rounds.take_baseline,
            rounds.carry_round_on,
            evaluations.look_at_evaluation,
            evaluations.measure,
            evaluations.publish_evaluation,
        ],
    }
    return [cases] + [
        Worker(
            client,
            task_queue=queue_name(queue_prefix, queue),
            activities=activities,
            activity_task_poller_behavior=pollers,
            max_concurrent_activities=20,
            graceful_shutdown_timeout=grace,
        )
        for queue, activities in errands.items()
    ]


def _deployment(queue_prefix: str, build_id: str | None) -> WorkerDeploymentConfig | None:
    """With a build id, cases move to the build that the operator made current; without one, to whoever polls."""
    if build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=queue_prefix, build_id=build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


@contextlib.asynccontextmanager
async def running(workers: Sequence[Worker], *duties: Duty) -> AsyncGenerator[None]:
    """Run them for as long as the block lasts; what is under way is finished within the grace."""
    stop = asyncio.Event()
    done = asyncio.gather(*(duty.run(stop) for duty in duties))
    try:
        async with contextlib.AsyncExitStack() as stack:
            for worker in workers:
                await stack.enter_async_context(worker)
            yield
    finally:
        stop.set()
        await done


async def main(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    database = Database(
        settings.database_worker_url.get_secret_value(),
        application="kawal-worker",
        pool_size=settings.database_worker_pool_size,
        always=Viewer.system("worker"),
    )
    desk = Desk(database, Vault(settings.field_keys, settings.index_keys), Rules())
    partners, archive = Partners.of(settings), open_archive(settings)
    client = await _engine_client(settings, stop)
    if client is not None:
        engine = Engine(client, queue_prefix=settings.task_queue_prefix)
        workers = build_workers(
            client,
            desk,
            partners,
            engine=engine,
            queue_prefix=settings.task_queue_prefix,
            runner=workflow_runner(sandboxed=settings.sandboxed),
            cache_size=settings.worker_cache_size,
            build_id=settings.worker_build_id,
        )
        sweep = EvidenceSweep(
            begin=partial(database.transaction, Viewer.system("worker")),
            archive=archive,
            orphan_ttl=settings.evidence_orphan_ttl,
        )
        retention = RetentionSweep(begin=sweep.begin, archive=archive)
        exports = PersonExports(begin=sweep.begin, vault=desk.vault)
        turns = PolicyTurns(database)
        clocks, rounds = ClockJobs(desk=desk), RoundTurns(desk=desk)
        kept = (sweep, retention, exports, EvaluationTurns(desk=desk))
        duties = (Dispatcher(database, engine), clocks, rounds, turns, *kept, *_notary(settings, database))
        async with running(workers, *duties):
            settle_heap()
            _log.info("worker.started", queue_prefix=settings.task_queue_prefix)
            await stop.wait()
            _log.info("worker.stopping")
        await engine.close()
    await partners.close()
    await database.close()
    await archive.close()
    await asyncio.sleep(0.3)  # the SDK's core may abort the interpreter if it ends at once (sdk-python #300)


def _notary(settings: Settings, database: Database) -> list[Notary]:
    if settings.checkpoint_keys is None:
        _log.warning("worker.no_checkpoints", remedy="set KAWAL_CHECKPOINT_KEYS: `kawal keys new` makes an entry")
        return []
    return [Notary(database, settings.checkpoint_keys, every=settings.checkpoint_every)]


async def _engine_client(settings: Settings, stop: asyncio.Event) -> Client | None:
    """A connected client, however long the engine takes to come up; None when told to stop before."""
    runtime = metrics_runtime(f"{settings.metrics_host}:{settings.worker_metrics_port}")
    while not stop.is_set():
        try:
            return await connect(settings, runtime=runtime, lazy=False)
        except EngineUnavailable:
            _log.warning("worker.engine_unavailable", address=settings.temporal_address)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=1)
    return None


if __name__ == "__main__":
    configured = get_settings()
    configure_logging("worker", level=configured.log_level, fmt=configured.log_format)
    uvloop.run(main(configured))
