"""The case row: read, locked and moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    bindparam,
    func,
    literal,
    null,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from db.models import Decision, Revision, TaskGrant, Update
from db.repositories.parts import parts_of
from db.vault import Vault
from db.writes import Write, added, changed, send
from domain.authority import Grant, Involvement
from domain.changes import CHANGE_ADAPTER, Change
from domain.errors import ContentErased, NotFound
from domain.evidence import EvidenceRef
from domain.lifecycle import Position
from domain.policy import Policy, Power
from domain.vocabulary import EscalationCause, Kind, Role, Stage, Status


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A case as its row holds it."""

    id: UUID
    area_code: str
    kind: Kind
    household_id: UUID | None
    base_version: int | None
    policy_version_id: UUID
    status: Status
    stage: Stage | None
    settled: frozenset[Stage]
    returned_from: Stage | None
    identity_waived: bool
    revision: int
    level: int
    cause: EscalationCause | None
    submitted_by: UUID
    run_id: str | None
    round_id: UUID | None
    version: int
    contested: Stage | None = None
    appeal_of: UUID | None = None
    reopen_of: UUID | None = None
    before_appealed: UUID | None = None
    """The lapsed case that the one whose rejection it appeals against had reopened."""

    @property
    def earlier(self) -> frozenset[UUID]:
        """The cases that this one carries on, those before it in one line; `parts_of` says the same to the database."""
        line = (self.appeal_of, self.reopen_of, self.before_appealed)
        return frozenset({each for each in line if each is not None})

    def position(self, policy: Policy) -> Position:
        """Where the case stands on the route that its policy gives its kind; an appeal is decided before it goes on."""
        route = policy.route_of(self.kind).stages
        return Position(
            route=route if self.appeal_of is None else (Stage.APPEAL, *route),
            status=self.status,
            stage=self.stage,
            settled=self.settled,
            returned_from=self.returned_from,
            contested=self.contested,
            identity_waived=self.identity_waived,
            ministry=policy.delivery.ministry,
        )


@dataclass(frozen=True, slots=True)
class RevisionRecord:
    """One submission of a case, opened."""

    revision: int
    change: Change
    evidence: tuple[EvidenceRef, ...]
    submitted_by: UUID
    submitted_at: datetime
    on_behalf_of: UUID | None = None


class Standing(NamedTuple):
    """The powers over a task, and who has had a part in its case."""

    grants: list[Grant]
    involvements: list[Involvement]


_APPEALED = aliased(Update)
_BEFORE_APPEALED = (
    select(_APPEALED.reopen_of).where(_APPEALED.id == Update.appeal_of).correlate(Update).scalar_subquery()
)

CASE_COLUMNS = (
    Update.id,
    Update.area_code,
    Update.kind,
    Update.household_id,
    Update.base_version,
    Update.policy_version_id,
    Update.status,
    Update.stage,
    Update.settled,
    Update.returned_from,
    Update.identity_waived,
    Update.revision,
    Update.level,
    Update.cause,
    Update.submitted_by,
    Update.run_id,
    Update.round_id,
    Update.version,
    Update.contested,
    Update.appeal_of,
    Update.reopen_of,
    _BEFORE_APPEALED.label("before_appealed"),
)
_CASE_NAMES = tuple(column.key for column in CASE_COLUMNS)


_READ = select(*CASE_COLUMNS).where(Update.id == bindparam("update_id"))
_LOCK = _READ.with_for_update()
_PAPERS: TypeAdapter[tuple[EvidenceRef, ...]] = TypeAdapter(tuple[EvidenceRef, ...])
_READ_REVISION = select(
    Revision.change,
    Revision.evidence,
    Revision.papers,
    Revision.submitted_by,
    Revision.submitted_at,
    Revision.on_behalf_of,
).where(Revision.update_id == bindparam("update_id"), Revision.revision == bindparam("revision"))
_SAVE = update(Update).where(Update.id == bindparam("case_id"))


_THIS_UPDATE = bindparam("update_id", type_=UuidType())
_SUBMITTED = select(
    Revision.submitted_by.label("user_id"),
    null().label("stage"),
    Revision.on_behalf_of,
).where(parts_of(Revision.update_id, _THIS_UPDATE))
_DECIDED = select(Decision.actor_id, Decision.stage, Decision.on_behalf_of).where(
    parts_of(Decision.update_id, _THIS_UPDATE),
    Decision.actor_id.is_not(None),
)
_INVOLVEMENTS = union_all(_SUBMITTED, _DECIDED)


def standing_columns(
    update_id: SQLColumnExpression[UUID],
    task_id: SQLColumnExpression[UUID],
) -> tuple[ColumnElement[Any], ColumnElement[Any], ColumnElement[Any]]:
    """What `standing_of` is read from, as columns of one row, for a statement that knows the case and the task."""
    submissions = select(
        func.jsonb_agg(func.jsonb_build_array(Revision.submitted_by, Revision.on_behalf_of, null())),
    ).where(parts_of(Revision.update_id, update_id))
    decisions = select(
        func.jsonb_agg(func.jsonb_build_array(Decision.actor_id, Decision.on_behalf_of, Decision.stage)),
    ).where(parts_of(Decision.update_id, update_id), Decision.actor_id.is_not(None))
    grants = select(func.jsonb_agg(func.jsonb_build_array(TaskGrant.role, TaskGrant.power))).where(
        TaskGrant.task_id == task_id,
    )
    return (
        type_coerce(submissions.scalar_subquery(), JSONB).label("submissions"),
        type_coerce(decisions.scalar_subquery(), JSONB).label("decisions"),
        type_coerce(grants.scalar_subquery(), JSONB).label("grants"),
    )


def standing_of(row: Row[*tuple[Any, ...]]) -> Standing:
    """The standing that a row with `standing_columns` holds."""
    return Standing(
        grants=[Grant(role=Role(role), power=Power(power)) for role, power in row.grants or ()],
        involvements=[
            Involvement(user_id=UUID(user_id), stage=stage and Stage(stage))
            for actor, on_behalf_of, stage in (*(row.submissions or ()), *(row.decisions or ()))
            for user_id in (actor, on_behalf_of)
            if user_id is not None
        ],
    )


_STANDING = select(
    *standing_columns(
        bindparam("update_id", type_=UuidType()),
        bindparam("task_id", type_=UuidType()),
    ),
)


async def read_case(connection: AsyncConnection, update_id: UUID) -> CaseRecord:
    """The case within view. Raises NotFound."""
    return await _one(connection, _READ, update_id)


async def lock_case(connection: AsyncConnection, update_id: UUID) -> CaseRecord:
    """The same, locked until the transaction ends. Every act on a case takes this lock first. Raises NotFound."""
    return await _one(connection, _LOCK, update_id)


async def _one(connection: AsyncConnection, wanted: Select[*tuple[Any, ...]], update_id: UUID) -> CaseRecord:
    row = (await connection.execute(wanted, {"update_id": update_id})).one_or_none()
    if row is None:
        raise no_case(update_id)
    return case_of(row)


def no_case(update_id: UUID) -> NotFound:
    """The refusal of a case that is not there, or not for whoever asks."""
    return NotFound(f"There is no update {update_id} for you.")


def case_of(values: Iterable[Any]) -> CaseRecord:
    """The case out of the values of `CASE_COLUMNS`, in their order."""
    row = SimpleNamespace(**dict(zip(_CASE_NAMES, values, strict=True)))
    return CaseRecord(
        id=row.id,
        area_code=row.area_code,
        kind=Kind(row.kind),
        household_id=row.household_id,
        base_version=row.base_version,
        policy_version_id=row.policy_version_id,
        status=Status(row.status),
        stage=row.stage and Stage(row.stage),
        settled=frozenset(Stage(stage) for stage in row.settled),
        returned_from=row.returned_from and Stage(row.returned_from),
        identity_waived=row.identity_waived,
        revision=row.revision,
        level=row.level,
        cause=row.cause and EscalationCause(row.cause),
        submitted_by=row.submitted_by,
        run_id=row.run_id,
        round_id=row.round_id,
        version=row.version,
        contested=row.contested and Stage(row.contested),
        appeal_of=row.appeal_of,
        reopen_of=row.reopen_of,
        before_appealed=row.before_appealed,
    )


async def save_case(connection: AsyncConnection, case: CaseRecord, position: Position, **changes: object) -> None:
    """Write where the case stands now, and the values of other columns; its version goes up by one."""
    await connection.execute(_SAVE, {"case_id": case.id, **_moved(case, position), **changes})


def saved_case(case: CaseRecord, position: Position, **changes: object) -> Write:
    """What `save_case` writes."""
    return changed("saved_case", Update, case.id, {**_moved(case, position), **changes})


def _moved(case: CaseRecord, position: Position) -> dict[str, object]:
    return {
        "status": position.status.value,
        "stage": position.stage,
        "settled": sorted(position.settled),
        "returned_from": position.returned_from,
        "identity_waived": position.identity_waived,
        "contested": position.contested,
        "version": case.version + 1,
    }


async def touch_case(connection: AsyncConnection, update_id: UUID) -> None:
    """Raise the version of a case of which something else changed, so that nobody acts on a stale picture of it."""
    await connection.execute(update(Update).where(Update.id == update_id).values(version=Update.version + 1))


async def claim_case(connection: AsyncConnection, update_id: UUID, run_id: str | None) -> None:
    """Give a case to a run of the engine, or to none; it stands where it stood, so its version stays."""
    await connection.execute(update(Update).where(Update.id == update_id).values(run_id=run_id))


async def add_finding(connection: AsyncConnection, update_id: UUID, finding: dict[str, Any]) -> None:
    """Put a finding beside those that the case has."""
    findings = Update.findings.concat(literal([finding], JSONB))
    await connection.execute(update(Update).where(Update.id == update_id).values(findings=findings))


async def read_involvements(connection: AsyncConnection, update_id: UUID) -> list[Involvement]:
    """Who has had a part in the case: every submission and repair, and every decision of an officer."""
    rows = await connection.execute(_INVOLVEMENTS, {"update_id": update_id})
    return [part for row in rows for part in _parts(row)]


async def read_standing(connection: AsyncConnection, update_id: UUID, *, task_id: UUID) -> Standing:
    """What authority over a task of the case is judged on, in one statement."""
    return standing_of((await connection.execute(_STANDING, {"update_id": update_id, "task_id": task_id})).one())


def _parts(row: Row[*tuple[Any, ...]]) -> list[Involvement]:
    """The part of whoever acted, and that of whom they stood in for."""
    stage = row.stage and Stage(row.stage)
    both = (row.user_id, row.on_behalf_of)
    return [Involvement(user_id=user_id, stage=stage) for user_id in both if user_id is not None]


def revision_context(update_id: UUID, revision: int) -> str:
    """Where the sealed change of a revision belongs."""
    return f"update_revisions.change:{update_id}:{revision}"


def papers_context(update_id: UUID, revision: int) -> str:
    """Where the sealed papers of a revision belong."""
    return f"update_revisions.papers:{update_id}:{revision}"


def open_papers(row: Row[*tuple[Any, ...]], *, context: str, vault: Vault) -> tuple[EvidenceRef, ...]:
    """What a revision names as evidence; of before papers were sealed, it stands in the clear until they are."""
    if row.papers is None:
        return _PAPERS.validate_python(row.evidence)
    return vault.open_as(row.papers, _PAPERS, context=context)


async def read_revision(
    connection: AsyncConnection,
    update_id: UUID,
    revision: int,
    *,
    vault: Vault,
) -> RevisionRecord:
    """A submission of the case, opened. Raises ContentErased when its period of retention has passed."""
    row = (await connection.execute(_READ_REVISION, {"update_id": update_id, "revision": revision})).one()
    if row.change is None:
        raise ContentErased("What this update proposed was erased after its period of retention.")
    return RevisionRecord(
        revision=revision,
        change=vault.open_as(row.change, CHANGE_ADAPTER, context=revision_context(update_id, revision)),
        evidence=open_papers(row, context=papers_context(update_id, revision), vault=vault),
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        on_behalf_of=row.on_behalf_of,
    )


async def add_revision(
    connection: AsyncConnection,
    update_id: UUID,
    record: RevisionRecord,
    *,
    area_code: str,
    vault: Vault,
) -> None:
    """Keep a submission for good."""
    await send(connection, [added_revision(update_id, record, area_code=area_code, vault=vault)])


def added_revision(update_id: UUID, record: RevisionRecord, *, area_code: str, vault: Vault) -> Write:
    """What `add_revision` writes."""
    papers = _PAPERS.dump_json(record.evidence)
    row = {
        "update_id": update_id,
        "revision": record.revision,
        "area_code": area_code,
        "change": vault.seal(record.change, context=revision_context(update_id, record.revision)),
        "papers": vault.fields.seal(papers, context=papers_context(update_id, record.revision)),
        "submitted_by": record.submitted_by,
        "submitted_at": record.submitted_at,
        "on_behalf_of": record.on_behalf_of,
    }
    return added("revision", Revision, row)
