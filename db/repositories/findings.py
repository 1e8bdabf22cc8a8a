"""What else is known of the people and the household of an update: findings for officers, never a refusal.

Numbers are looked for in all areas, whenever an update is submitted or repaired. Where one is found elsewhere is told
only to somebody whose area that is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Update
from db.repositories.registry import known_elsewhere
from db.vault import Vault
from domain.authority import Actor
from domain.changes import Change, PlacedNumber, by_purpose, placed_numbers
from domain.identity import nik_warnings
from domain.vocabulary import CLOSED_STATUSES

Finding = dict[str, Any]
"""A finding as the case row keeps it: a stable `code`, where in the request (`pointer`), and what it is about."""

MOST_SHOWN = 10
"""How many open updates of one household are shown to each other."""

_OF_NUMBERS: Final = ("duplicate_nik", "duplicate_kk", "nik_province_unknown", "nik_region_unknown")
"""The codes that speak of the numbers of the change, and are found anew when it is repaired."""

_RENEW: Final = text(
    """
    UPDATE updates
    SET findings = :found || jsonb_path_query_array(findings, '$[*] ? (!(@.code == $stale[*]))', :vars)
    WHERE id = :update_id
    """,
).bindparams(bindparam("found", type_=JSONB), bindparam("vars", type_=JSONB))


async def find_duplicates(
    connection: AsyncConnection,
    change: Change,
    *,
    household_id: UUID | None,
    actor: Actor,
    vault: Vault,
    update_id: UUID | None = None,
) -> list[Finding]:
    """The change's numbers that stand in another household or open update, and NIKs with an unknown prefix.

    Another is one that is neither `household_id` nor `update_id`, those that the change is about itself.
    Codes: `duplicate_nik`, `duplicate_kk`, `nik_province_unknown`, `nik_region_unknown`.
    """
    placed = placed_numbers(change)
    known = await known_elsewhere(
        connection,
        by_purpose(placed),
        household_id=household_id,
        update_id=update_id,
        vault=vault,
    )
    return _duplicates(placed, known, actor=actor) + _warnings(placed)


def _duplicates(
    placed: list[PlacedNumber],
    known: Iterable[tuple[str, str, str]],
    *,
    actor: Actor,
) -> list[Finding]:
    places: dict[str, list[PlacedNumber]] = defaultdict(list)
    for held in placed:
        places[held.number].append(held)
    found: list[Finding] = []
    for number, owner, area_code in known:
        shown = {"area_code": area_code} if actor.seats_over(area_code) else {}
        for held in places[number]:
            finding: Finding = {
                "code": f"duplicate_{held.purpose}",
                "pointer": held.pointer,
                "owner": owner,
                **shown,
            }
            if finding not in found:
                found.append(finding)
    return found


def _warnings(placed: list[PlacedNumber]) -> list[Finding]:
    return [
        {"code": code, "pointer": held.pointer}
        for held in placed
        if held.purpose == "nik"
        for code in nik_warnings(held.number)
    ]


async def renew_duplicates(connection: AsyncConnection, update_id: UUID, found: list[Finding]) -> None:
    """Put what `find_duplicates` finds now in the place of what it found before; findings of another kind stay."""
    stale = {"stale": list(_OF_NUMBERS)}
    await connection.execute(_RENEW, {"update_id": update_id, "found": found, "vars": stale})


async def show_to_each_other(connection: AsyncConnection, update_id: UUID, *, household_id: UUID) -> list[Finding]:
    """Note the new update in the open ones of the household; the findings that name those in the new one.

    Submissions for one household take turns, so that of two at the same moment each sees the other. Past the newest
    `MOST_SHOWN` no more are named: a household with so many is one for a supervisor anyway.
    """
    newest = (
        select(Update.id)
        .where(Update.household_id == household_id, Update.status.not_in(sorted(CLOSED_STATUSES)))
        .order_by(Update.id.desc())
        .limit(MOST_SHOWN)
    )
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(household_id), 0))))
    noted = await connection.scalars(
        update(Update)
        .where(Update.id.in_(newest.scalar_subquery()))
        .values(
            findings=Update.findings.concat(literal([_other(update_id)], JSONB)),
            version=Update.version + 1,
        )
        .returning(Update.id),
    )
    return [_other(other_id) for other_id in noted]


def _other(update_id: UUID) -> Finding:
    return {"code": "other_open_update", "update_id": str(update_id)}
