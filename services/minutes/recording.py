"""Recording minutes: the paper, the acts by which its cases are decided, and the message that has them carried out.

All of it is one transaction, or nothing is. The engine hears of it afterwards; if it does not answer, the dispatcher
tells it later. The head of the village decides, through the ordinary way of a decision: the acts are theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import JsonValue
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import outbox, trail
from db.repositories.idempotency import remember_acts
from db.repositories.minutes import (
    add_minutes,
    find_number,
    find_scan,
    lock_village,
    read_case_facts,
    read_minutes_row,
)
from db.repositories.trail import Doer, Entry, stream_of_minutes
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Permission, Seat
from domain.decisions import DecisionInput, MinutesById
from domain.errors import EngineUnavailable, InvalidInput, NotPossibleNow, Violation
from domain.evidence import EvidenceType
from domain.ids import new_id
from domain.minutes import MinutesInput, PaperFacts, PaperWords, paper_context
from domain.minutes_rules import check_paper
from domain.policy import MinutesRule, default_policy
from domain.requests import DecisionRequest
from domain.vocabulary import MinutesType
from services.kawal import Kawal
from services.keyed import Call, Created, new_act, once

ROUTE: Final = "POST /v1/minutes"
_START_PATIENCE: Final = timedelta(seconds=2.5)
_SCAN_OF: Final = {MinutesType.MUSDES: EvidenceType.MUSDES_MINUTES, MinutesType.SPTJM: EvidenceType.SPTJM}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A paper that was recorded, and whether it had been under this key before."""

    id: UUID
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Desk:
    """One paper in its transaction."""

    kawal: Kawal
    connection: AsyncConnection
    call: Call
    seat: Seat
    paper: MinutesInput


async def record_minutes(kawal: Kawal, call: Call, paper: MinutesInput) -> Recorded:
    """Record a paper, once for each key, and have its cases decided.

    Raises NotFound outside the actor's areas, Forbidden, InvalidInput with every fault, NotPossibleNow for a record
    that cannot be superseded, IdempotencyKeyReused.
    """
    seat = call.actor.seat_for(Permission.MINUTES_RECORD, area_code=paper.area_code)
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        desk = _Desk(kawal, connection, call, seat, paper)
        made, replayed = await once(
            connection, call, paper, lambda: _record(desk), answer=Created, route=ROUTE, vault=kawal.vault
        )
    await _carry_out(kawal, made.id)
    return Recorded(made.id, replayed=replayed)


async def _record(desk: _Desk) -> Created:
    paper, connection = desk.paper, desk.connection
    await lock_village(connection, paper.area_code)
    before = await _superseded(desk)
    violations = await _faults(desk)
    if violations:
        raise InvalidInput(violations)
    minutes_id = new_id()
    acts = [
        new_act(
            desk.call,
            DecisionRequest(
                body=DecisionInput(outcome=case.outcome, reason=case.reason, minutes=MinutesById(id=minutes_id))
            ),
            route=f"{ROUTE}/{minutes_id}",
            vault=desk.kawal.vault,
            update_id=case.update_id,
        )._replace(key=str(case.update_id))
        for case in paper.cases
    ]
    if acts:
        await remember_acts(connection, acts, at=desk.call.at)
    cases = [
        {
            "minutes_id": minutes_id,
            "update_id": case.update_id,
            "area_code": paper.area_code,
            "place": place,
            "outcome": case.outcome.value,
            "reason": case.reason,
            "act_id": act.id,
        }
        for place, (case, act) in enumerate(zip(paper.cases, acts, strict=True), start=1)
    ]
    if not await add_minutes(connection, _row(desk, minutes_id), cases):
        raise InvalidInput([_scan_unknown()])
    await _tell(desk, minutes_id, before)
    await outbox.add_message(connection, outbox.START_MINUTES, subject_id=minutes_id, payload={}, at=desk.call.at)
    return Created(id=minutes_id)


async def _superseded(desk: _Desk) -> Row[*tuple[Any, ...]] | None:
    """The record that this one corrects. Raises NotFound, InvalidInput, NotPossibleNow."""
    if desk.paper.supersedes is None:
        return None
    row = await read_minutes_row(desk.connection, desk.paper.supersedes)
    if row.area_code != desk.paper.area_code or row.type != desk.paper.type.value:
        raise InvalidInput(
            [
                Violation(
                    pointer="/supersedes",
                    code="supersedes_another_paper",
                    detail="A record corrects one of the same village and the same type.",
                    remedy="Name the record that is wrong.",
                )
            ]
        )
    if row.superseded_by is not None:
        raise NotPossibleNow(
            "This record has been superseded.", pointer="/supersedes", remedy=f"Supersede {row.superseded_by}."
        )
    if row.finished_at is None:
        raise NotPossibleNow(
            "This record is still being carried out.",
            pointer="/supersedes",
            remedy=f"Wait until GET /v1/minutes/{row.id} says that it is finished.",
        )
    return row


async def _faults(desk: _Desk) -> list[Violation]:
    paper, connection, kawal = desk.paper, desk.connection, desk.kawal
    in_force = await kawal.rules.policy_in_force(connection, paper.area_code, at=desk.call.at)
    area = await kawal.rules.area(connection, paper.area_code)
    facts = PaperFacts(
        today=desk.call.at.astimezone(ZoneInfo(area.zone)).date(),
        cases=await read_case_facts(connection, [case.update_id for case in paper.cases], area_code=paper.area_code),
        number_taken_by=await find_number(
            connection, paper.area_code, number=paper.number, day=paper.held_on, besides=paper.supersedes
        ),
    )
    rule = in_force.policy.minutes or _rule_of_default()
    return [*check_paper(paper, policy=in_force.policy, rule=rule, facts=facts), *await _scan_faults(desk)]


def _rule_of_default() -> MinutesRule:
    """What a paper is judged by where the policy in force is older than the rule."""
    rule = default_policy().minutes
    if rule is None:
        raise RuntimeError("the default policy has a rule about minutes")
    return rule


async def _scan_faults(desk: _Desk) -> list[Violation]:
    paper = desk.paper
    if paper.scan is None:
        return []
    held = await find_scan(desk.connection, paper.scan, area_code=paper.area_code, besides=paper.supersedes)
    if held is None:
        return [_scan_unknown()]
    if held.type is not _SCAN_OF[paper.type]:
        return [
            _scan_fault(
                "scan_of_other_type",
                f"This file was uploaded as {held.type.value}.",
                f"Upload the scan as {_SCAN_OF[paper.type].value}.",
            )
        ]
    if not held.free:
        return [
            _scan_fault(
                "scan_of_other_minutes", "This file is the scan of another paper.", "Upload the scan of this one."
            )
        ]
    return []


def _scan_unknown() -> Violation:
    return _scan_fault(
        "scan_unknown",
        "The village has no such file, its upload is not finished, or it has been erased since.",
        "Upload the scan for this village (POST /v1/evidence/uploads), and name the id of the upload.",
    )


def _scan_fault(code: str, detail: str, remedy: str) -> Violation:
    return Violation(pointer="/scan", code=code, detail=detail, remedy=remedy)


def _row(desk: _Desk, minutes_id: UUID) -> dict[str, Any]:
    paper, seat, call = desk.paper, desk.seat, desk.call
    return {
        "id": minutes_id,
        "area_code": paper.area_code,
        "type": paper.type.value,
        "number": paper.number,
        "year": paper.held_on.year,
        "held_on": paper.held_on,
        "covers": paper.covers,
        "attendance": [each.model_dump(mode="json") for each in paper.attendance],
        "words": desk.kawal.vault.seal(PaperWords.of(paper), context=paper_context(minutes_id)),
        "scan_id": paper.scan,
        "supersedes": paper.supersedes,
        "recorded_by": call.actor.user_id,
        "role": seat.role.value,
        "office_id": seat.office_id,
        "on_behalf_of": seat.on_behalf_of,
        "recorded_at": call.at,
    }


async def _tell(desk: _Desk, minutes_id: UUID, before: Row[*tuple[Any, ...]] | None) -> None:
    paper, doer = desk.paper, Doer.of(desk.call.actor, desk.seat)
    told: dict[str, JsonValue] = {
        "type": paper.type.value,
        "number": paper.number,
        "held_on": paper.held_on.isoformat(),
        "covers": paper.covers,
        "attendance": {each.group.value: each.present for each in paper.attendance},
        "scan": paper.scan and str(paper.scan),
        "supersedes": paper.supersedes and str(paper.supersedes),
        "cases": [
            {"update": str(case.update_id), "outcome": case.outcome.value, "reason": case.reason}
            for case in paper.cases
        ],
    }
    recorded = Entry(type=AuditType.MINUTES_RECORDED, by=doer, data=told)
    shared: dict[str, Any] = {"at": desk.call.at, "area_code": paper.area_code}
    await trail.record(desk.connection, stream_of_minutes(minutes_id), [recorded], **shared)
    if before is not None:
        corrected = Entry(type=AuditType.MINUTES_SUPERSEDED, by=doer, data={"by": str(minutes_id)})
        await trail.record(desk.connection, stream_of_minutes(before.id), [corrected], **shared)


async def _carry_out(kawal: Kawal, minutes_id: UUID) -> None:
    """Tell the engine at once; if it does not answer in time, the dispatcher tells it: the message stays."""
    try:
        await kawal.engine.carry_out_minutes(minutes_id, within=_START_PATIENCE)
    except EngineUnavailable:
        return
