"""Invented people and households of Desa Taraju for the unit tests; NIKs agree with sex and birth date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from itertools import count
from uuid import UUID

from domain.changes import SubmissionContext
from domain.circumstances import Address, Circumstances, Floor
from domain.evidence import EvidenceRef, EvidenceType
from domain.household import Household, Member, MemberDetails, Relation, Sex

TODAY = date(2026, 3, 2)
VILLAGE = "32.06.13.2001"
EVERY_PAPER = tuple(
    EvidenceRef(type=t, reference="12/2026")
    for t in EvidenceType
    if t not in {EvidenceType.CORRECTION_LETTER, EvidenceType.COURT_ORDER}
)


def nik_of(birth_date: date, sex: Sex, *, serial: int = 1, prefix: str = "320613") -> str:
    day = birth_date.day + (40 if sex is Sex.FEMALE else 0)
    return f"{prefix}{day:02}{birth_date:%m%y}{serial:04}"


def person(
    name: str,
    relation: Relation,
    *,
    born: date = date(1980, 5, 17),
    sex: Sex = Sex.FEMALE,
    serial: int = 1,
) -> MemberDetails:
    return MemberDetails(
        nik=nik_of(born, sex, serial=serial),
        name=name,
        sex=sex,
        birth_date=born,
        relation=relation,
    )


def member(number: int, details: MemberDetails) -> Member:
    return Member(id=UUID(int=number), **dict(details))


HEAD = member(1, person("Asep Sutisna", Relation.HEAD, born=date(1978, 1, 9), sex=Sex.MALE))
SPOUSE = member(2, person("Euis Komariah", Relation.SPOUSE))
CHILD = member(3, person("Dede Rohimat", Relation.CHILD, born=date(2004, 2, 29), sex=Sex.MALE))
MOTHER = member(4, person("Mak Icih", Relation.PARENT, born=date(1951, 12, 31)))


def family(*members: Member) -> Household:
    return Household(
        id=UUID(int=100),
        version=3,
        area_code=VILLAGE,
        kk_number="3206130101100007",
        address=Address(hamlet="Cikadu", rt="1", rw="2"),
        circumstances=Circumstances(floor=Floor.CEMENT, power_va=450),
        members=members or (HEAD, SPOUSE, CHILD, MOTHER),
        desil=2,
        last_verified_on=date(2024, 7, 1),
    )


DUPLICATE = Household(
    id=UUID(int=200),
    version=2,
    area_code=VILLAGE,
    kk_number="3206130101100099",
    address=Address(hamlet="Cikadu", rt="1", rw="2"),
    circumstances=Circumstances(),
    members=(
        member(21, person("Asep Sutisna", Relation.HEAD, born=date(1978, 1, 9), sex=Sex.MALE)),
        member(22, person("Neng Rahma", Relation.CHILD, born=date(2012, 7, 3), serial=9)),
    ),
)
"""The head of `family()` once more, with a daughter who is missing there."""


def context(
    base: Household | None = None,
    *,
    evidence: tuple[EvidenceRef, ...] = EVERY_PAPER,
    counterpart: Household | None = DUPLICATE,
) -> SubmissionContext:
    return SubmissionContext(today=TODAY, evidence=evidence, base=base, area_code=VILLAGE, counterpart=counterpart)


def ids(start: int = 1000) -> Callable[[], UUID]:
    numbers: Iterator[int] = count(start)
    return lambda: UUID(int=next(numbers))
