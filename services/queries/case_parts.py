"""What a case has beside its row: decisions, answers of the civil registry, rungs that fired, its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Decision, Escalation, IdentityResult, Update
from db.vault import Vault
from domain.changes import IdentityExpectation
from domain.decisions import Minutes, note_context
from domain.policy import Policy, RungAction
from domain.vocabulary import CLOSED_STATUSES, EscalationCause, Kind, MatchResult, Outcome, Role, Stage, Status
from services.queries.masking import masked_text
from services.queries.reasons import Reason, reason_of
from services.queries.view import OfficeRef, PersonRef, View
from services.queries.who import Who

Rows = Sequence[Row[*tuple[Any, ...]]]


class DecisionTaken(View):
    """A decision, and in which seat it was taken."""

    id: UUID
    task_id: UUID
    stage: Stage
    revision: int
    outcome: Outcome
    reason: Reason | None
    note: str | None = Field(description="In the officer's words; numbers of persons in it are masked")
    minutes: Minutes | None
    decided_by: Literal["officer", "system", "partner", "timeout"]
    actor: PersonRef | None
    on_behalf_of: PersonRef | None = Field(description="Whom the officer stood in for")
    role: Role | None
    office: OfficeRef | None
    decided_at: datetime


class IdentityAnswer(View):
    """What the civil registry said of one person of the case; which field differs, and never a number."""

    person: str = Field(description="The member's id, or `new:0` for the first person not yet registered")
    name: str | None
    result: MatchResult
    fields: tuple[str, ...] = Field(description="Which fields differ")
    expected: tuple[MatchResult, ...] = Field(description="The answers that let the case go on")
    as_expected: bool
    checked_at: datetime


class RungFired(View):
    """A reminder or an escalation that has happened."""

    task_id: UUID
    rung: int
    action: RungAction
    to: Role | Literal["holder"]
    level: int
    cause: EscalationCause
    due_at: datetime
    fired_at: datetime


class Neighbour(View):
    """Another open update of the same household."""

    id: UUID
    tracking_code: str
    kind: Kind
    status: Status
    submitted_at: datetime


async def read_decisions(connection: AsyncConnection, update_id: UUID) -> Rows:
    """The decisions of a case in their order."""
    statement = select(Decision.__table__).where(Decision.update_id == update_id)
    return (await connection.execute(statement.order_by(Decision.decided_at, Decision.id))).all()


def decisions_taken(rows: Rows, who: Who, *, policy: Policy, vault: Vault) -> tuple[DecisionTaken, ...]:
    """The decisions as they are told."""
    return tuple(_decision(row, who, policy=policy, vault=vault) for row in rows)


def _decision(row: Row[*tuple[Any, ...]], who: Who, *, policy: Policy, vault: Vault) -> DecisionTaken:
    note = vault.open_text(row.note, context=note_context(row.id))
    return DecisionTaken(
        id=row.id,
        task_id=row.task_id,
        stage=row.stage,
        revision=row.revision,
        outcome=row.outcome,
        reason=reason_of(row.reason, policy),
        note=None if note is None else masked_text(note),
        minutes=row.minutes and Minutes.model_validate(row.minutes),
        decided_by=row.decided_by,
        actor=who.person(row.actor_id),
        on_behalf_of=who.person(row.on_behalf_of),
        role=row.actor_role,
        office=who.office(row.office_id),
        decided_at=row.decided_at,
    )


async def read_identity_answers(connection: AsyncConnection, update_id: UUID) -> Rows:
    """The civil registry's answers in the latest identity check of a case: ids of tasks are ordered by time."""
    latest = (
        select(IdentityResult.task_id)
        .where(IdentityResult.update_id == update_id)
        .order_by(IdentityResult.task_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = select(IdentityResult.__table__).where(
        IdentityResult.update_id == update_id,
        IdentityResult.task_id == latest,
    )
    return (await connection.execute(statement.order_by(IdentityResult.person_key))).all()


def identity_answers(rows: Rows, expected: Iterable[IdentityExpectation]) -> tuple[IdentityAnswer, ...]:
    """The answers beside what was expected of each person."""
    by_key = {expectation.key: expectation for expectation in expected}
    return tuple(_identity_answer(row, by_key.get(row.person_key)) for row in rows)


def _identity_answer(row: Row[*tuple[Any, ...]], expectation: IdentityExpectation | None) -> IdentityAnswer:
    expected = frozenset[MatchResult]() if expectation is None else expectation.expected
    return IdentityAnswer(
        person=row.person_key,
        name=None if expectation is None else expectation.name,
        result=row.result,
        fields=tuple(row.fields),
        expected=tuple(sorted(expected)),
        as_expected=row.result in expected,
        checked_at=row.checked_at,
    )


async def read_rungs(connection: AsyncConnection, update_id: UUID) -> tuple[RungFired, ...]:
    """Every reminder and escalation of a case in the order in which they fired."""
    columns = (Escalation.task_id, Escalation.rung, Escalation.action, Escalation.to_role.label("to"))
    more = (Escalation.level, Escalation.cause, Escalation.due_at, Escalation.fired_at)
    statement = select(*columns, *more).where(Escalation.update_id == update_id)
    rows = await connection.execute(statement.order_by(Escalation.fired_at, Escalation.task_id, Escalation.rung))
    return tuple(RungFired.model_validate(dict(row)) for row in rows.mappings())


async def read_neighbours(
    connection: AsyncConnection,
    household_id: UUID | None,
    *,
    besides: UUID,
) -> tuple[Neighbour, ...]:
    """The other open updates of a household; two at a time are allowed and shown to each other."""
    if household_id is None:
        return ()
    statement = select(Update.id, Update.tracking_code, Update.kind, Update.status, Update.submitted_at).where(
        Update.household_id == household_id,
        Update.id != besides,
        Update.status.not_in([status.value for status in CLOSED_STATUSES]),
    )
    rows = await connection.execute(statement.order_by(Update.id))
    return tuple(Neighbour.model_validate(dict(row)) for row in rows.mappings())
