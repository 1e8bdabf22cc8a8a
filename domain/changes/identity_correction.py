"""Perbaikan NIK, nomor KK, nama: what the registry holds of a person is not what their papers say."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from domain.changes.base import (
    ChangeBase,
    Edit,
    Effect,
    IdentityExpectation,
    KindSpec,
    SubmissionContext,
    expect,
    known,
)
from domain.changes.persons import active_member, check_birth_date, check_distinct_niks, check_named, check_number
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household, Member, Sex
from domain.identity import check_kk
from domain.text import IdentityNumber, IsoDate, PersonName
from domain.vocabulary import Kind

_PERSONAL = ("nik", "name", "birth_date", "sex")
_COUPLED = ("nik", "birth_date", "sex")
"""A NIK repeats birth date and sex: two corrections that are right alone may be wrong together."""


class IdentityCorrection(ChangeBase, frozen=True):
    """The right values: of one member, of the family card number, or of both."""

    kind: Literal[Kind.IDENTITY_CORRECTION] = Kind.IDENTITY_CORRECTION
    member_id: UUID | None = None
    nik: IdentityNumber | None = Field(default=None, repr=False)
    name: PersonName | None = None
    birth_date: IsoDate | None = None
    sex: Sex | None = None
    kk_number: IdentityNumber | None = Field(default=None, repr=False)


def check(change: IdentityCorrection, context: SubmissionContext) -> list[Violation]:
    """Something is corrected, and the person as corrected is sound."""
    household = context.household
    violations = check_kk(change.kk_number, pointer="/change/kk_number") if change.kk_number else []
    if change.member_id is None:
        return violations + _check_without_member(change)
    violations += check_named(household, [("/change/member_id", change.member_id)])
    member = active_member(household, change.member_id)
    if member is not None:
        violations += _check_person(change, member, context)
    if not _proposed(change):
        violations.append(_nothing_proposed())
    return violations


def effect(change: IdentityCorrection, base: Household | None) -> Effect:
    """The corrected fields; a person given a NIK no longer needs a reason for having none.

    The member must still be here: who was split off meanwhile is to be corrected in their new household.
    """
    del base
    proposed = _proposed(change)
    prefix = f"/members/{change.member_id}"
    edits = [Edit(f"{prefix}/{name}", value) for name, value in proposed.items()]
    if change.nik is not None:
        edits.append(Edit(f"{prefix}/no_nik_reason", None))
    if change.kk_number is not None:
        edits.append(Edit("/kk_number", change.kk_number))
    coupled = _COUPLED if any(name in proposed for name in _COUPLED) else ()
    relied_on = ("status", *coupled) if proposed else ()
    return Effect(edits=tuple(edits), relies_on=tuple(f"{prefix}/{name}" for name in relied_on))


def expectations(change: IdentityCorrection, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """The member as corrected; the head, if only the card number is."""
    household = known(base)
    kk_number = change.kk_number or household.kk_number
    person = household.member(change.member_id) if change.member_id else household.head
    if person is None:
        return ()
    return expect(_corrected(change, person), key=str(person.id), kk_number=kk_number)


def _proposed(change: IdentityCorrection) -> dict[str, object]:
    values = {name: getattr(change, name) for name in _PERSONAL}
    return {name: value for name, value in values.items() if value is not None}


def _corrected(change: IdentityCorrection, member: Member) -> Member:
    cleared = {"no_nik_reason": None} if change.nik is not None else {}
    return member.model_copy(update={**_proposed(change), **cleared})


def _check_person(change: IdentityCorrection, member: Member, context: SubmissionContext) -> list[Violation]:
    """Only what is corrected, and what hangs together with it: the rest was accepted on other papers."""
    violations: list[Violation] = []
    if change.birth_date is not None:
        violations += check_birth_date(change.birth_date, today=context.today, pointer="/change/birth_date")
    person = _corrected(change, member)
    coupled = [name for name in _COUPLED if name in _proposed(change)]
    if coupled and person.nik is not None:
        violations += check_number(person, nik=person.nik, context=context, pointer=f"/change/{coupled[0]}")
    return violations + check_distinct_niks(
        {"/change/nik": change.nik},
        household=context.household,
        except_for=member.id,
    )


def _check_without_member(change: IdentityCorrection) -> list[Violation]:
    if _proposed(change):
        return [
            Violation(
                pointer="/change/member_id",
                code="member_required",
                detail="A person's values are corrected, but it is not said whose.",
                remedy="Name the member in `member_id`.",
            ),
        ]
    return [] if change.kk_number else [_nothing_proposed()]


def _nothing_proposed() -> Violation:
    return Violation(
        pointer="/change",
        code="nothing_proposed",
        detail="The change corrects nothing.",
        remedy="Give the right value of nik, name, birth_date or sex of a member, or of kk_number.",
    )


SPEC = KindSpec(
    kind=Kind.IDENTITY_CORRECTION,
    model=IdentityCorrection,
    needs_household=True,
    evidence=(
        frozenset(
            {
                EvidenceType.KTP,
                EvidenceType.KK,
                EvidenceType.BIRTH_CERTIFICATE,
                EvidenceType.COURT_ORDER,
                EvidenceType.CORRECTION_LETTER,
            },
        ),
    ),
    check=check,
    effect=effect,
    expectations=expectations,
)
