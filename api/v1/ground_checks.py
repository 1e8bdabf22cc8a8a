"""Ground checks: asked for, reported on and corrected; and where the villages are."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from api.deps import ActorDep, HeldVersions, IdempotencyKey, KawalDep, requires
from api.openapi import PENDING
from api.v1.acts import ActAnswer, CallDep, answer_of
from domain.areas import AreaCode
from domain.ground_checks import GroundCheckOrder, GroundReportInput
from domain.permissions import Permission
from services import ground_checks
from services.ground_checks import PointInput
from services.keyed import Call, Created

router = APIRouter(tags=["ground checks"])


@router.post("/tasks/{task_id}/ground-check", responses=PENDING, dependencies=[requires(Permission.TASKS_WORK)])
async def ask_for_ground_check(
    task_id: UUID,
    order: GroundCheckOrder,
    call: CallDep,
    kawal: KawalDep,
    response: Response,
) -> ActAnswer:
    """Have somebody who has not touched the case look in the field before this task is decided.

    For who could decide the task, or manages it, where the policy says so; once for each revision. The task is put
    aside, and a new one with a time of its own opens when it is reported what was found.
    """
    return answer_of(response, call, await ground_checks.ask(kawal, call, task_id, order))


@router.post("/tasks/{task_id}/ground-check-report", responses=PENDING, dependencies=[requires(Permission.TASKS_WORK)])
async def report_from_the_field(
    task_id: UUID,
    found: GroundReportInput,
    call: CallDep,
    kawal: KawalDep,
    response: Response,
) -> ActAnswer:
    """Report what was found in the field, once: where you stood, when, and photos that you uploaded before.

    Of two who report at once, one does; the other is told who. The case goes on to the stage that waits for it.
    """
    return answer_of(response, call, await ground_checks.report(kawal, call, task_id, found))


@router.post(
    "/updates/{update_id}/ground-reports/{report_id}/correction",
    status_code=201,
    dependencies=[requires(Permission.TASKS_WORK)],
)
async def correct_report_from_the_field(
    update_id: UUID,
    report_id: UUID,
    found: GroundReportInput,
    key: IdempotencyKey,
    holds: HeldVersions,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> Created:
    """Report anew what you reported wrongly, while the case is open. The former report stays, superseded."""
    call = Call(actor=actor, key=key, at=kawal.now(), holds=holds)
    corrected, replayed = await ground_checks.correct(kawal, call, update_id, report_id, found)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    response.headers["Location"] = f"/v1/updates/{update_id}"
    return corrected


@router.post("/areas/{code}/reference-point", status_code=201, dependencies=[requires(Permission.AREAS_LOCATE)])
async def record_reference_point(
    code: AreaCode,
    point: PointInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> Created:
    """Record where an area is known to be, such as its village office: distances are measured from the last one."""
    call = Call(actor=actor, key=key, at=kawal.now())
    recorded, replayed = await ground_checks.locate(kawal, call, code, point)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    response.headers["Location"] = f"/v1/areas/{code}"
    return recorded
