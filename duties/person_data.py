"""Gathering what is held on one NIK in an area, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import (
    DataSubjectDigest,
    DataSubjectRequest,
    Decision,
    Evidence,
    GroundReport,
    HouseholdVersion,
    IdentityDigest,
    IdentityResult,
    Notification,
    Office,
    Reading,
    Revision,
    Update,
    UpdateEvidence,
)
from db.repositories.cases import revision_context
from db.repositories.disclosure import explanation_context
from db.repositories.registry import open_household
from db.repositories.rules import Rules
from db.vault import Vault
from domain.authority import covers
from domain.changes import CHANGE_ADAPTER, Change
from domain.decisions import Minutes
from domain.disclosure import GROUND_ARTICLES, PURPOSES, Purpose
from domain.ground_checks import GroundContent, report_context
from domain.household import Household as HouseholdSnapshot
from domain.person_export import (
    CaseHeld,
    DecisionHeld,
    FileHeld,
    GroundReportHeld,
    HouseholdHeld,
    IdentityHeld,
    NotificationHeld,
    PersonExport,
    ReadingHeld,
    RequestHeld,
    RevisionHeld,
    change_as_held,
)
from domain.policy import Policy
from domain.vocabulary import ReasonCode
from duties.evidence_sweep import Begin

PAGE: Final = 100
"""Rows that are read at a time."""
MOST: Final = 2_000
"""Households, cases, readings and requests that one document holds, of each."""


class _Found(NamedTuple):
    """Where the NIK stands, in the area, and whether it does anywhere else."""

    households: list[UUID]
    updates: list[UUID]
    elsewhere: bool


class _Person(NamedTuple):
    """Who the data are of: the number, the name and the ids as a member, as they came to be known."""

    nik: str
    members: frozenset[str]
    names: frozenset[str]


async def gather(
    begin: Begin,
    vault: Vault,
    *,
    request_id: UUID,
    nik: str,
    area_code: str,
    at: datetime,
) -> PersonExport:
    """Everything held on the NIK in the area; `held` is false where nothing is."""
    digests = vault.lookups([nik], purpose="nik")
    async with begin() as connection:
        found = await _find(connection, digests, area_code=area_code)
    households, person = await _households(begin, vault, found.households, nik=nik)
    async with begin() as connection:
        updates = await _updates(connection, found, area_code=area_code)
    cases: list[CaseHeld] = []
    for start in range(0, len(updates), PAGE):
        cases += [case async for case in _cases(begin, vault, updates[start:][:PAGE], person)]
    async with begin() as connection:
        readings = await _readings(connection, vault, found.households, updates, area_code=area_code)
        requests = await _requests(connection, digests, besides=request_id, area_code=area_code)
    return PersonExport(
        request_id=request_id,
        made_at=at,
        area_code=area_code,
        nik=nik,
        held=bool(households or cases),
        held_elsewhere=found.elsewhere,
        households=tuple(households),
        cases=tuple(cases),
        readings=tuple(readings),
        requests=tuple(requests),
        truncated=MOST in {len(found.households), len(updates), len(readings), len(requests)},
    )


async def _find(connection: AsyncConnection, digests: list[bytes], *, area_code: str) -> _Found:
    wanted = select(IdentityDigest.household_id, IdentityDigest.update_id, IdentityDigest.area_code)
    rows = (await connection.execute(wanted.where(IdentityDigest.digest.in_(digests)).distinct())).all()
    inside = [row for row in rows if covers(area_code, row.area_code)]
    return _Found(
        sorted({row.household_id for row in inside if row.household_id})[:MOST],
        sorted({row.update_id for row in inside if row.update_id})[:MOST],
        len(inside) < len(rows),
    )


async def _households(
    begin: Begin,
    vault: Vault,
    ids: list[UUID],
    *,
    nik: str,
) -> tuple[list[HouseholdHeld], _Person]:
    held: list[HouseholdHeld] = []
    members, names = set[str](), set[str]()
    for household_id in ids:
        async for row in _pages(begin, _versions(household_id)):
            snapshot = open_household(row, vault=vault)
            for member in snapshot.members:
                if member.nik == nik or (str(member.id) in members):
                    members.add(str(member.id))
                    names.add(member.name.casefold())
                    held.append(_household(row, snapshot, str(member.id)))
    return held, _Person(nik, frozenset(members), frozenset(names))


def _versions(household_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(
            HouseholdVersion.household_id.label("id"),
            HouseholdVersion.version,
            HouseholdVersion.content,
            HouseholdVersion.applied_at,
            HouseholdVersion.update_id,
        )
        .where(HouseholdVersion.household_id == household_id)
        .order_by(HouseholdVersion.version)
    )


def _household(row: Row[*tuple[Any, ...]], snapshot: HouseholdSnapshot, member_id: str) -> HouseholdHeld:
    told = snapshot.model_dump(mode="json")
    return HouseholdHeld(
        household_id=row.id,
        version=row.version,
        applied_at=row.applied_at,
        by_update=row.update_id,
        area_code=snapshot.area_code,
        kk_number=snapshot.kk_number,
        address=told["address"],
        circumstances=told["circumstances"],
        programmes=told["programmes"],
        desil=snapshot.desil,
        person=next(member for member in told["members"] if member["id"] == member_id),
        other_members=tuple(m["relation"] for m in told["members"] if m["id"] != member_id),
    )


async def _updates(connection: AsyncConnection, found: _Found, *, area_code: str) -> list[UUID]:
    """The cases that name the NIK, and those of its households, the oldest first."""
    wanted = select(Update.id, Update.area_code).where(
        or_(Update.id.in_(found.updates), Update.household_id.in_(found.households)),
    )
    rows = await connection.execute(wanted.order_by(Update.id).limit(MOST))
    return [row.id for row in rows if covers(area_code, row.area_code)]


async def _cases(begin: Begin, vault: Vault, ids: Collection[UUID], person: _Person) -> AsyncGenerator[CaseHeld]:
    """Some cases with all that belongs to them."""
    async with begin() as connection:
        cases = (await connection.execute(select(Update.__table__).where(Update.id.in_(ids)).order_by(Update.id))).all()
        beside = {
            model: await _beside(connection, model, ids)
            for model in (Revision, Decision, IdentityResult, Notification, GroundReport)
        }
        files = await _files(connection, ids)
        offices = {row.id: row.name for row in await connection.execute(select(Office.id, Office.name))}
        rules = Rules()
        policies = {case.id: await rules.policy(connection, case.policy_version_id) for case in cases}
    for case in cases:
        revisions = beside[Revision][case.id]
        changes = [
            vault.open_as(row.change, CHANGE_ADAPTER, context=revision_context(row.update_id, row.revision))
            for row in revisions
            if row.change is not None
        ]
        mine = _keys_of(changes, person)
        yield CaseHeld(
            id=case.id,
            tracking_code=case.tracking_code,
            kind=case.kind,
            status=case.status,
            stage=case.stage,
            area_code=case.area_code,
            submitted_at=case.submitted_at,
            closed_at=case.closed_at,
            erased_at=case.erased_at,
            findings=tuple(str(finding.get("code")) for finding in case.findings),
            revisions=tuple(_revision(row, vault, person) for row in revisions),
            decisions=tuple(_decision(row, policies[case.id], offices, person) for row in beside[Decision][case.id]),
            identity=tuple(
                IdentityHeld(result=row.result, fields=tuple(row.fields), checked_at=row.checked_at)
                for row in beside[IdentityResult][case.id]
                if row.person_key in mine
            ),
            evidence=tuple(_file(row) for row in files[case.id]),
            ground_reports=_ground_reports(beside[GroundReport][case.id], vault, offices),
            notifications=tuple(
                NotificationHeld(subject=row.subject, to_role=row.to_role, at=row.created_at)
                for row in beside[Notification][case.id]
            ),
        )


def _keys_of(changes: Iterable[Change], person: _Person) -> frozenset[str]:
    """By which keys the civil registry's answers in a case are of the person: as a member, or as somebody new."""
    asked = set[str]()
    for change in changes:
        told: dict[str, Any] = change.model_dump(mode="json")
        newcomers: list[Any] = [told.get("member"), *(told.get("members") or ())]
        niks = [one.get("nik") for one in newcomers if one is not None and hasattr(one, "get")]
        asked |= {f"new:{place}" for place, nik in enumerate(niks) if nik == person.nik}
    return person.members | asked


async def _beside(connection: AsyncConnection, model: Any, ids: Collection[UUID]) -> dict[UUID, list[Any]]:
    """The rows of a table that belong to these cases, in their order, by case."""
    table = model.__table__
    wanted = select(table).where(table.c.update_id.in_(ids))
    rows = await connection.execute(wanted.order_by(*table.primary_key.columns))
    grouped: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row.update_id].append(row)
    return grouped


async def _files(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[Any]]:
    columns = (Evidence.id, Evidence.type, Evidence.kept_at, Evidence.size, Evidence.erased_at)
    wanted = select(*columns, UpdateEvidence.update_id).join(UpdateEvidence, UpdateEvidence.evidence_id == Evidence.id)
    grouped: dict[UUID, list[Any]] = defaultdict(list)
    for row in await connection.execute(wanted.where(UpdateEvidence.update_id.in_(ids)).order_by(Evidence.id)):
        grouped[row.update_id].append(row)
    return grouped


def _revision(row: Any, vault: Vault, person: _Person) -> RevisionHeld:
    told = None
    if row.change is not None:
        context = revision_context(row.update_id, row.revision)
        change = vault.open_as(row.change, CHANGE_ADAPTER, context=context)
        told = change_as_held(change.model_dump(mode="json"), nik=person.nik, members=person.members)
    return RevisionHeld(revision=row.revision, submitted_at=row.submitted_at, change=told, erased_at=row.erased_at)


def _decision(row: Any, policy: Policy, offices: dict[UUID, str], person: _Person) -> DecisionHeld:
    reason = None if row.reason is None else policy.reason(ReasonCode(row.reason)).public_text
    minutes = None if row.minutes is None else Minutes.model_validate(row.minutes)
    attended = () if minutes is None else minutes.attended
    named = any(name in who.casefold() for name in person.names for who in attended)
    return DecisionHeld(
        stage=row.stage,
        outcome=row.outcome,
        reason=reason,
        decided_by=row.decided_by,
        role=row.actor_role,
        office=offices.get(row.office_id),
        decided_at=row.decided_at,
        minutes=minutes.model_dump(mode="json", exclude={"attended"}) if minutes is not None and named else None,
    )


def _ground_reports(rows: list[Any], vault: Vault, offices: dict[UUID, str]) -> tuple[GroundReportHeld, ...]:
    superseded = {row.supersedes for row in rows}
    return tuple(
        GroundReportHeld(
            outcome=row.outcome,
            differs=tuple(row.differs),
            seen=_seen(row, vault),
            role=row.role,
            office=offices.get(row.office_id),
            filed_at=row.filed_at,
            superseded=row.id in superseded,
        )
        for row in rows
    )


def _seen(row: Any, vault: Vault) -> dict[str, Any] | None:
    """All of it but the officer's own words, as with decisions."""
    if row.content is None:
        return None
    content = vault.open(row.content, GroundContent, context=report_context(row.id))
    return content.model_dump(mode="json", exclude={"note", "point"}, exclude_defaults=True)


def _file(row: Any) -> FileHeld:
    link = None if row.erased_at is not None else f"/v1/evidence/{row.id}"
    return FileHeld(id=row.id, type=row.type, kept_at=row.kept_at, size=row.size, erased_at=row.erased_at, link=link)


async def _readings(
    connection: AsyncConnection,
    vault: Vault,
    households: list[UUID],
    updates: list[UUID],
    *,
    area_code: str,
) -> list[ReadingHeld]:
    wanted = (
        select(Reading.__table__, Office.name.label("office_name"))
        .outerjoin(Office, Office.id == Reading.office_id)
        .where(or_(Reading.household_id.in_(households), Reading.update_id.in_(updates)))
        .order_by(Reading.id.desc())
        .limit(MOST)
    )
    return [
        ReadingHeld(
            at=row.at,
            role=row.actor_role,
            office=row.office_name,
            subject=row.subject,
            purpose=PURPOSES[Purpose(row.purpose)].words,
            ground=GROUND_ARTICLES[PURPOSES[Purpose(row.purpose)].ground],
            explanation=vault.open_text(row.explanation, context=explanation_context(row.id)),
        )
        for row in await connection.execute(wanted)
        if covers(area_code, row.area_code)
    ]


async def _requests(
    connection: AsyncConnection,
    digests: list[bytes],
    *,
    besides: UUID,
    area_code: str,
) -> list[RequestHeld]:
    of_person = select(DataSubjectDigest.request_id).where(DataSubjectDigest.digest.in_(digests))
    wanted = (
        select(DataSubjectRequest.__table__)
        .where(DataSubjectRequest.id.in_(of_person), DataSubjectRequest.id != besides)
        .order_by(DataSubjectRequest.id)
        .limit(MOST)
    )
    return [
        RequestHeld(
            id=row.id,
            kind=row.kind,
            state=row.state,
            requested_at=row.requested_at,
            answered_at=row.answered_at,
        )
        for row in await connection.execute(wanted)
        if covers(area_code, row.area_code)
    ]


async def _pages(begin: Begin, wanted: Select[*tuple[Any, ...]]) -> AsyncGenerator[Row[*tuple[Any, ...]]]:
    """The rows of a statement whose order does not change, a page in each transaction."""
    offset = 0
    while True:
        async with begin() as connection:
            rows = (await connection.execute(wanted.limit(PAGE).offset(offset))).all()
        for row in rows:
            yield row
        if len(rows) < PAGE:
            return
        offset += PAGE
