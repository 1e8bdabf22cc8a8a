"""One update in full: what it proposes, where it stands and why, who decided what, and what the asker may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field, JsonValue
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, Task, Update
from db.repositories.cases import CaseRecord, RevisionRecord, read_case, read_involvements, read_revision
from db.repositories.document_waits import read_waits
from db.repositories.ground_checks import with_touches
from db.repositories.registry import read_version
from db.session import Viewer
from domain.authority import Actor, Involvement, Permission, deciding_seat
from domain.changes import identity_expectations
from domain.errors import ContentErased
from domain.evidence import EvidenceRef
from domain.household import Household
from domain.information import RequestState, require_may_ask
from domain.people import sees_objectors
from domain.policy import Policy
from domain.supervision import extensions_left
from domain.vocabulary import EscalationCause, Kind, PeerOffice, Stage, Status
from services.kawal import Kawal
from services.queries.actions import Action, Bench, actions_of, require_rule, verdict
from services.queries.case_parts import (
    DecisionTaken,
    IdentityAnswer,
    Neighbour,
    Rows,
    RungFired,
    decisions_taken,
    identity_answers,
    read_decisions,
    read_identity_answers,
    read_neighbours,
    read_rungs,
)
from services.queries.cutoff import CaseRound, read_case_round
from services.queries.disputes import (
    Appealed,
    AppealStanding,
    ConflictStanding,
    DisputeFacts,
    appeal_standing,
    appealed_standing,
    conflict_standing,
    read_disputes,
    require_appealable,
)
from services.queries.ground import (
    GroundCheckShown,
    ground_checks_shown,
    people_in_checks,
    read_ground_checks,
    require_askable,
)
from services.queries.holds import HoldStanding, read_standing_hold
from services.queries.information import Question, offices_of, questions, read_questions
from services.queries.information import people_of as people_of_questions
from services.queries.lapses import (
    LapseFacts,
    LapseStanding,
    Reopened,
    ReopenStanding,
    lapse_standing,
    read_lapses,
    reopen_standing,
    reopened,
    require_may_reopen,
)
from services.queries.masking import Masked, masked_change, masked_paper
from services.queries.reasons import Reason, reason_of
from services.queries.rights import ObjectionStanding, read_objections
from services.queries.view import AreaRef, PersonRef, View
from services.queries.waits import DocumentWaited, people_of, require_may_end, require_may_wait, waited
from services.queries.who import Who, read_who
from services.queries.work import TaskFacts, TaskInFull, find_task, task_in_full


class CaseInFull(View):
    """An update with everything that its officers need to know of it."""

    id: UUID
    tracking_code: str
    kind: Kind
    area: AreaRef
    household_id: UUID | None = Field(description="The household it changes; of a new one once it is registered")
    base_version: int | None = Field(description="The version of the household that it was made on")
    status: Status
    stage: Stage | None
    route: tuple[Stage, ...] = Field(description="The stages of its route in order, by the policy it began with")
    settled: tuple[Stage, ...] = Field(description="The stages whose answer stands")
    level: int
    cause: EscalationCause | None
    reason: Reason | None = Field(description="Why it was returned or rejected last")
    revision: int = Field(description="1 as submitted; one more for each repair")
    change: Masked | None = Field(
        description="What the latest revision proposes, by the schema of its kind; masked. Null once erased",
    )
    evidence: tuple[EvidenceRef, ...]
    findings: tuple[dict[str, JsonValue], ...] = Field(description="What was noticed of it, by code")
    submitted_by: PersonRef | None
    submitted_at: datetime
    closed_at: datetime | None
    policy_version_id: UUID
    round: CaseRound | None = Field(description="The round that it counts for; null where none is planned")
    version: int
    task: TaskInFull | None = Field(description="Its open task")
    escalations: tuple[RungFired, ...]
    identity: tuple[IdentityAnswer, ...] = Field(description="The civil registry's answers in the latest check")
    decisions: tuple[DecisionTaken, ...]
    ground_checks: tuple[GroundCheckShown, ...] = Field(
        description="Who was sent to look in the field, why, and what was found, the first first"
    )
    neighbours: tuple[Neighbour, ...] = Field(description="Other open updates of the household")
    erased_at: datetime | None = Field(description="When what it proposed was erased after its period of retention")
    hold: HoldStanding | None = Field(description="What keeps it from being erased now")
    appeal: Appealed | None = Field(description="What it appeals against, when it is an appeal")
    appealable: AppealStanding | None = Field(description="Until when its rejection can be appealed, and what appealed")
    conflict: ConflictStanding | None = Field(description="The conflict between two offices about it, open or decided")
    lapse: LapseStanding | None = Field(description="That it was said to lapse, and whether it has")
    reopenable: ReopenStanding | None = Field(
        description="Until when a lapsed case can be reopened, and as what it was"
    )
    reopens: Reopened | None = Field(description="The lapsed case that it carries on")
    questions: tuple[Question, ...] = Field(description="What offices outside the case were asked")
    document_waits: tuple[DocumentWaited, ...] = Field(description="Papers of other offices that it waited for")
    objections: tuple[ObjectionStanding, ...] = Field(
        description="Objections of persons to the processing of their data in it, open or upheld",
    )
    actions: tuple[Action, ...] = Field(description="What you may do with it now, and if not, why")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """All that was read of the case, before it is told."""

    case: CaseRecord
    row: Row[*tuple[Any, ...]]
    policy: Policy
    revision: RevisionRecord | None
    base: Household | None
    task: TaskFacts | None
    involvements: list[Involvement]
    decisions: Rows
    identity: Rows
    ground_checks: Rows
    escalations: tuple[RungFired, ...]
    neighbours: tuple[Neighbour, ...]
    hold: HoldStanding | None
    objections: tuple[ObjectionStanding, ...]
    disputes: DisputeFacts
    waits: Rows
    round: CaseRound | None
    asked: Rows
    lapses: LapseFacts


async def read_scoped_case(
    connection: AsyncConnection,
    actor: Actor,
    update_id: UUID,
    *,
    permission: Permission,
) -> CaseRecord:
    """The case, for somebody with `permission` over its area. Raises NotFound outside, Forbidden without it."""
    case = await read_case(connection, update_id)
    actor.seat_for(permission, area_code=case.area_code)
    return case


async def read_base(kawal: Kawal, connection: AsyncConnection, case: CaseRecord) -> Household | None:
    """The household as it was when the update was made; None for a new one."""
    if case.household_id is None or case.base_version is None:
        return None
    return await read_version(connection, case.household_id, case.base_version, vault=kawal.vault)


async def read_case_in_full(kawal: Kawal, actor: Actor, update_id: UUID) -> CaseInFull:
    """The update as the asker may see it. Raises NotFound or Forbidden."""
    now = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        case = await read_scoped_case(connection, actor, update_id, permission=Permission.UPDATES_READ)
        found = await _read(kawal, connection, case)
        who = await read_who(
            connection,
            people=(
                found.row.submitted_by,
                *people_in_checks(found.ground_checks),
                *(person for row in found.decisions for person in (row.actor_id, row.on_behalf_of)),
                *(() if found.task is None else found.task.people),
                *people_of(found.waits),
                *people_of_questions(found.asked),
            ),
            offices=(
                *(row.office_id for row in (*found.decisions, *found.ground_checks)),
                *offices_of(found.asked),
            ),
            posts=() if found.task is None else found.task.posts(at=now),
        )
    return _told(kawal, actor, found, who, now=now)


async def _read(kawal: Kawal, connection: AsyncConnection, case: CaseRecord) -> _Read:
    policy = await kawal.rules.policy(connection, case.policy_version_id)
    is_open_task = (Task.update_id == case.id) & (Task.status == "open")
    task = await find_task(kawal, connection, is_open_task, policy=policy, case=case)
    return _Read(
        case=case,
        row=(await connection.execute(_facts(case.id))).one(),
        policy=policy,
        revision=await _kept_revision(kawal, connection, case),
        base=await read_base(kawal, connection, case),
        task=task,
        involvements=await _parts(connection, case, task),
        ground_checks=await read_ground_checks(connection, case.id, policy),
        decisions=await read_decisions(connection, case.id),
        identity=await read_identity_answers(connection, case.id),
        escalations=await read_rungs(connection, case.id),
        neighbours=await read_neighbours(connection, case.household_id, besides=case.id),
        hold=await read_standing_hold(connection, case.id),
        objections=await read_objections(connection, household_id=case.household_id, update_id=case.id),
        disputes=await read_disputes(kawal, connection, case, policy),
        waits=await read_waits(connection, case.id),
        round=await read_case_round(kawal, connection, case, policy, task and task.deadline.due_at),
        asked=await read_questions(connection, case.id),
        lapses=await read_lapses(kawal, connection, case, policy),
    )


async def _parts(connection: AsyncConnection, case: CaseRecord, task: TaskFacts | None) -> list[Involvement]:
    parts = await read_involvements(connection, case.id)
    if task is None:
        return parts
    return await with_touches(connection, parts, task_id=task.row.id, stage=Stage(task.row.stage))


async def _kept_revision(kawal: Kawal, connection: AsyncConnection, case: CaseRecord) -> RevisionRecord | None:
    """The latest revision; None when it was erased after its period."""
    try:
        return await read_revision(connection, case.id, case.revision, vault=kawal.vault)
    except ContentErased:
        return None


def _facts(update_id: UUID) -> Any:
    columns = (Update.tracking_code, Update.area_code, Update.submitted_by, Update.submitted_at, Update.closed_at)
    return (
        select(*columns, Update.erased_at, Update.reason, Update.findings, Area.name.label("area_name"))
        .join(Area, Area.code == Update.area_code)
        .where(Update.id == update_id)
    )


def _told(kawal: Kawal, actor: Actor, found: _Read, who: Who, *, now: datetime) -> CaseInFull:
    case, row, revision = found.case, found.row, found.revision
    position = case.position(found.policy)
    decisions = decisions_taken(found.decisions, who, policy=found.policy, vault=kawal.vault)
    return CaseInFull(
        id=case.id,
        tracking_code=row.tracking_code,
        kind=case.kind,
        area=AreaRef.of(row),
        household_id=case.household_id,
        base_version=case.base_version,
        status=case.status,
        stage=case.stage,
        route=position.route,
        settled=tuple(stage for stage in position.route if stage in case.settled),
        level=case.level,
        cause=case.cause,
        reason=reason_of(row.reason, found.policy),
        revision=case.revision,
        change=revision and masked_change(revision.change, objector=sees_objectors(actor, area_code=case.area_code)),
        evidence=() if revision is None else tuple(masked_paper(paper) for paper in revision.evidence),
        findings=tuple(row.findings),
        submitted_by=who.person(row.submitted_by),
        submitted_at=row.submitted_at,
        closed_at=row.closed_at,
        policy_version_id=case.policy_version_id,
        round=found.round,
        version=case.version,
        task=None if found.task is None else task_in_full(found.task, who, now=now),
        escalations=found.escalations,
        identity=()
        if revision is None
        else identity_answers(found.identity, identity_expectations(revision.change, found.base)),
        decisions=decisions,
        ground_checks=ground_checks_shown(
            found.ground_checks,
            who,
            open_task=None if found.task is None else found.task.row.id,
            vault=kawal.vault,
        ),
        neighbours=found.neighbours,
        erased_at=row.erased_at,
        hold=found.hold,
        appeal=appealed_standing(found.disputes, case),
        appealable=appeal_standing(found.disputes, now=now),
        conflict=conflict_standing(case, found.policy, decisions),
        lapse=lapse_standing(found.lapses, now=now),
        reopenable=reopen_standing(found.lapses),
        reopens=reopened(found.lapses),
        questions=questions(found.asked, who, vault=kawal.vault, now=now),
        document_waits=waited(found.waits, who),
        objections=found.objections,
        actions=_actions(actor, found, now=now),
    )


def _actions(actor: Actor, found: _Read, *, now: datetime) -> tuple[Action, ...]:
    """What the asker may do with the case now, and if not, why."""
    case, policy = found.case, found.policy
    position = case.position(policy)
    bench = bench_of(case, policy, found.task, found.involvements)
    return (
        *actions_of(actor, bench),
        verdict(
            "ask_ground_check",
            lambda: require_askable(actor, bench, policy, found.ground_checks, revision=case.revision),
        ),
        verdict(
            "appeal",
            lambda: require_appealable(actor, found.disputes, area_code=case.area_code, now=now),
        ),
        verdict(
            "await_document",
            lambda: require_may_wait(actor, position, found.task, policy, area_code=case.area_code, now=now),
        ),
        verdict("ask_office", lambda: _require_may_ask(actor, found)),
        verdict("reopen", lambda: require_may_reopen(actor, found.lapses, case, now=now)),
        verdict(
            "end_document_wait",
            lambda: require_may_end(actor, position, policy, area_code=case.area_code, grants=bench.grants),
        ),
    )


def _require_may_ask(actor: Actor, found: _Read) -> None:
    """Raise what keeps the asker from asking any office now."""
    bench = bench_of(found.case, found.policy, found.task, found.involvements)
    rule = require_rule(bench)
    deciding_seat(
        actor,
        area_code=bench.area_code,
        stage=rule.stage,
        grants=bench.grants,
        involvements=bench.involvements,
    )
    open_for = {PeerOffice(row.office) for row in found.asked if row.state == RequestState.OPEN.value}
    free = next((office for office in PeerOffice if office not in open_for), PeerOffice.CIVIL_REGISTRY_OFFICE)
    require_may_ask(found.policy, rule, open_for=open_for, office=free)


def bench_of(case: CaseRecord, policy: Policy, task: TaskFacts | None, involvements: list[Involvement]) -> Bench:
    """What authority over the case is judged by, with its open task."""
    return Bench(
        area_code=case.area_code,
        position=case.position(policy),
        rule=None if task is None else task.rule,
        grants=() if task is None else task.grants,
        involvements=involvements,
        claimed_by=None if task is None else task.row.claimed_by,
        fired=frozenset() if task is None else task.fired,
        extensions_left=0 if task is None else extensions_left(task.deadline, limit=policy.extension_limit),
    )
