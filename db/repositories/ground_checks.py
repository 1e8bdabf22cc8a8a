"""Ground checks: asked for, reported on, corrected; and where villages are known to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ARRAY, Row, Text, bindparam, exists, insert, select, text
from sqlalchemy import Uuid as UuidType
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from db.models import AreaPoint, Decision, GroundCheck, GroundReport
from db.repositories.tasks import TaskRecord
from db.repositories.trail import Doer, stream_of_update
from db.vault import Vault
from domain.audit import AuditType
from domain.authority import Involvement
from domain.disputes import Answer
from domain.ground_checks import (
    FiledCheck,
    GroundCheckOrder,
    GroundContent,
    GroundReportInput,
    ReferencePoint,
    check_note_context,
    report_context,
)
from domain.ids import new_id
from domain.places import Place
from domain.vocabulary import Outcome, ReasonCode, Stage

_READING: Final = (AuditType.UPDATE_READ_UNMASKED.value, AuditType.UPDATE_ERASED.value)
_TAKING_UP: Final = (AuditType.TASK_CLAIMED.value, AuditType.TASK_RELEASED.value)
# Whoever stands in the trail by then, but for having read, or for having taken up a check that came to nothing.
_ADD_CHECK: Final = text("""
INSERT INTO ground_checks (id, task_id, update_id, area_code, revision, gates, triggers, touched_by, requested_by,
    on_behalf_of, reason, note, asked_at)
SELECT :id, :task_id, :update_id, :area_code, :revision, :gates, :triggers, ARRAY(
        SELECT DISTINCT who FROM audit_events e, unnest(ARRAY[e.actor_id, e.on_behalf_of]) AS who
        WHERE e.stream = ANY (:streams) AND who IS NOT NULL AND e.type <> ALL (:reading)
          AND NOT (e.type = ANY (:taking_up) AND e.data ->> 'stage' = 'ground_check')
    ) || :present, :requested_by, :on_behalf_of, :reason, :note, :asked_at
""").bindparams(
    *(bindparam(name, type_=UuidType()) for name in ("id", "task_id", "update_id", "requested_by", "on_behalf_of")),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("triggers", "streams", "reading", "taking_up")),
    bindparam("present", type_=ARRAY(UuidType())),
)
_LATER = aliased(GroundReport)
_STANDS = ~exists().where(_LATER.supersedes == GroundReport.id)


@dataclass(frozen=True, slots=True)
class AskedCheck:
    """A ground check as it is asked for: before which stage, by which triggers, and by whom where by hand."""

    gates: Stage
    triggers: frozenset[str]
    order: GroundCheckOrder | None = None
    by: Doer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """What a report is beside its content: of which check, by whom, when, and in whose place where it corrects one."""

    id: UUID
    check_id: UUID
    update_id: UUID
    area_code: str
    far: bool | None
    by: Doer
    at: datetime
    supersedes: UUID | None = None

    def far_finding(self) -> dict[str, Any]:
        """How the case shows that it was made far from the village."""
        return {"code": "ground_check_far", "report": str(self.id), "since": self.at.isoformat()}

    def told(self, report: GroundReportInput) -> dict[str, JsonValue]:
        """What the trail says of it: no value and no place."""
        return {
            "report": str(self.id),
            "outcome": report.outcome.value,
            "differs": [*report.differs],
            "far": self.far,
        }


async def add_check(
    connection: AsyncConnection,
    task: TaskRecord,
    asked: AskedCheck,
    *,
    earlier: Iterable[UUID],
    present: Iterable[UUID],
    vault: Vault,
) -> UUID:
    """Write down why somebody looks, and who had had to do with the case; `present` are those who do at this moment.

    To the case belong the `earlier` ones that it carries on.
    """
    check_id = new_id()
    streams = [stream_of_update(case) for case in (task.update_id, *earlier)]
    order = asked.order
    await connection.execute(
        _ADD_CHECK,
        {
            "id": check_id,
            "task_id": task.id,
            "update_id": task.update_id,
            "area_code": task.area_code,
            "revision": task.revision,
            "gates": asked.gates.value,
            "triggers": sorted(asked.triggers),
            "streams": streams,
            "reading": list(_READING),
            "taking_up": list(_TAKING_UP),
            "present": sorted(set(present)),
            "requested_by": asked.by and asked.by.user_id,
            "on_behalf_of": asked.by and asked.by.on_behalf_of,
            "reason": order and order.reason.value,
            "note": order and vault.seal_text(order.note, context=check_note_context(check_id)),
            "asked_at": task.opened_at,
        },
    )
    return check_id


async def with_touches(
    connection: AsyncConnection, involvements: Sequence[Involvement], *, task_id: UUID, stage: Stage
) -> list[Involvement]:
    """The parts in the case that a task is judged on: of a ground check, also whoever had to do with it before."""
    if stage is not Stage.GROUND_CHECK:
        return list(involvements)
    touched = await connection.scalar(select(GroundCheck.touched_by).where(GroundCheck.task_id == task_id))
    return [*involvements, *(Involvement(user_id=user_id, stage=None, touched=True) for user_id in touched or ())]


async def read_filed(connection: AsyncConnection, update_id: UUID) -> list[FiledCheck]:
    """The checks of a case that were reported on."""
    reported = exists().where(GroundReport.check_id == GroundCheck.id)
    rows = await connection.execute(
        select(GroundCheck.gates, GroundCheck.triggers, GroundCheck.revision).where(
            GroundCheck.update_id == update_id, reported
        )
    )
    return [FiledCheck(Stage(row.gates), frozenset(row.triggers), row.revision) for row in rows]


async def read_returns(connection: AsyncConnection, update_id: UUID) -> list[Answer]:
    """The returns that officers have given in a case."""
    rows = await connection.execute(
        select(Decision.stage, Decision.outcome, Decision.reason).where(
            Decision.update_id == update_id,
            Decision.decided_by == "officer",
            Decision.outcome == Outcome.RETURN.value,
        ),
    )
    return [Answer(Stage(row.stage), Outcome(row.outcome), row.reason and ReasonCode(row.reason)) for row in rows]


async def read_check(connection: AsyncConnection, task_id: UUID) -> Row[*tuple[Any, ...]]:
    """The ground check of a task of that stage: its `id`, `asked_at`, `gates` and `requested_by`."""
    columns = (GroundCheck.id, GroundCheck.asked_at, GroundCheck.gates, GroundCheck.requested_by)
    return (await connection.execute(select(*columns).where(GroundCheck.task_id == task_id))).one()


async def add_report(
    connection: AsyncConnection, report: GroundReportInput, content: GroundContent, new: NewReport, *, vault: Vault
) -> None:
    """Keep what was found. A check is reported on once: the index refuses a second report that supersedes none."""
    await connection.execute(
        insert(GroundReport).values(
            id=new.id,
            check_id=new.check_id,
            update_id=new.update_id,
            area_code=new.area_code,
            supersedes=new.supersedes,
            outcome=report.outcome.value,
            differs=report.differs,
            photos=list(dict.fromkeys(report.photos)),
            far=new.far,
            content=vault.seal(content, context=report_context(new.id)),
            filed_by=new.by.user_id,
            role=new.by.role and new.by.role.value,
            office_id=new.by.office_id,
            on_behalf_of=new.by.on_behalf_of,
            filed_at=new.at,
        )
    )


async def find_report(connection: AsyncConnection, report_id: UUID) -> Row[*tuple[Any, ...]] | None:
    """A report within view, with when it was asked for and by what it was superseded."""
    columns = (GroundReport.id, GroundReport.check_id, GroundReport.update_id, GroundReport.filed_by, GroundReport.far)
    later = select(_LATER.id).where(_LATER.supersedes == GroundReport.id).scalar_subquery()
    return (
        await connection.execute(
            select(*columns, GroundCheck.asked_at, later.label("superseded_by"))
            .join(GroundCheck, GroundCheck.id == GroundReport.check_id)
            .where(GroundReport.id == report_id)
        )
    ).one_or_none()


async def read_checks(connection: AsyncConnection, update_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
    """Every ground check of a case, each with the report that stands (its columns null before there is one)."""
    columns = (
        *(GroundCheck.id, GroundCheck.task_id, GroundCheck.gates, GroundCheck.revision, GroundCheck.triggers),
        *(GroundCheck.requested_by, GroundCheck.reason, GroundCheck.note, GroundCheck.asked_at),
        *(GroundReport.id.label("report_id"), GroundReport.supersedes, GroundReport.outcome, GroundReport.differs),
        *(GroundReport.photos, GroundReport.far, GroundReport.content, GroundReport.filed_by, GroundReport.role),
        *(GroundReport.office_id, GroundReport.on_behalf_of, GroundReport.filed_at),
        GroundReport.erased_at.label("report_erased_at"),
    )
    return (
        await connection.execute(
            select(*columns)
            .outerjoin(GroundReport, (GroundReport.check_id == GroundCheck.id) & _STANDS)
            .where(GroundCheck.update_id == update_id)
            .order_by(GroundCheck.id)
        )
    ).all()


async def find_point(connection: AsyncConnection, area_code: str) -> ReferencePoint | None:
    """Where an area is known to be; None where nobody has recorded it."""
    row = (
        await connection.execute(
            select(AreaPoint.id, AreaPoint.latitude, AreaPoint.longitude)
            .where(AreaPoint.area_code == area_code)
            .order_by(AreaPoint.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else ReferencePoint(row.id, Place(latitude=row.latitude, longitude=row.longitude))
