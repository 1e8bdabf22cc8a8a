"""What is disputed about a case: the conflict between two offices, and the appeal against its rejection."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Update
from db.repositories.appeals import AppealRecord, find_rejection, read_appeals, standing_appeal
from db.repositories.cases import CaseRecord
from domain.authority import Actor
from domain.deadlines import Deadline
from domain.disputes import contested_by_appeal, last_moment_to_appeal, require_in_time
from domain.errors import AlreadyAppealed, NotAppealable
from domain.lifecycle import Position
from domain.permissions import Permission
from domain.policy import Policy
from domain.vocabulary import AppealGround, Outcome, Role, Stage, Status
from services.kawal import Kawal
from services.queries.case_parts import DecisionTaken
from services.queries.clock import ExplainedDeadline, explained
from services.queries.reasons import Reason
from services.queries.view import OfficeRef, PersonRef, View


class CaseRef(View):
    """Another case, by its id and its code."""

    id: UUID
    tracking_code: str
    status: Status


class AppealStanding(View):
    """That the rejection of the case can be, or was, appealed."""

    last_day: date = Field(description="The last day on which it can be appealed, in the area's zone")
    deadline: ExplainedDeadline
    appealed_by: tuple[CaseRef, ...] = Field(description="The appeals, those that were taken back among them")


class Appealed(View):
    """What a case that is an appeal is about."""

    of: CaseRef = Field(description="The rejected case")
    ground: AppealGround
    against: Stage = Field(description="The stage whose no is appealed against; delivery is the Ministry's")


class Opinion(View):
    """What one of the two offices holds to be right."""

    role: Role
    says: Literal["yes", "no"] = Field(description="What the office had said before")
    state: Literal["awaited", "given", "none_given"]
    advises: Outcome | None
    reason: Reason | None
    text: str | None = Field(description="In the office's words; numbers of persons in it are masked")
    office: OfficeRef | None
    actor: PersonRef | None
    on_behalf_of: PersonRef | None
    given_at: datetime | None


class ConflictStanding(View):
    """A conflict between two offices: both opinions, and what somebody outside both has decided."""

    contested: Stage = Field(description="The stage whose no is in dispute")
    opinions: tuple[Opinion, ...]
    decider: Role
    decision: DecisionTaken | None


class DisputeFacts(NamedTuple):
    """What was read of appeals from and against a case; `until` where its rejection can be appealed."""

    appeals: list[AppealRecord]
    until: Deadline | None
    last_day: date | None
    refused: NotAppealable | None
    of: CaseRef | None
    ground: AppealGround | None


async def read_disputes(
    kawal: Kawal,
    connection: AsyncConnection,
    case: CaseRecord,
    policy: Policy,
) -> DisputeFacts:
    """Everything about appeals; nothing is asked for a case that is neither rejected nor an appeal."""
    if case.appeal_of is not None:
        columns = (Update.id, Update.tracking_code, Update.status)
        of = (await connection.execute(select(*columns).where(Update.id == case.appeal_of))).one()
        ground = await connection.scalar(select(Update.ground).where(Update.id == case.id))
        named = CaseRef(id=of.id, tracking_code=of.tracking_code, status=of.status)
        refused = _refusal(case.position(policy), None)
        return DisputeFacts([], None, None, refused, named, None if ground is None else AppealGround(ground))
    if case.status not in {Status.REJECTED, Status.SUPERSEDED}:
        return DisputeFacts([], None, None, _refusal(case.position(policy), None), None, None)
    appeals = await read_appeals(connection, case.id)
    rejection = await find_rejection(connection, case.id)
    in_force = (await kawal.rules.policy_in_force(connection, case.area_code, at=kawal.now())).policy
    rule = policy.appeals or in_force.appeals
    if rejection is None or rule is None or in_force.appeals is None:
        return DisputeFacts(appeals, None, None, NotAppealable("The policy hears no appeals."), None, None)
    calendar = await kawal.rules.calendar(connection, case.area_code)
    until = last_moment_to_appeal(rule, rejection.at, calendar=calendar)
    refused = _refusal(case.position(policy), rejection.stage)
    return DisputeFacts(appeals, until, calendar.local_day(until.due_at), refused, None, None)


def _refusal(position: Position, rejected_in: Stage | None) -> NotAppealable | None:
    try:
        contested_by_appeal(position, rejected_in=rejected_in or Stage.DELIVERY)
    except NotAppealable as refusal:
        return refusal
    return None


def require_appealable(actor: Actor, facts: DisputeFacts, *, area_code: str, now: datetime) -> None:
    """Raise what keeps the asker from appealing now."""
    actor.seat_for(Permission.UPDATES_APPEAL, area_code=area_code)
    standing = standing_appeal(facts.appeals)
    if standing is not None:
        raise AlreadyAppealed(f"The rejection has been appealed as {standing.tracking_code}.")
    if facts.refused is not None:
        raise facts.refused
    if facts.until is not None and facts.last_day is not None:
        require_in_time(facts.until, at=now, last_day=facts.last_day.isoformat())


def appeal_standing(facts: DisputeFacts, *, now: datetime) -> AppealStanding | None:
    """Until when the rejection can be appealed, and by what it was."""
    if facts.until is None or facts.last_day is None:
        return None
    appealed_by = (CaseRef(id=each.id, tracking_code=each.tracking_code, status=each.status) for each in facts.appeals)
    return AppealStanding(
        last_day=facts.last_day,
        deadline=explained(facts.until, now=now),
        appealed_by=tuple(appealed_by),
    )


def appealed_standing(facts: DisputeFacts, case: CaseRecord) -> Appealed | None:
    """What the case appeals against, where it is an appeal."""
    if facts.of is None or facts.ground is None or case.contested is None:
        return None
    return Appealed(of=facts.of, ground=facts.ground, against=case.contested)


def conflict_standing(
    case: CaseRecord,
    policy: Policy,
    decisions: tuple[DecisionTaken, ...],
) -> ConflictStanding | None:
    """The conflict of the case, open or decided; an appeal has none."""
    if policy.conflicts is None or case.contested is None or case.appeal_of is not None:
        return None
    dispute = policy.conflicts.dispute_about(case.contested)
    given = {each.role: each for each in decisions if each.stage is Stage.OPINION}
    awaited = case.stage is Stage.OPINION
    return ConflictStanding(
        contested=case.contested,
        opinions=(
            _opinion(dispute.speaks_for, "yes", given.get(dispute.speaks_for), awaited=awaited),
            _opinion(dispute.speaks_against, "no", given.get(dispute.speaks_against), awaited=awaited),
        ),
        decider=dispute.decider,
        decision=next((each for each in decisions if each.stage is Stage.CONFLICT), None),
    )


def _opinion(role: Role, says: Literal["yes", "no"], given: DecisionTaken | None, *, awaited: bool) -> Opinion:
    if given is None:
        return Opinion(
            role=role,
            says=says,
            state="awaited" if awaited else "none_given",
            advises=None,
            reason=None,
            text=None,
            office=None,
            actor=None,
            on_behalf_of=None,
            given_at=None,
        )
    return Opinion(
        role=role,
        says=says,
        state="given",
        advises=given.outcome,
        reason=given.reason,
        text=given.note,
        office=given.office,
        actor=given.actor,
        on_behalf_of=given.on_behalf_of,
        given_at=given.decided_at,
    )
