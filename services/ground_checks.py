"""Ground checks: asked for, reported on and corrected by people; and where the villages are that they are made in."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, JsonValue
from sqlalchemy import Row, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AreaPoint
from db.repositories import trail
from db.repositories.cases import CaseRecord, add_finding, lock_case, touch_case
from db.repositories.evidence import bind_evidence, captures_of, check_photos, files_in_trail, photos_named
from db.repositories.ground_checks import (
    NewReport,
    add_report,
    find_point,
    find_report,
    read_check,
    read_filed,
    with_touches,
)
from db.repositories.situations import TaskInView
from db.repositories.tasks import find_open_task, notify, read_grants
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Permission, Seat, deciding_seat
from domain.contracts import ActKind
from domain.errors import CaseClosed, Forbidden, InvalidInput, NotFound, NotPossibleNow, Violation
from domain.evidence import Naming
from domain.ground_checks import (
    GroundCheckOrder,
    GroundReportInput,
    check_report,
    content_of,
    is_far,
    outside_indonesia,
    requesting_seat,
    require_requestable,
)
from domain.ids import new_id
from domain.ladder import stage_rule
from domain.places import Place
from domain.policy import GroundChecksRule, Policy, Power
from domain.requests import GroundCheckRequest, GroundReportRequest
from domain.text import ShortText
from domain.vocabulary import Stage
from services.acts import Acted, act_on_task, require_open
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.people.areas import unknown_area
from services.versions import require_version


class PointInput(Place):
    """Where an area is known to be, and by what: `source` is told to whoever reads a distance."""

    source: Annotated[ShortText, Field(examples=["Kantor desa, GPS 2026"])]


async def ask(kawal: Kawal, call: Call, task_id: UUID, order: GroundCheckOrder) -> Acted:
    """Have somebody look in the field before the task is decided. Raises as `services.acts.decide` does."""
    return await act_on_task(
        kawal,
        call,
        task_id,
        GroundCheckRequest(body=order),
        kind=ActKind.DECIDE,
        route="ground-check",
        check=lambda connection, seen: _check_order(kawal, connection, call, seen),
    )


async def report(kawal: Kawal, call: Call, task_id: UUID, found: GroundReportInput) -> Acted:
    """Report what was found in the field, once. Raises as `services.acts.decide` does."""
    return await act_on_task(
        kawal,
        call,
        task_id,
        GroundReportRequest(body=found),
        kind=ActKind.DECIDE,
        route="ground-check-report",
        check=lambda connection, seen: _check_found(kawal, connection, call, seen, found),
    )


async def _check_order(kawal: Kawal, connection: AsyncConnection, call: Call, seen: TaskInView) -> None:
    task, case, standing = seen
    require_open(task)
    policy = await kawal.rules.policy(connection, case.policy_version_id)
    requesting_seat(
        call.actor,
        area_code=task.area_code,
        rule=stage_rule(policy, task.stage, settled=case.settled, contested=case.contested),
        grants=standing.grants,
        involvements=standing.involvements,
    )
    require_version(call.holds, task.version)
    filed = await read_filed(connection, case.id)
    require_requestable(policy.ground_checks, task.stage, filed=filed, revision=case.revision)


async def _check_found(
    kawal: Kawal, connection: AsyncConnection, call: Call, seen: TaskInView, found: GroundReportInput
) -> None:
    task, case, standing = seen
    require_open(task)
    if task.stage is not Stage.GROUND_CHECK:
        raise NotPossibleNow("No report from the field is asked for in this task.")
    deciding_seat(
        call.actor,
        area_code=task.area_code,
        stage=task.stage,
        grants=standing.grants,
        involvements=await with_touches(connection, standing.involvements, task_id=task.id, stage=task.stage),
    )
    require_version(call.holds, task.version)
    policy = await kawal.rules.policy(connection, case.policy_version_id)
    await _require_good(connection, call, case, _rule(policy), found, check=await read_check(connection, task.id))


async def _require_good(
    connection: AsyncConnection,
    call: Call,
    case: CaseRecord,
    rule: GroundChecksRule,
    found: GroundReportInput,
    *,
    check: Row[*tuple[Any, ...]],
) -> None:
    violations = check_report(found, rule=rule, asked_at=check.asked_at, now=call.at)
    violations += await check_photos(connection, found.photos, _naming(call, case))
    if violations:
        raise InvalidInput(violations)


def _naming(call: Call, case: CaseRecord) -> Naming:
    return Naming(call.actor.user_id, case.area_code, case.id, case.earlier)


def _rule(policy: Policy) -> GroundChecksRule:
    if policy.ground_checks is None:
        raise NotPossibleNow("The policy of the case knows no ground checks.")
    return policy.ground_checks


async def correct(
    kawal: Kawal, call: Call, update_id: UUID, report_id: UUID, found: GroundReportInput
) -> tuple[Created, bool]:
    """Report anew what was reported wrongly, once for each key; the former report stays, superseded.

    For whoever filed it, while the case is open. Raises NotFound, Forbidden, CaseClosed, StaleVersion, InvalidInput,
    NotPossibleNow for a report that was superseded, IdempotencyKeyReused.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        case = await lock_case(connection, update_id)
        seat = call.actor.seat_for(Permission.TASKS_WORK, area_code=case.area_code)
        before = await find_report(connection, report_id)
        if before is None or before.update_id != update_id:
            raise NotFound("This case has no such report from the field.")

        async def write() -> Created:
            policy = await kawal.rules.policy(connection, case.policy_version_id)
            _require_correctable(call, case, policy, before)
            return await _supersede(kawal, connection, call, seat, case, _rule(policy), before, found)

        route = f"POST /v1/updates/{update_id}/ground-reports/{report_id}/correction"
        return await once(connection, call, found, write, answer=Created, route=route, vault=kawal.vault)


def _require_correctable(call: Call, case: CaseRecord, policy: Policy, before: Row[*tuple[Any, ...]]) -> None:
    if not call.actor.person.has(before.filed_by):
        raise Forbidden(
            "Only whoever was in the field corrects what they have reported.",
            remedy="Ask them to, or ask for another ground check.",
        )
    if case.position(policy).closed:
        raise CaseClosed(f"The case is {case.status.value}.")
    if before.superseded_by is not None:
        raise NotPossibleNow("This report has been superseded.", remedy=f"Correct {before.superseded_by}.")
    require_version(call.holds, case.version)


async def _supersede(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    seat: Seat,
    case: CaseRecord,
    rule: GroundChecksRule,
    before: Row[*tuple[Any, ...]],
    found: GroundReportInput,
) -> Created:
    await _require_good(connection, call, case, rule, found, check=before)
    naming, at = _naming(call, case), call.at
    photos = photos_named(found.photos)
    files = await bind_evidence(connection, photos, naming, update_id=case.id, revision=case.revision, at=at)
    content = content_of(
        found,
        point=await find_point(connection, case.area_code),
        captures=await captures_of(connection, found.photos, vault=kawal.vault),
    )
    new = NewReport(
        id=new_id(),
        check_id=before.check_id,
        update_id=case.id,
        area_code=case.area_code,
        far=is_far(content, rule),
        by=Doer.of(call.actor, seat),
        at=at,
        supersedes=before.id,
    )
    await add_report(connection, found, content, new, vault=kawal.vault)
    if new.far and not before.far:
        await add_finding(connection, case.id, new.far_finding())
    await _tell(connection, case, new, found, files=files_in_trail(files))
    return Created(id=new.id)


async def _tell(
    connection: AsyncConnection, case: CaseRecord, new: NewReport, found: GroundReportInput, *, files: list[JsonValue]
) -> None:
    """The trail tells it, and whoever has the case now is told."""
    told: dict[str, JsonValue] = {**new.told(found), "supersedes": str(new.supersedes), "files": files}
    entry = Entry(type=AuditType.UPDATE_GROUND_REPORT_CORRECTED, by=new.by, data=told)
    await touch_case(connection, case.id)
    await trail.record(connection, stream_of_update(case.id), [entry], at=new.at, area_code=case.area_code)
    task = await find_open_task(connection, case.id)
    grants = [] if task is None else await read_grants(connection, task.id)
    await notify(
        connection,
        "ground_report_corrected",
        update_id=case.id,
        task_id=None if task is None else task.id,
        area_code=case.area_code,
        at=new.at,
        roles=sorted({grant.role for grant in grants if grant.power is Power.DECIDE}),
    )


async def locate(kawal: Kawal, call: Call, area_code: str, point: PointInput) -> tuple[Created, bool]:
    """Record where an area is known to be, once for each key; from then on distances are measured from there.

    Raises NotFound outside the actor's areas, Forbidden, InvalidInput, IdempotencyKeyReused.
    """
    seat = call.actor.seat_for(Permission.AREAS_LOCATE, area_code=area_code)
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:

        async def write() -> Created:
            violations: list[Violation] = await unknown_area(connection, area_code)
            if not point.in_indonesia:
                violations.append(outside_indonesia(""))
            if violations:
                raise InvalidInput(violations)
            return await _record_point(connection, call, seat, area_code, point)

        route = f"POST /v1/areas/{area_code}/reference-point"
        return await once(connection, call, point, write, answer=Created, route=route, vault=kawal.vault)


async def _record_point(
    connection: AsyncConnection, call: Call, seat: Seat, area_code: str, point: PointInput
) -> Created:
    point_id = new_id()
    await connection.execute(
        insert(AreaPoint).values(
            id=point_id,
            area_code=area_code,
            latitude=point.latitude,
            longitude=point.longitude,
            source=point.source,
            recorded_by=call.actor.user_id,
            role=seat.role.value,
            office_id=seat.office_id,
            recorded_at=call.at,
        ),
    )
    told: dict[str, JsonValue] = {"point": str(point_id), "source": point.source}
    entry = Entry(type=AuditType.AREA_LOCATED, by=Doer.of(call.actor, seat), data=told)
    await trail.record(connection, f"area:{area_code}", [entry], at=call.at, area_code=area_code)
    return Created(id=point_id)
