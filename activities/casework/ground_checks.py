"""Ground checks as people have to do with them: an officer asks for one, and whoever has looked reports."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import JsonValue

from activities.casework.ladder import rule_of
from activities.casework.work import Work
from db.repositories.cases import Standing, add_finding
from db.repositories.evidence import bind_evidence, captures_of, check_photos, files_in_trail, photos_named
from db.repositories.ground_checks import (
    AskedCheck,
    NewReport,
    add_report,
    find_point,
    read_check,
    read_filed,
    with_touches,
)
from db.repositories.tasks import TaskRecord
from db.repositories.trail import Doer
from domain.audit import AuditType
from domain.authority import Actor, Seat, deciding_seat
from domain.errors import InvalidInput, NotPossibleNow
from domain.evidence import Naming
from domain.ground_checks import (
    GroundCheckOrder,
    GroundReportInput,
    check_report,
    content_of,
    is_far,
    requesting_seat,
    require_requestable,
)
from domain.policy import BY_HAND, GroundChecksRule
from domain.vocabulary import Stage


async def ask_check(
    work: Work, actor: Actor, task: TaskRecord, standing: Standing, order: GroundCheckOrder
) -> AskedCheck:
    """What an officer asks for before deciding `task`, or somebody who manages it; raises the refusal."""
    seat = requesting_seat(
        actor,
        area_code=task.area_code,
        rule=rule_of(work, task.stage),
        grants=standing.grants,
        involvements=standing.involvements,
    )
    filed = await read_filed(work.connection, work.case.id)
    require_requestable(work.policy.ground_checks, task.stage, filed=filed, revision=work.case.revision)
    return AskedCheck(task.stage, frozenset({BY_HAND}), order, Doer.of(actor, seat))


async def file_report(
    work: Work, actor: Actor, task: TaskRecord, standing: Standing, report: GroundReportInput, *, report_id: UUID
) -> Seat:
    """Keep what was found in the field, with its photos; the seat in which it was looked. Raises the refusal."""
    rule = work.policy.ground_checks
    if task.stage is not Stage.GROUND_CHECK or rule is None:
        raise NotPossibleNow("No report from the field is asked for in this task.")
    seat = deciding_seat(
        actor,
        area_code=task.area_code,
        stage=task.stage,
        grants=standing.grants,
        involvements=await with_touches(work.connection, standing.involvements, task_id=task.id, stage=task.stage),
    )
    check = await read_check(work.connection, task.id)
    violations = check_report(report, rule=rule, asked_at=check.asked_at, now=work.at)
    naming = Naming(actor.user_id, work.case.area_code, work.case.id, work.case.earlier)
    violations += await check_photos(work.connection, report.photos, naming)
    if violations:
        raise InvalidInput(violations)
    files = await _bind(work, report, naming)
    await _keep(work, rule, task, report, check_id=check.id, report_id=report_id, by=Doer.of(actor, seat), files=files)
    await work.tell(
        "ground_checked",
        roles=work.policy.stage(Stage(check.gates)).deciders,
        user_ids=() if check.requested_by is None else (check.requested_by,),
    )
    return seat


async def _bind(work: Work, report: GroundReportInput, naming: Naming) -> list[JsonValue]:
    bound = await bind_evidence(
        work.connection,
        photos_named(report.photos),
        naming,
        update_id=work.case.id,
        revision=work.case.revision,
        at=work.at,
    )
    return files_in_trail(bound)


async def _keep(
    work: Work,
    rule: GroundChecksRule,
    task: TaskRecord,
    report: GroundReportInput,
    *,
    check_id: UUID,
    report_id: UUID,
    by: Doer,
    files: list[JsonValue],
) -> None:
    content = content_of(
        report,
        point=await find_point(work.connection, work.case.area_code),
        captures=await captures_of(work.connection, report.photos, vault=work.vault),
    )
    new = NewReport(
        id=report_id,
        check_id=check_id,
        update_id=work.case.id,
        area_code=work.case.area_code,
        far=is_far(content, rule),
        by=by,
        at=work.at,
    )
    await add_report(work.connection, report, content, new, vault=work.vault)
    if new.far:
        await add_finding(work.connection, work.case.id, new.far_finding())
    told: dict[str, Any] = new.told(report)
    work.note(AuditType.UPDATE_GROUND_CHECKED, by=by, task=str(task.id), files=files, **told)
