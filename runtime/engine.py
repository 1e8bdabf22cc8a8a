"""The Temporal client of Kawal: workflows by name and contract, refusals as they were raised, faults as `503`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode

from domain.contracts import (
    EVALUATION_WORKFLOW,
    MINUTES_WORKFLOW,
    ROUND_WORKFLOW,
    UPDATE_WORKFLOW,
    Act,
    ActResult,
    DeadlineMoved,
    LiveCase,
    MinistryAnswered,
    Queue,
    StartEvaluation,
    StartMinutes,
    StartRound,
    StartUpdate,
    queue_name,
)
from domain.errors import REFUSALS, ActPending, EngineUnavailable, InvalidInput, Violation
from domain.ids import (
    act_update_id,
    evaluation_workflow_id,
    former_round_workflow_id,
    minutes_workflow_id,
    round_workflow_id,
    workflow_id,
)
from runtime.breaker import Breaker
from runtime.codec import data_converter, open_each
from runtime.settings import Settings

AREA: Final = SearchAttributeKey.for_keyword("KawalArea")
KIND: Final = SearchAttributeKey.for_keyword("KawalKind")

_PATIENCE: Final = timedelta(seconds=8)
_CONNECT_PATIENCE: Final = timedelta(seconds=3)
_PROBE_PATIENCE: Final = timedelta(seconds=2)
_PROBE: Final = "kawal-probe"
"""The id of a workflow that there never is."""

_AWAY: Final = {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED}
_NO_NAMESPACE: Final = "NamespaceNotFoundFailure"
_FORGOTTEN = {"AcceptedUpdateCompletedWorkflow", "foreign_run"}


class EngineHasNoCaseError(Exception):
    """The engine carries no such case: not yet started, or closed and past its time. The database knows which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """What starting a case takes: ids, and what the queues are shared out by."""

    update_id: UUID
    policy_version_id: UUID
    area_code: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRun:
    """What the engine holds of a case: its latest run, and the first of its chain, by which the case is claimed.

    `status` is the engine's own word, such as `running`, `completed` or `terminated`.
    """

    status: str
    open: bool
    run_id: str
    first_run_id: str
    started_at: datetime
    closed_at: datetime | None


def metrics_runtime(bind: str) -> Runtime:
    """An SDK runtime that serves its own Prometheus metrics on the address `bind`; one for each process."""
    metrics = PrometheusConfig(bind_address=bind, counters_total_suffix=True, durations_as_seconds=True)
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


async def connect(settings: Settings, *, runtime: Runtime | None = None, lazy: bool = True) -> Client:
    """A client of the engine that the settings name.

    It connects on first use, so that no process depends on the engine to start. Workers cannot be built on such a
    client: with `lazy=False` it connects now, and raises EngineUnavailable when it cannot.
    """
    try:
        return await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            data_converter=data_converter(settings.codec_keys),
            connect_timeout=_CONNECT_PATIENCE,
            lazy=lazy,
            runtime=runtime,
        )
    except (RPCError, RuntimeError) as fault:
        raise _unavailable() from fault


class Engine:
    """What services ask of the engine. Every call is bounded in time; none holds a database connection.

    Once the engine is known to be away, calls raise EngineUnavailable at once until it is back.
    """

    def __init__(self, client: Client, *, queue_prefix: str, patience: timedelta = _PATIENCE) -> None:
        self._client = client
        self._installation = queue_prefix
        self._queue = queue_name(queue_prefix, Queue.CASES)
        self._patience = patience
        self.breaker = Breaker("engine", self._probe)

    async def start(self, case: NewCase, *, within: timedelta | None = None, again: bool = False) -> None:
        """Start the workflow of a case; that it runs already, or has run to its end, is success.

        Use-existing alone would start a second run on a closed case, so a duplicate is refused as well; unless an
        operator has found its run lost and has it started `again`, where a run that has ended stands in nobody's way:
        whether the case is still to be had, its row tells the new run. People come before bulk, and villages share
        the queue fairly. Raises EngineUnavailable, after the time given at most.
        """
        reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE if again else WorkflowIDReusePolicy.REJECT_DUPLICATE
        try:
            async with self._calling(within):
                await self._client.start_workflow(
                    UPDATE_WORKFLOW,
                    StartUpdate(
                        update_id=case.update_id,
                        policy_version_id=case.policy_version_id,
                        marks="escalations",
                    ),
                    id=workflow_id(case.update_id),
                    task_queue=self._queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=reuse,
                    priority=Priority(priority_key=2, fairness_key=case.area_code),
                    search_attributes=TypedSearchAttributes(
                        [SearchAttributePair(AREA, case.area_code), SearchAttributePair(KIND, case.kind)],
                    ),
                )
        except WorkflowAlreadyStartedError:
            return
        except (RPCError, TimeoutError, RuntimeError) as fault:
            raise _unavailable() from fault

    async def carry_out_minutes(self, minutes_id: UUID, *, within: timedelta | None = None) -> None:
        """Have minutes carried out, once; that they are being, or were, is success. Raises EngineUnavailable."""
        try:
            async with self._calling(within):
                await self._client.start_workflow(
                    MINUTES_WORKFLOW,
                    StartMinutes(minutes_id=minutes_id),
                    id=minutes_workflow_id(minutes_id),
                    task_queue=self._queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    priority=Priority(priority_key=4),
                )
        except WorkflowAlreadyStartedError:
            return
        except (RPCError, TimeoutError, RuntimeError) as fault:
            raise _unavailable() from fault

    async def carry_round(self, round_id: UUID, *, area_code: str, period: str) -> None:
        """Have a round carried through its days, once; that it is, or was, is success. Raises EngineUnavailable."""
        try:
            async with self._calling():
                await self._client.start_workflow(
                    ROUND_WORKFLOW,
                    StartRound(round_id=round_id),
                    id=round_workflow_id(self._installation, area_code, period),
                    task_queue=self._queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    priority=Priority(priority_key=4),
                )
        except WorkflowAlreadyStartedError:
            return
        except (RPCError, TimeoutError, RuntimeError) as fault:
            raise _unavailable() from fault

    async def measure(self, evaluation_id: UUID) -> None:
        """Have an evaluation measured, once; that it is being, or was, is success. Raises EngineUnavailable."""
        try:
            async with self._calling():
                await self._client.start_workflow(
                    EVALUATION_WORKFLOW,
                    StartEvaluation(evaluation_id=evaluation_id),
                    id=evaluation_workflow_id(self._installation, evaluation_id),
                    task_queue=self._queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    priority=Priority(priority_key=4),
                )
        except WorkflowAlreadyStartedError:
            return
        except (RPCError, TimeoutError, RuntimeError) as fault:
            raise _unavailable() from fault

    async def tell_round_moved(self, *, area_code: str, period: str) -> None:
        """Signal that a round is to be looked at now. Raises EngineUnavailable, and EngineHasNoCaseError at its end."""
        try:
            await self._signal_round(round_workflow_id(self._installation, area_code, period))
        except EngineHasNoCaseError:
            await self._signal_round(former_round_workflow_id(area_code, period))

    async def _signal_round(self, workflow_id: str) -> None:
        try:
            async with self._calling():
                await self._client.get_workflow_handle(workflow_id).signal("round_moved")
        except (RPCError, TimeoutError, RuntimeError) as fault:
            raise _fault(fault) from fault

    async def act(self, update_id: UUID, act: Act) -> ActResult:
        """Have an act carried out and answer with its result; the same act asked again has the same result.

        Raises the DomainError that refuses it, ActPending when the outcome is not known in time,
        EngineUnavailable when the engine does not answer, EngineHasNoCaseError when it carries no such case.
        """
        try:
            async with self._calling():
                return await self._handle(update_id).execute_update(  # pyright: ignore[reportUnknownMemberType]  an overload of the SDK
                    act.kind.value,
                    act,
                    id=act_update_id(act.act_id),
                    result_type=ActResult,
                )
        except WorkflowUpdateFailedError as failure:
            raise _refusal(failure.cause) from failure
        except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as fault:
            await self.ping()  # an engine that is not there has been handed nothing
            raise ActPending("The act has been handed to the engine, which has not answered yet.") from fault
        except (RPCError, RuntimeError) as fault:
            raise _fault(fault) from fault

    async def live(self, update_id: UUID) -> LiveCase:
        """The workflow's own answer to where it stands. Raises EngineUnavailable or EngineHasNoCaseError."""
        try:
            async with self._calling():
                return await self._handle(update_id).query("live", result_type=LiveCase)
        except (RPCError, TimeoutError, RuntimeError, WorkflowQueryFailedError) as fault:
            raise _fault(fault) from fault

    async def find_run(self, update_id: UUID) -> EngineRun | None:
        """What the engine holds of a case, also where it has ended; None when it holds nothing.

        Raises EngineUnavailable, also for an engine that does not know the namespace: what it lacks proves nothing.
        """
        try:
            async with self._calling():
                found = await self._handle(update_id).describe()
        except (RPCError, TimeoutError, RuntimeError) as fault:
            if _is_unknown_workflow(fault):
                return None
            raise _unavailable() from fault
        return EngineRun(
            status="unknown" if found.status is None else found.status.name.lower(),
            open=found.status is WorkflowExecutionStatus.RUNNING,
            run_id=found.run_id,
            first_run_id=found.raw_description.workflow_execution_info.first_run_id or found.run_id,
            started_at=found.start_time,
            closed_at=found.close_time,
        )

    async def tell_ministry_answered(self, update_id: UUID, message: MinistryAnswered) -> None:
        """Signal that the Ministry's answer is there. Raises EngineUnavailable or EngineHasNoCaseError."""
        await self._signal(update_id, "ministry_answered", message)

    async def tell_deadline_moved(self, update_id: UUID, message: DeadlineMoved) -> None:
        """Signal that a deadline has become earlier. Raises EngineUnavailable or EngineHasNoCaseError."""
        await self._signal(update_id, "deadline_moved", message)

    async def open_payloads(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads of histories in the clear, without asking the engine; what does not open is marked as such."""
        return await open_each(self._client.data_converter.payload_codec, payloads)

    async def ping(self) -> None:
        """Raise EngineUnavailable when the engine does not answer, at once when that is known already."""
        if self.breaker.open:
            raise _unavailable()
        try:
            await self._probe()
        except (RPCError, TimeoutError, RuntimeError) as fault:
            self.breaker.trip()
            raise _unavailable() from fault

    async def close(self) -> None:
        """Ask no longer whether the engine is back."""
        await self.breaker.close()

    @asynccontextmanager
    async def _calling(self, within: timedelta | None = None) -> AsyncGenerator[None]:
        """A call that takes no longer than it may, not even tried while the engine is known to be away."""
        if self.breaker.refuses():
            raise _unavailable()
        try:
            async with asyncio.timeout((within or self._patience).total_seconds()):
                yield
        except (RPCError, TimeoutError, RuntimeError) as fault:
            if not isinstance(fault, RPCError) or fault.status in _AWAY:
                self.breaker.suspect()
            raise

    async def _probe(self) -> None:
        """Ask for something that there is not: an engine that can say so has its database, too."""
        asked = DescribeWorkflowExecutionRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=_PROBE),
        )
        try:
            async with asyncio.timeout(_PROBE_PATIENCE.total_seconds()):
                await self._client.workflow_service.describe_workflow_execution(asked)
        except RPCError as fault:
            if fault.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _signal(self, update_id: UUID, name: str, message: MinistryAnswered | DeadlineMoved) -> None:
        try:
            async with self._calling():
                await self._handle(update_id).signal(name, message)
        except (RPCError, TimeoutError, RuntimeError) as fault:
            raise _fault(fault) from fault

    def _handle(self, update_id: UUID) -> WorkflowHandle[Any, Any]:
        return self._client.get_workflow_handle(workflow_id(update_id))


def _is_unknown_workflow(fault: BaseException) -> bool:
    if not isinstance(fault, RPCError) or fault.status is not RPCStatusCode.NOT_FOUND:
        return False
    return not any(detail.type_url.endswith(_NO_NAMESPACE) for detail in fault.grpc_status.details)


def _unavailable() -> EngineUnavailable:
    return EngineUnavailable("The workflow engine does not answer.")


def _fault(fault: BaseException) -> Exception:
    if isinstance(fault, RPCError) and fault.status is RPCStatusCode.NOT_FOUND:
        return EngineHasNoCaseError()
    return _unavailable()


def _refusal(cause: BaseException | None) -> Exception:
    """The refusal as it was raised on the other side; what is none stays a defect."""
    if not isinstance(cause, ApplicationError) or cause.type is None:
        return RuntimeError(f"the engine failed an act: {cause!r}")
    if cause.type in _FORGOTTEN:
        return EngineHasNoCaseError()
    details: dict[str, Any] = cause.details[0] if cause.details else {}
    if cause.type == InvalidInput.code:
        return InvalidInput([Violation(**item) for item in details["violations"]], detail=cause.message)
    refusal = REFUSALS.get(cause.type)
    if refusal is None:
        return RuntimeError(f"the engine failed an act with the unknown code {cause.type!r}")
    return refusal(cause.message, **details)
