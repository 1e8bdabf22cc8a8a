"""Checks of the people that a change names: the particulars of one person, and members referred to by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from domain.changes.base import SubmissionContext
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household, Member, MemberDetails, MemberStatus
from domain.identity import check_nik

OLDEST_YEARS = 125
NEWBORN_DAYS = 365
"""A child without a NIK past this age is undocumented, not newborn (a proposal, no regulation sets it)."""

_EXPLAINED = frozenset({"nik_birth_date_differs", "nik_sex_differs"})
"""A corrected birth date or sex does not change the NIK: with the paper to show for it, they may differ."""


def check_person(person: MemberDetails, *, context: SubmissionContext, pointer: str) -> list[Violation]:
    """Everything wrong with one person's particulars, below `pointer`."""
    violations = check_birth_date(person.birth_date, today=context.today, pointer=f"{pointer}/birth_date")
    if person.nik is None:
        return violations + _check_no_nik(person, today=context.today, pointer=pointer)
    if person.no_nik_reason is not None:
        violations.append(
            Violation(
                pointer=f"{pointer}/no_nik_reason",
                code="nik_reason_not_needed",
                detail="A person with a NIK needs no reason for having none.",
                remedy="Leave out either the NIK or the reason.",
            ),
        )
    return violations + check_number(person, nik=person.nik, context=context, pointer=f"{pointer}/nik")


def check_number(
    person: MemberDetails,
    *,
    nik: str,
    context: SubmissionContext,
    pointer: str,
) -> list[Violation]:
    """The NIK against the person; a correction letter or court order explains a different birth date or sex."""
    found = check_nik(
        nik,
        birth_date=person.birth_date,
        sex=person.sex,
        today=context.today,
        pointer=pointer,
    )
    if context.has_any(EvidenceType.CORRECTION_LETTER, EvidenceType.COURT_ORDER):
        return [v for v in found if v.code not in _EXPLAINED]
    return found


def check_distinct_niks(
    proposed: Mapping[str, str | None],
    *,
    household: Household | None = None,
    except_for: UUID | None = None,
) -> list[Violation]:
    """`nik_duplicate` for each proposed NIK (by its pointer) that comes twice or that an active member holds."""
    active = household.active_members if household else ()
    seen = {m.nik for m in active if m.id != except_for}
    violations: list[Violation] = []
    for pointer, nik in proposed.items():
        if nik is not None and nik in seen:
            violations.append(
                Violation(
                    pointer=pointer,
                    code="nik_duplicate",
                    detail="Another member of this household already holds this NIK.",
                    remedy="Give each person their own NIK, and nobody twice.",
                ),
            )
        seen.add(nik)
    return violations


def active_member(household: Household, member_id: UUID) -> Member | None:
    """The member of that id who still belongs to the household."""
    member = household.member(member_id)
    return member if member and member.status is MemberStatus.ACTIVE else None


def check_named(household: Household, named: Iterable[tuple[str, UUID]]) -> list[Violation]:
    """`member_unknown` or `member_twice` for each (pointer, id) that is no active member or was named before."""
    seen: set[UUID] = set()
    violations: list[Violation] = []
    for pointer, member_id in named:
        if active_member(household, member_id) is None:
            violations.append(_member_unknown(pointer))
        elif member_id in seen:
            violations.append(
                Violation(
                    pointer=pointer,
                    code="member_twice",
                    detail=f"The member {member_id} is named twice.",
                    remedy="Name every member once.",
                ),
            )
        seen.add(member_id)
    return violations


def check_birth_date(birth_date: date, *, today: date, pointer: str) -> list[Violation]:
    """`date_in_future` or `birth_date_implausible` for a day on which no living person was born."""
    if today.year - birth_date.year > OLDEST_YEARS:
        return [
            Violation(
                pointer=pointer,
                code="birth_date_implausible",
                detail=f"Nobody is older than {OLDEST_YEARS} years.",
                remedy="Correct the year of birth.",
            ),
        ]
    return check_event_date(birth_date, today=today, pointer=pointer)


def check_event_date(day: date, *, today: date, pointer: str) -> list[Violation]:
    """`date_in_future` for something said to have happened that has not."""
    if day <= today:
        return []
    return [
        Violation(
            pointer=pointer,
            code="date_in_future",
            detail=f"The date lies after today, {today.isoformat()}.",
            remedy="Give the date on which it happened.",
        ),
    ]


def _check_no_nik(person: MemberDetails, *, today: date, pointer: str) -> list[Violation]:
    if person.no_nik_reason is None:
        return [
            Violation(
                pointer=f"{pointer}/nik",
                code="nik_required",
                detail="There is neither a NIK nor a reason for having none.",
                remedy="Give the NIK, or `no_nik_reason`: newborn or undocumented.",
            ),
        ]
    if person.no_nik_reason == "newborn" and (today - person.birth_date).days > NEWBORN_DAYS:
        return [
            Violation(
                pointer=f"{pointer}/no_nik_reason",
                code="newborn_too_old",
                detail=f"A child of more than {NEWBORN_DAYS} days is not newborn.",
                remedy="Give the NIK, or the reason undocumented: the case then refers them to Disdukcapil.",
            ),
        ]
    return []


def _member_unknown(pointer: str) -> Violation:
    return Violation(
        pointer=pointer,
        code="member_unknown",
        detail="There is no active member of this id in the household.",
        remedy="Read the household and use the id of one of its active members.",
    )
