"""Acts that end a wait: decide, resubmit, withdraw. Checked and written down here, carried out by the engine.

The same is asked again under the lock of the case by whoever records the act (`activities/casework/acts.py`);
asking here first answers at once what can be answered, in the words of the person's own view.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories.cases import CaseRecord, read_case
from db.repositories.ground_checks import with_touches
from db.repositories.idempotency import KeyedAct, read_act
from db.repositories.minutes import find_held
from db.repositories.people import read_names
from db.repositories.registry import read_version
from db.repositories.situations import TaskInView, read_task_in_view
from db.repositories.tasks import TaskRecord, find_last_task, find_open_task, fired_rungs, read_task, read_votes
from db.session import Viewer
from domain.authority import Permission, deciding_seat
from domain.contracts import Act, ActKind, ActResult, StepTaken
from domain.decisions import DecisionInput, OpinionInput, check_decision, names_record
from domain.errors import (
    ActPending,
    CaseClosed,
    EngineUnavailable,
    InvalidInput,
    NotPossibleNow,
    TaskAlreadyDecided,
    Violation,
)
from domain.ground_checks import awaited
from domain.household import Household
from domain.ladder import stage_rule
from domain.lifecycle import Happening, Position, awaiting, move, send_back
from domain.quorum import refuse_second_vote
from domain.requests import (
    CaseRequest,
    CorrectionRequest,
    DecisionRequest,
    EscalationRequest,
    ResubmissionInput,
    ResubmissionRequest,
    WithdrawalInput,
    WithdrawalRequest,
)
from domain.supervision import CorrectionInput, EscalationInput, escalating_seat
from domain.vocabulary import Stage
from runtime.engine import EngineHasNoCaseError
from services.kawal import Kawal
from services.keyed import Call, remember
from services.submit import check_proposal
from services.versions import require_version


@dataclass(frozen=True, slots=True)
class Acted:
    """What an act led to, and whether it had been carried out before."""

    result: ActResult
    replayed: bool


async def decide(kawal: Kawal, call: Call, task_id: UUID, decision: DecisionInput) -> Acted:
    """Decide a task, once.

    Raises NotFound outside the actor's areas, TaskAlreadyDecided with who was first, CaseClosed, Forbidden,
    SeparationOfDuties, StaleVersion, InvalidInput; EngineUnavailable and ActPending, after which the same call
    may be made again.
    """
    return await act_on_task(
        kawal,
        call,
        task_id,
        DecisionRequest(body=decision),
        kind=ActKind.DECIDE,
        route="decision",
        check=lambda connection, seen: _check_decision(kawal, connection, call, seen, decision),
    )


async def give_opinion(kawal: Kawal, call: Call, update_id: UUID, opinion: OpinionInput) -> Acted:
    """Say what one's office holds to be right in a conflict.

    Raises as `decide` does, and NotPossibleNow where none is heard.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        await read_case(connection, update_id)
        task_id = await find_last_task(connection, update_id, Stage.OPINION)
    if task_id is None:
        raise NotPossibleNow("No opinion is asked for: the case is in no conflict.")
    decision = opinion.decision()
    return await act_on_task(
        kawal,
        call,
        task_id,
        DecisionRequest(body=decision),
        kind=ActKind.DECIDE,
        route="opinion",
        check=lambda connection, seen: _check_decision(kawal, connection, call, seen, decision),
    )


async def escalate(kawal: Kawal, call: Call, task_id: UUID, order: EscalationInput) -> Acted:
    """Have the next rung of the task's ladder fire now. Raises as `decide` does, and NotPossibleNow past the last."""
    return await act_on_task(
        kawal,
        call,
        task_id,
        EscalationRequest(body=order),
        kind=ActKind.ESCALATE,
        route="escalation",
        check=lambda connection, seen: _check_escalation(kawal, connection, call, seen),
    )


async def resubmit(kawal: Kawal, call: Call, update_id: UUID, repair: ResubmissionInput) -> Acted:
    """Send a returned update in again. Raises as `decide` does, and NotPossibleNow when it has not been returned."""
    async with _asking(kawal, call) as connection:
        case = await read_case(connection, update_id)
        call.actor.seat_for(Permission.UPDATES_REPAIR, area_code=case.area_code)
        keyed = await remember(
            connection,
            call,
            ResubmissionRequest(body=repair),
            route=f"POST /v1/updates/{update_id}/resubmission",
            vault=kawal.vault,
            update_id=update_id,
        )
        task = await find_open_task(connection, update_id)
        if keyed.response is None:
            await _check_repair(kawal, connection, call, case, task, repair)
    act = Act(act_id=keyed.id, kind=ActKind.RESUBMIT, task_id=task and task.id)
    return await _carry_out(kawal, call, keyed, act, update_id=update_id)


async def withdraw(kawal: Kawal, call: Call, update_id: UUID, withdrawal: WithdrawalInput) -> Acted:
    """Take an update back. Raises as `decide` does, and NotPossibleNow once it is being delivered."""
    return await _act_on_case(
        kawal,
        call,
        update_id,
        WithdrawalRequest(body=withdrawal),
        kind=ActKind.WITHDRAW,
        route="withdrawal",
        permission=Permission.UPDATES_WITHDRAW,
        judge=lambda position: move(position, Happening.WITHDRAWN),
    )


async def correct(kawal: Kawal, call: Call, update_id: UUID, order: CorrectionInput) -> Acted:
    """Send a stuck case back to a stage. Raises as `decide` does, and NotPossibleNow for one it has not come to."""
    return await _act_on_case(
        kawal,
        call,
        update_id,
        CorrectionRequest(body=order),
        kind=ActKind.CORRECT,
        route="correction",
        permission=Permission.CASES_CORRECT,
        judge=lambda position: send_back(position, to=order.to),
    )


async def act_on_task(
    kawal: Kawal,
    call: Call,
    task_id: UUID,
    request: CaseRequest,
    *,
    kind: ActKind,
    route: str,
    check: Callable[[AsyncConnection, TaskInView], Awaitable[None]],
) -> Acted:
    """Write down what is asked of a task, once `check` lets it pass, and have it carried out."""
    async with _asking(kawal, call) as connection:
        seen = await read_task_in_view(connection, task_id)
        update_id = seen.task.update_id
        named = f"POST /v1/tasks/{task_id}/{route}"
        keyed = await remember(connection, call, request, route=named, vault=kawal.vault, update_id=update_id)
        if keyed.response is None:
            await check(connection, seen)
    act = Act(act_id=keyed.id, kind=kind, task_id=task_id)
    return await _carry_out(kawal, call, keyed, act, update_id=update_id)


async def _act_on_case(
    kawal: Kawal,
    call: Call,
    update_id: UUID,
    request: CaseRequest,
    *,
    kind: ActKind,
    route: str,
    permission: Permission,
    judge: Callable[[Position], object],
) -> Acted:
    """Write down what is asked of a case by who has the permission, once `judge` lets it pass; have it carried out."""
    async with _asking(kawal, call) as connection:
        case = await read_case(connection, update_id)
        call.actor.seat_for(permission, area_code=case.area_code)
        named = f"POST /v1/updates/{update_id}/{route}"
        keyed = await remember(connection, call, request, route=named, vault=kawal.vault, update_id=update_id)
        if keyed.response is None:
            require_version(call.holds, case.version)
            judge(case.position(await kawal.rules.policy(connection, case.policy_version_id)))
    act = Act(act_id=keyed.id, kind=kind)
    return await _carry_out(kawal, call, keyed, act, update_id=update_id)


@asynccontextmanager
async def _asking(kawal: Kawal, call: Call) -> AsyncGenerator[AsyncConnection]:
    """A transaction of the actor; whoever was first on a task is named."""
    async with naming(kawal, call), kawal.database.transaction(Viewer.of(call.actor)) as connection:
        yield connection


@asynccontextmanager
async def naming(kawal: Kawal, call: Call) -> AsyncGenerator[None]:
    """Give the refusal of a decided task the name of whoever decided it."""
    try:
        yield
    except TaskAlreadyDecided as refusal:
        decider = refusal.data.get("decided_by")
        if decider is not None:
            async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
                names = await read_names(connection, [UUID(decider)])
            refusal.data["decided_by_name"] = names.get(UUID(decider))
        raise


def require_open(task: TaskRecord) -> None:
    """Raise TaskAlreadyDecided or NotPossibleNow when the work has been done, or is no longer asked for."""
    if task.stage is Stage.OPINION and not task.open:
        raise NotPossibleNow("The opinions have been heard; the conflict is with whoever decides it.")
    if task.decided_at is not None and task.status == "decided":
        raise already_decided(task)
    if not task.open:
        raise NotPossibleNow("This task is no longer open.")


def already_decided(task: TaskRecord) -> TaskAlreadyDecided:
    """The refusal of a task that is decided, with who, what and when."""
    return TaskAlreadyDecided(
        "This task has been decided.",
        data={
            "task_id": str(task.id),
            "update_id": str(task.update_id),
            "decided_by": task.decided_by and str(task.decided_by),
            "decided_at": task.decided_at and task.decided_at.isoformat(),
            "outcome": task.outcome,
        },
    )


async def _check_decision(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    seen: TaskInView,
    decision: DecisionInput,
) -> None:
    task, case, standing = seen
    policy = await kawal.rules.policy(connection, case.policy_version_id)
    if case.stage is Stage.GROUND_CHECK and task.status != "decided":
        raise awaited(awaiting(case.position(policy)))
    require_open(task)
    deciding_seat(
        call.actor,
        area_code=task.area_code,
        stage=task.stage,
        grants=standing.grants,
        involvements=standing.involvements,
    )
    require_version(call.holds, task.version)
    rule = stage_rule(policy, task.stage, settled=case.settled, contested=case.contested)
    if rule.quorum != "any":
        refuse_second_vote(call.actor.person, await read_votes(connection, task.id))
    held = None
    if decision.minutes is not None and names_record(decision, rule=rule, policy=policy):
        held = await find_held(connection, decision.minutes, update_id=case.id)
    violations = check_decision(decision, rule=rule, policy=policy, held=held)
    if violations:
        raise InvalidInput(violations)


async def _check_escalation(kawal: Kawal, connection: AsyncConnection, call: Call, seen: TaskInView) -> None:
    task, case, standing = seen
    require_open(task)
    policy = await kawal.rules.policy(connection, case.policy_version_id)
    escalating_seat(
        call.actor,
        area_code=task.area_code,
        rule=stage_rule(policy, task.stage, settled=case.settled, contested=case.contested),
        grants=standing.grants,
        involvements=await with_touches(connection, standing.involvements, task_id=task.id, stage=task.stage),
        fired=await fired_rungs(connection, task.id),
    )
    require_version(call.holds, task.version)


async def _check_repair(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    case: CaseRecord,
    task: TaskRecord | None,
    repair: ResubmissionInput,
) -> None:
    if task is None or task.stage is not Stage.REPAIR:
        move(case.position(await kawal.rules.policy(connection, case.policy_version_id)), Happening.RESUBMITTED)
        raise NotPossibleNow("The update is on its way to be repaired; its task is not open yet.")
    require_version(call.holds, case.version)
    violations = [_other_kind(case)] if repair.change.kind is not case.kind else []
    violations += await check_proposal(
        kawal,
        connection,
        repair.change,
        evidence=repair.evidence,
        base=await _base_of(kawal, connection, case),
        area_code=case.area_code,
        call=call,
        case=case,
    )
    if violations:
        raise InvalidInput(violations)


def _other_kind(case: CaseRecord) -> Violation:
    return Violation(
        pointer="/change/kind",
        code="kind_differs",
        detail=f"This update is of the kind {case.kind.value}, and a repair does not change that.",
        remedy="Send the same kind of change, or withdraw this update and submit another.",
    )


async def _base_of(kawal: Kawal, connection: AsyncConnection, case: CaseRecord) -> Household | None:
    if case.household_id is None or case.base_version is None:
        return None
    return await read_version(connection, case.household_id, case.base_version, vault=kawal.vault)


async def _carry_out(kawal: Kawal, call: Call, keyed: KeyedAct, act: Act, *, update_id: UUID) -> Acted:
    """Have the engine carry the act out, with no connection held meanwhile."""
    if keyed.response is not None:
        return Acted(_stored_result(keyed), replayed=True)
    try:
        async with naming(kawal, call):
            return Acted(await _ask_engine(kawal, call, act, update_id=update_id), replayed=False)
    except (ActPending, EngineUnavailable) as passing:
        passing.data |= {"update_id": str(update_id), "idempotency_key": call.key}
        raise


async def _ask_engine(kawal: Kawal, call: Call, act: Act, *, update_id: UUID) -> ActResult:
    try:
        return await kawal.engine.act(update_id, act)
    except EngineHasNoCaseError:
        return await _without_engine(kawal, call, act, update_id=update_id)


async def _without_engine(kawal: Kawal, call: Call, act: Act, *, update_id: UUID) -> ActResult:
    """The engine carries no such case: either it has ended, perhaps by this very act, or it has not begun."""
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        keyed = await read_act(connection, act.act_id)
        if keyed.response is not None:
            return _stored_result(keyed)
        if act.task_id is not None:
            task = await read_task(connection, act.task_id)
            if not task.open:
                require_open(task)
        case = await read_case(connection, update_id)
        if case.position(await kawal.rules.policy(connection, case.policy_version_id)).closed:
            raise CaseClosed(f"The case is {case.status.value}.")
    raise EngineUnavailable("The workflow engine has not taken this case up yet.")


def _stored_result(keyed: KeyedAct) -> ActResult:
    result = StepTaken.model_validate(keyed.response).result
    if result is None:
        raise RuntimeError(f"the answer of act {keyed.id} holds no result")
    return result
