"""How a case was, or will be, given up, and the way back: the notice, the lapse, the case that carries it on."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, NamedTuple

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Update
from db.repositories.cases import CaseRecord
from db.repositories.lapses import CaseLink, NoticeRecord, find_last_notice, find_reopening, read_reopened
from domain.authority import Actor
from domain.deadlines import Deadline
from domain.errors import AlreadyReopened, NotReopenable
from domain.lapses import last_moment_to_reopen, require_in_time, require_reopenable
from domain.permissions import Permission
from domain.policy import Policy
from domain.vocabulary import ReopenReason, Status
from services.kawal import Kawal
from services.queries.clock import ExplainedDeadline, explained
from services.queries.disputes import CaseRef
from services.queries.view import View


class LapseStanding(View):
    """That the applicant was told that the case will lapse, and what came of it."""

    told_at: datetime
    lapses_at: datetime = Field(description="When it lapses, or has, unless it is mended before")
    deadline: ExplainedDeadline = Field(description="The time of the notice; the lapse never comes before its end")
    lapsed_at: datetime | None
    decided_by: Literal["timeout"] | None = Field(description="Who ended it: nobody did; null while it has not lapsed")


class ReopenStanding(View):
    """That a lapsed case can be, or was, reopened."""

    last_day: date = Field(description="The last day on which it can be reopened, in the area's zone")
    reopened_as: CaseRef | None = Field(description="The case that carries it on")


class Reopened(View):
    """What a case that reopens another carries on."""

    of: CaseRef = Field(description="The lapsed case")
    reason: ReopenReason


class LapseFacts(NamedTuple):
    """What was read of notices, lapses and reopenings of a case; `until` where it can be, or was, reopened."""

    notice: NoticeRecord | None
    reopening: CaseLink | None
    of: tuple[CaseLink, ReopenReason] | None
    until: Deadline | None
    last_day: date | None


async def read_lapses(kawal: Kawal, connection: AsyncConnection, case: CaseRecord, policy: Policy) -> LapseFacts:
    """Everything about lapses; where the case was never returned nothing is asked but whether it reopens another."""
    of = None if case.reopen_of is None else await read_reopened(connection, case.id)
    notice = None if policy.lapse is None else await find_last_notice(connection, case.id)
    if case.status is not Status.LAPSED or policy.lapse is None:
        return LapseFacts(notice, None, of, None, None)
    closed_at = await connection.scalar(select(Update.closed_at).where(Update.id == case.id))
    calendar = await kawal.rules.calendar(connection, case.area_code)
    until = None if closed_at is None else last_moment_to_reopen(policy.lapse, closed_at, calendar=calendar)
    last_day = None if until is None else calendar.local_day(until.due_at)
    return LapseFacts(notice, await find_reopening(connection, case.id), of, until, last_day)


def require_may_reopen(actor: Actor, facts: LapseFacts, case: CaseRecord, *, now: datetime) -> None:
    """Raise what keeps the asker from reopening the case now."""
    actor.seat_for(Permission.UPDATES_REOPEN, area_code=case.area_code)
    require_reopenable(case.status, reopens=case.reopen_of is not None)
    if facts.reopening is not None:
        raise AlreadyReopened(f"The case has been reopened as {facts.reopening.tracking_code}.")
    if facts.until is None or facts.last_day is None:
        raise NotReopenable("The policy of the case knows no lapse.")
    require_in_time(facts.until, at=now, last_day=facts.last_day.isoformat())


def lapse_standing(facts: LapseFacts, *, now: datetime) -> LapseStanding | None:
    """The notice and the lapse, as they are told."""
    notice = facts.notice
    if notice is None:
        return None
    return LapseStanding(
        told_at=notice.told_at,
        lapses_at=notice.lapses_at,
        deadline=explained(notice.deadline, now=now),
        lapsed_at=notice.lapsed_at,
        decided_by=None if notice.lapsed_at is None else "timeout",
    )


def reopen_standing(facts: LapseFacts) -> ReopenStanding | None:
    """Until when the lapsed case can be reopened, and as what it was."""
    if facts.last_day is None:
        return None
    return ReopenStanding(last_day=facts.last_day, reopened_as=_ref(facts.reopening))


def reopened(facts: LapseFacts) -> Reopened | None:
    """What the case carries on, where it reopens another."""
    if facts.of is None:
        return None
    of, reason = facts.of
    return Reopened(of=CaseRef(id=of.id, tracking_code=of.tracking_code, status=of.status), reason=reason)


def _ref(link: CaseLink | None) -> CaseRef | None:
    return None if link is None else CaseRef(id=link.id, tracking_code=link.tracking_code, status=link.status)
