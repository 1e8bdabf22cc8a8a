"""Pindah masuk: a household has come to live in the village."""

from __future__ import annotations

from typing import Literal

from domain.changes.base import Effect, KindSpec, SubmissionContext
from domain.changes.persons import check_event_date
from domain.changes.places import AreaCode, CountryCode, Elsewhere, check_elsewhere
from domain.changes.registration import Registration, check_registration, expectations, founding
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household
from domain.text import IsoDate
from domain.vocabulary import Kind


class MoveIn(Registration, frozen=True):
    """Who came, when, and from where: an area of any level, or a country by its ISO 3166-1 code.

    Who still stands elsewhere is found by their NIK, and the village there is to say that they left. A single person
    who joins a household of the village is an `add_member`.
    """

    kind: Literal[Kind.MOVE_IN] = Kind.MOVE_IN
    moved_on: IsoDate
    origin_area: AreaCode | None = None
    origin_country: CountryCode | None = None


def check(change: MoveIn, context: SubmissionContext) -> list[Violation]:
    """The household is sound, and when and from where it came is clear."""
    origin = Elsewhere("origin", change.origin_area, change.origin_country)
    violations = check_event_date(change.moved_on, today=context.today, pointer="/change/moved_on")
    violations += check_elsewhere(origin, area_code=context.area_code)
    return violations + check_registration(change, context)


def effect(change: MoveIn, base: Household | None) -> Effect:
    """One household founded, with where it came from; `base` is None for this kind."""
    del base
    came_from = change.origin_area or change.origin_country
    return Effect(founding=founding(change, came_from=came_from, came_on=change.moved_on), verifies=True)


SPEC = KindSpec(
    kind=Kind.MOVE_IN,
    model=MoveIn,
    needs_household=False,
    evidence=(
        frozenset({EvidenceType.KK}),
        frozenset({EvidenceType.RELOCATION_LETTER, EvidenceType.SPTJM}),
        frozenset({EvidenceType.HOUSE_PHOTO}),
    ),
    check=check,
    effect=effect,
    expectations=expectations,
)
