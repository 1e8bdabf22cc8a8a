"""Bodies of requests about the seeded households, right in every respect, to be sent as they are or spoilt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from devstack.demo_people import TARAJU
from domain.household import Household
from tests.scene import household_of

NIK_OF_DEWI = "3206135203850071"
NIK_OF_UJANG = "3206130904820072"


def yesterday() -> str:
    return (datetime.now(UTC).date() - timedelta(days=1)).isoformat()


def newborn(household: Household | None = None, *, name: str = "Neng Zahra") -> dict[str, Any]:
    """A child without a NIK joins: nobody has to be matched, so the case goes straight to verification."""
    household = household or household_of()
    return {
        "area_code": household.area_code,
        "household_id": str(household.id),
        "household_version": household.version,
        "change": {
            "kind": "add_member",
            "member": {
                "name": name,
                "sex": "female",
                "birth_date": yesterday(),
                "relation": "child",
                "no_nik_reason": "newborn",
            },
        },
        "evidence": [
            {"type": "birth_statement", "reference": "474.1/12/2026"},
            {"type": "kk", "reference": "KK lama"},
        ],
    }


def new_household(*, kk_number: str = "3206131203150071") -> dict[str, Any]:
    """Two people nobody knows yet."""
    return {
        "area_code": TARAJU,
        "change": {
            "kind": "new_household",
            "kk_number": kk_number,
            "address": {"hamlet": "Cikadu", "rt": "1", "rw": "2"},
            "circumstances": {"floor": "cement", "power_va": 450},
            "members": [
                {
                    "nik": NIK_OF_UJANG,
                    "name": "Ujang Saepudin",
                    "sex": "male",
                    "birth_date": "1982-04-09",
                    "relation": "head",
                },
                {
                    "nik": NIK_OF_DEWI,
                    "name": "Dewi Lestari",
                    "sex": "female",
                    "birth_date": "1985-03-12",
                    "relation": "spouse",
                },
            ],
        },
        "evidence": [
            {"type": "kk", "reference": "KK"},
            {"type": "ktp", "reference": "KTP"},
            {"type": "house_photo", "reference": "foto-1"},
        ],
    }


def death(household: Household | None = None, **changes: Any) -> dict[str, Any]:
    """A member who is not the head has died."""
    household = household or household_of()
    gone = next(member for member in household.active_members if member.relation != "head")
    return {
        "area_code": household.area_code,
        "household_id": str(household.id),
        "change": {"kind": "death", "member_id": str(gone.id), "died_on": yesterday(), **changes},
        "evidence": [{"type": "death_certificate", "reference": "474.3/7/2026"}],
    }
