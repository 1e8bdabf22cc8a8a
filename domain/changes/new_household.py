"""Usulan baru: a household that the registry does not hold yet."""

from __future__ import annotations

from typing import Literal

from domain.changes.base import Effect, KindSpec
from domain.changes.registration import Registration, check_registration, expectations, founding
from domain.evidence import EvidenceType
from domain.household import Household
from domain.vocabulary import Kind


class NewHousehold(Registration, frozen=True):
    """A household found in the village."""

    kind: Literal[Kind.NEW_HOUSEHOLD] = Kind.NEW_HOUSEHOLD


def effect(change: NewHousehold, base: Household | None) -> Effect:
    """One household founded; `base` is None for this kind."""
    del base
    return Effect(founding=founding(change), verifies=True)


SPEC = KindSpec(
    kind=Kind.NEW_HOUSEHOLD,
    model=NewHousehold,
    needs_household=False,
    evidence=(
        frozenset({EvidenceType.KK}),
        frozenset({EvidenceType.KTP}),
        frozenset({EvidenceType.HOUSE_PHOTO}),
    ),
    check=check_registration,
    effect=effect,
    expectations=expectations,
)
