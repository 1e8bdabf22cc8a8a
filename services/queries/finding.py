"""What a person types to find a case or a household: a tracking code, a NIK or a KK number. It is never kept."""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, and_, or_, select

from db.models import Household, IdentityDigest, Update
from db.vault import Vault
from domain.errors import InvalidInput, NotFound, Violation
from domain.ids import normalise_tracking_code

_SIXTEEN_DIGITS = re.compile(r"[0-9]{16}")
_PURPOSES = ("nik", "kk")


def updates_found_by(term: str, *, vault: Vault) -> ColumnElement[bool]:
    """That an update bears this tracking code, or concerns the person or family card of this number.

    Raises InvalidInput for what is neither.
    """
    number = _number(term)
    if number is not None:
        of_update = select(IdentityDigest.update_id).where(_bears(number, vault))
        of_household = select(IdentityDigest.household_id).where(_bears(number, vault))
        return or_(Update.id.in_(of_update), Update.household_id.in_(of_household))
    try:
        return Update.tracking_code == normalise_tracking_code(term)
    except NotFound:
        raise _neither("a tracking code, or a NIK or KK number of 16 digits") from None


def households_found_by(term: str, *, vault: Vault) -> ColumnElement[bool]:
    """That a household bears this KK number, or somebody in it this NIK. Raises InvalidInput for what is neither."""
    number = _number(term)
    if number is None:
        raise _neither("a NIK or KK number of 16 digits")
    return Household.id.in_(select(IdentityDigest.household_id).where(_bears(number, vault)))


def _number(term: str) -> str | None:
    plain = re.sub(r"[\s.-]", "", term)
    return plain if _SIXTEEN_DIGITS.fullmatch(plain) else None


def _bears(number: str, vault: Vault) -> ColumnElement[bool]:
    digests = [digest for purpose in _PURPOSES for digest in vault.lookups([number], purpose=purpose)]
    return and_(IdentityDigest.digest.in_(digests), IdentityDigest.ended_at.is_(None))


def _neither(expected: str) -> InvalidInput:
    return InvalidInput(
        [
            Violation(
                pointer="/query/q",
                code="search_term_unknown",
                detail=f"What is searched for is {expected}.",
                remedy="Type it as it stands on the paper.",
            ),
        ],
    )
