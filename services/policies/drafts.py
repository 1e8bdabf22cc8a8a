"""Drafts of policies: written and tried on open cases, amended, shown to the tiers below, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import DraftRevision, PolicyDraft
from db.repositories import trail
from db.repositories.policies import (
    DraftRecord,
    change_draft,
    find_draft,
    last_version,
    lock_draft,
    standing_of,
    tell,
    version_in_force,
)
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Actor, Permission, Seat
from domain.consultation import DraftStatus, Remark, check_may_open, check_open, outdated
from domain.deadlines import Deadline, compute_deadline
from domain.durations import Duration
from domain.errors import Forbidden, InvalidInput, Violation
from domain.ids import new_id
from domain.policy import Policy
from domain.policy.trial import Trial
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.policies.trials import try_on
from services.policies.versions import read_in
from services.versions import require_version

DRAFT: Final = "POST /v1/policies/drafts"
AMEND: Final = "POST /v1/policies/drafts/{draft_id}/revisions"


class DraftInput(BaseModel):
    """A policy that is to be. What is wrong with it is pointed at as `/policy/stages/0/deadline`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    policy: dict[str, Any] = Field(description="The whole policy, in the form that reading one gives")
    effective_from: AwareDatetime | None = Field(
        default=None, description="Not before this moment; at its publication if left out"
    )
    based_on: UUID | None = Field(
        default=None,
        description="The version that it changes; if left out, the last of its area, and when amending the same",
    )
    note: Remark | None = Field(default=None, description="What it is for, in words, for those who are asked")


class WithdrawalInput(BaseModel):
    """Why a draft is given up."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    note: Remark


class _Written(BaseModel):
    """What is compared when a key comes again: the request as it was understood."""

    model_config = ConfigDict(frozen=True)

    draft_id: UUID | None
    policy: Policy
    effective_from: datetime | None
    based_on: UUID | None
    note: str | None


@dataclass(frozen=True, slots=True)
class _Text:
    """A revision about to be written."""

    policy: Policy
    base_id: UUID
    effective_from: datetime | None
    note: str | None
    trial: Trial


def stream_of_draft(draft_id: UUID) -> str:
    """The name of the trail of a draft."""
    return f"policy-draft:{draft_id}"


def drafting_seat(actor: Actor, area_code: str) -> Seat:
    """The seat nearest to the area in which the actor may draft. Raises NotFound, Forbidden."""
    first = actor.seat_for(Permission.POLICIES_DRAFT, area_code=area_code)
    allowed = [seat for seat in actor.seats_over(area_code) if Permission.POLICIES_DRAFT in seat.permissions]
    return max(allowed, key=lambda seat: len(seat.area_code), default=first)


def office_seat(actor: Actor, draft: DraftRecord) -> Seat:
    """The seat of the actor in the office that drafted. Raises NotFound, Forbidden for any other office."""
    drafting_seat(actor, draft.area_code)
    for seat in actor.seats_over(draft.area_code):
        if seat.office_id == draft.office_id and Permission.POLICIES_DRAFT in seat.permissions:
            return seat
    raise Forbidden(
        "The draft is another office's.",
        remedy="Ask the office that drafted it, or comment on it.",
        data={"office_id": str(draft.office_id)},
    )


async def draft(kawal: Kawal, call: Call, request: DraftInput) -> tuple[Created, bool]:
    """Write a draft and try it on the open cases of its area; nothing changes for them, and nobody is asked yet.

    Raises InvalidInput naming every rule it breaks, NotFound, Forbidden, DraftOutdated, IdempotencyKeyReused.
    """
    late = _late(request.effective_from, at=call.at)
    policy = read_in(request.policy, beside=late)
    seat = drafting_seat(call.actor, policy.area_code)
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:

        async def write() -> Created:
            if late:
                raise InvalidInput(late)
            base_id = await _base(connection, policy.area_code, request.based_on, default=None, at=call.at)
            trial = await try_on(kawal, connection, policy, at=call.at)
            text = _Text(policy, base_id, request.effective_from, request.note, trial)
            return Created(id=await _begin(connection, call, seat, text))

        asked = _understood(None, policy, request)
        return await once(connection, call, asked, write, answer=Created, route=DRAFT, vault=kawal.vault)


async def amend(kawal: Kawal, call: Call, draft_id: UUID, request: DraftInput) -> tuple[Created, bool]:
    """Write the next revision. If the draft is on show, it is shown anew for the whole time; comments stay.

    Raises what `draft` does, StaleVersion, NotPossibleNow for a draft that has ended.
    """
    late = _late(request.effective_from, at=call.at)
    policy = read_in(request.policy, beside=late)
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        await lock_draft(connection, draft_id)
        found = await find_draft(connection, draft_id)
        seat = office_seat(call.actor, found)

        async def write() -> Created:
            require_version(call.holds, found.version)
            check_open(await standing_of(connection, found))
            wrong = late if policy.area_code == found.area_code else [*late, _other_area(found.area_code)]
            if wrong:
                raise InvalidInput(wrong)
            default = found.base_id
            base_id = await _base(connection, found.area_code, request.based_on, default=default, at=call.at)
            trial = await try_on(kawal, connection, policy, at=call.at)
            text = _Text(policy, base_id, request.effective_from, request.note, trial)
            await _go_on(kawal, connection, call, seat, found, text)
            return Created(id=found.id)

        asked = _understood(draft_id, policy, request)
        return await once(connection, call, asked, write, answer=Created, route=AMEND, vault=kawal.vault)


def _understood(draft_id: UUID | None, policy: Policy, request: DraftInput) -> _Written:
    return _Written(
        draft_id=draft_id,
        policy=policy,
        effective_from=request.effective_from,
        based_on=request.based_on,
        note=request.note,
    )


async def _base(
    connection: AsyncConnection,
    area_code: str,
    asked: UUID | None,
    *,
    default: UUID | None,
    at: datetime,
) -> UUID:
    """What the draft builds on: the last version of its area, or the one in force. Raises DraftOutdated."""
    last: UUID = (await last_version(connection, area_code, at=at)).id
    wanted = asked or default or last
    if wanted in {last, default}:
        return wanted
    if wanted != (await version_in_force(connection, area_code, at=at)).id:
        raise outdated(last)
    return wanted


async def _begin(connection: AsyncConnection, call: Call, seat: Seat, text: _Text) -> UUID:
    draft_id, area_code = new_id(), text.policy.area_code
    await connection.execute(
        insert(PolicyDraft).values(
            id=draft_id,
            area_code=area_code,
            office_id=seat.office_id,
            drafted_by=call.actor.user_id,
            drafted_at=call.at,
            status=DraftStatus.WRITTEN.value,
            revision=1,
            version=1,
        ),
    )
    await _add_revision(connection, call, seat, draft_id, text, revision=1)
    await note(connection, call, seat, draft_id, AuditType.POLICY_DRAFTED, area_code=area_code, **_told(text, 1))
    return draft_id


async def _go_on(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    seat: Seat,
    found: DraftRecord,
    text: _Text,
) -> None:
    revision = found.revision + 1
    await _add_revision(connection, call, seat, found.id, text, revision=revision)
    anew: dict[str, object] = {}
    if found.status is DraftStatus.IN_CONSULTATION:
        anew = await showing(kawal, connection, found.area_code, at=call.at)
        await tell(connection, "policy_amended", draft_id=found.id, area_code=found.area_code, at=call.at)
    await change_draft(connection, found, revision=revision, **anew)
    told = _told(text, revision)
    await note(connection, call, seat, found.id, AuditType.POLICY_AMENDED, area_code=found.area_code, **told)


def _told(text: _Text, revision: int) -> dict[str, JsonValue]:
    return {
        "revision": revision,
        "based_on": str(text.base_id),
        "open_cases": text.trial.open_cases,
        "affected": text.trial.affected,
    }


async def _add_revision(
    connection: AsyncConnection,
    call: Call,
    seat: Seat,
    draft_id: UUID,
    text: _Text,
    *,
    revision: int,
) -> None:
    await connection.execute(
        insert(DraftRevision).values(
            draft_id=draft_id,
            revision=revision,
            area_code=text.policy.area_code,
            base_id=text.base_id,
            document=text.policy.model_dump(mode="json"),
            effective_from=text.effective_from,
            note=text.note,
            trial=text.trial.model_dump(mode="json"),
            written_by=call.actor.user_id,
            on_behalf_of=seat.on_behalf_of,
            written_at=call.at,
        ),
    )


async def open_consultation(kawal: Kawal, actor: Actor, draft_id: UUID) -> None:
    """Show the draft to everybody who works in its area, for the time that the policy in force gives them.

    Raises NotFound, Forbidden, NotPossibleNow.
    """
    at = kawal.now()
    call = Call(actor=actor, key="", at=at)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        await lock_draft(connection, draft_id)
        found = await find_draft(connection, draft_id)
        seat = office_seat(actor, found)
        check_may_open(await standing_of(connection, found))
        shown = await show(kawal, connection, found, at=at)
        until = {"revision": found.revision, "until": shown.due_at.isoformat()}
        kind = AuditType.POLICY_CONSULTATION_OPENED
        await note(connection, call, seat, draft_id, kind, area_code=found.area_code, **until)


async def show(kawal: Kawal, connection: AsyncConnection, found: DraftRecord, *, at: datetime) -> Deadline:
    """Open the consultation of a draft that is locked, and tell everybody; until when."""
    changes = await showing(kawal, connection, found.area_code, at=at)
    await change_draft(connection, found, **changes)
    await tell(connection, "policy_consultation", draft_id=found.id, area_code=found.area_code, at=at)
    return Deadline.model_validate(changes["deadline"])


async def showing(kawal: Kawal, connection: AsyncConnection, area_code: str, *, at: datetime) -> dict[str, object]:
    """The columns of a draft that is on show from now on."""
    in_force = (await kawal.rules.policy_in_force(connection, area_code, at=at)).policy
    until = await time_from(kawal, connection, area_code, in_force.publication.consultation, at=at)
    return {
        "status": DraftStatus.IN_CONSULTATION.value,
        "opened_at": at,
        "closes_at": until.due_at,
        "deadline": until.model_dump(mode="json"),
    }


async def time_from(
    kawal: Kawal, connection: AsyncConnection, area_code: str, duration: Duration, *, at: datetime
) -> Deadline:
    """The end of a time that begins now, by the calendar of the area."""
    calendar = await kawal.rules.calendar(connection, area_code)
    return compute_deadline(at, duration=duration, calendar=calendar, now=at)


async def withdraw(kawal: Kawal, call: Call, draft_id: UUID, request: WithdrawalInput) -> None:
    """Give the draft up. What was said of it stays; a version of an emergency lapses in its time, or is revoked.

    Raises NotFound, Forbidden, StaleVersion, NotPossibleNow.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        await lock_draft(connection, draft_id)
        found = await find_draft(connection, draft_id)
        seat = office_seat(call.actor, found)
        require_version(call.holds, found.version)
        check_open(await standing_of(connection, found))
        await change_draft(connection, found, status=DraftStatus.WITHDRAWN.value)
        if found.opened_at is not None:
            await tell(connection, "policy_withdrawn", draft_id=draft_id, area_code=found.area_code, at=call.at)
        kind = AuditType.POLICY_DRAFT_WITHDRAWN
        why = {"revision": found.revision, "note": request.note}
        await note(connection, call, seat, draft_id, kind, area_code=found.area_code, **why)


async def note(
    connection: AsyncConnection,
    call: Call,
    seat: Seat,
    draft_id: UUID,
    kind: AuditType,
    *,
    area_code: str,
    **data: JsonValue,
) -> None:
    """Append to the trail of the draft."""
    entry = Entry(type=kind, by=Doer.of(call.actor, seat), data=data)
    await trail.record(connection, stream_of_draft(draft_id), [entry], at=call.at, area_code=area_code)


def _late(effective_from: datetime | None, *, at: datetime) -> list[Violation]:
    if effective_from is None or effective_from >= at:
        return []
    return [
        Violation(
            pointer="/effective_from",
            code="effective_in_the_past",
            detail="A policy cannot take effect before it is published.",
            remedy="Name a moment to come, or leave it out: it then takes effect when it is published.",
        ),
    ]


def _other_area(area_code: str) -> Violation:
    return Violation(
        pointer="/policy/area_code",
        code="another_area",
        detail=f"The draft is one for {area_code}.",
        remedy="Make a draft of its own for another area.",
    )
