"""The registry: households as they are and were, read and written whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, text
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Household as HouseholdRow
from db.models import HouseholdMember, HouseholdVersion, IdentityDigest
from db.vault import Vault
from domain.changes import Change, TwoVersions, counterpart_of
from domain.errors import NotFound
from domain.household import FIRST_VERSION, Household
from domain.ids import new_id


def _overwriting(statement: Insert, *, key: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    """The insertion that overwrites `columns` of a row that has the key already."""
    return statement.on_conflict_do_update(
        index_elements=list(key),
        set_={name: statement.excluded[name] for name in columns},
    )


_ADD_VERSION = insert(HouseholdVersion)
_FORGET_NUMBERS = text(
    """
    WITH again AS (
        DELETE FROM identity_digests WHERE household_id = :household AND digest = ANY (CAST(:digests AS bytea[]))
    )
    UPDATE identity_digests SET ended_at = :at
    WHERE household_id = :household AND ended_at IS NULL AND NOT digest = ANY (CAST(:digests AS bytea[]))
    """,
)
"""What the household has now is written anew; what it had is in use there no more, and stays findable."""
_INDEX = insert(IdentityDigest)
_WRITE_FACTS = _overwriting(
    upsert(HouseholdRow),
    key=("id",),
    columns=(
        "area_code",
        "version",
        "status",
        "member_count",
        "desil",
        "last_verified_on",
        "content",
        "updated_at",
    ),
)
_WRITE_MEMBERS = _overwriting(
    upsert(HouseholdMember),
    key=("id", "household_id"),
    columns=("position", "relation", "status"),
)
_KNOWN = text("SELECT digest, purpose, owner, area_code FROM kawal_identity_known(:wanted, :household_id, :update_id)")


def household_context(household_id: UUID, version: int) -> str:
    """Where the sealed content of a household, and of the version it came from, belongs."""
    return f"households.content:{household_id}:{version}"


async def read_household(
    connection: AsyncConnection,
    household_id: UUID,
    *,
    vault: Vault,
    lock: bool = False,
) -> Household:
    """A household as the registry believes it now. Raises NotFound."""
    wanted = select(HouseholdRow.content, HouseholdRow.version).where(HouseholdRow.id == household_id)
    row = (await connection.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    if row is None:
        raise NotFound(f"There is no household {household_id} for you.", pointer="/household_id")
    return vault.open(row.content, Household, context=household_context(household_id, row.version))


def open_household(row: Row[*tuple[Any, ...]], *, vault: Vault) -> Household:
    """The household of a row with its `id`, `version` and `content`."""
    return vault.open(row.content, Household, context=household_context(row.id, row.version))


async def read_version(connection: AsyncConnection, household_id: UUID, version: int, *, vault: Vault) -> Household:
    """A household as it was in one version. Raises NotFound."""
    content = await connection.scalar(
        select(HouseholdVersion.content).where(
            HouseholdVersion.household_id == household_id,
            HouseholdVersion.version == version,
        ),
    )
    if content is None:
        raise NotFound(f"Household {household_id} has no version {version}.")
    return vault.open(content, Household, context=household_context(household_id, version))


async def read_counterpart(
    connection: AsyncConnection,
    change: Change,
    *,
    vault: Vault,
    lock: bool = False,
) -> TwoVersions | None:
    """The other household that the change concerns, as it was read and as it is now.

    None where the kind concerns one household; raises NotFound for one that is not there, or never was in that version.
    """
    wanted = counterpart_of(change)
    if wanted is None:
        return None
    current = await read_household(connection, wanted.household_id, vault=vault, lock=lock)
    if wanted.version == current.version:
        return TwoVersions(current, current)
    return TwoVersions(await read_version(connection, wanted.household_id, wanted.version, vault=vault), current)


async def write_households(
    connection: AsyncConnection,
    households: Iterable[Household],
    *,
    update_id: UUID | None,
    at: datetime,
    vault: Vault,
) -> None:
    """Write households with their members, their index and their version, as one."""
    for household in households:
        content = vault.seal(household, context=household_context(household.id, household.version))
        await _write_facts(connection, household, content, at=at)
        await connection.execute(
            _ADD_VERSION,
            {
                "household_id": household.id,
                "version": household.version,
                "area_code": household.area_code,
                "update_id": update_id,
                "content": content,
                "applied_at": at,
            },
        )
        await _write_members(connection, household)
        await _index(connection, household, at=at, vault=vault)


async def _write_facts(connection: AsyncConnection, household: Household, content: bytes, *, at: datetime) -> None:
    facts = {
        "id": household.id,
        "area_code": household.area_code,
        "version": household.version,
        "status": household.status.value,
        "member_count": len(household.active_members),
        "desil": household.desil,
        "last_verified_on": household.last_verified_on,
        "content": content,
        "updated_at": at,
    }
    await connection.execute(_WRITE_FACTS, facts)


async def _write_members(connection: AsyncConnection, household: Household) -> None:
    rows = [
        {
            "id": member.id,
            "household_id": household.id,
            "area_code": household.area_code,
            "position": position,
            "relation": member.relation.value,
            "status": member.status.value,
        }
        for position, member in enumerate(household.members)
    ]
    await connection.execute(_WRITE_MEMBERS, rows)


async def _index(connection: AsyncConnection, household: Household, *, at: datetime, vault: Vault) -> None:
    rows = [
        {
            "id": new_id(),
            "area_code": household.area_code,
            "household_id": household.id,
            "purpose": purpose,
            "key_id": digest.key_id,
            "digest": digest.digest,
        }
        for purpose, held in numbers_in(household).items()
        for digest in vault.digests(held, purpose=purpose)
    ]
    if household.version > FIRST_VERSION:
        digests = [row["digest"] for row in rows]
        await connection.execute(_FORGET_NUMBERS, {"household": household.id, "digests": digests, "at": at})
    if rows:
        await connection.execute(_INDEX, rows)


def numbers_in(household: Household) -> dict[str, list[str]]:
    """The numbers by which a household is found, by purpose, `nik` or `kk`."""
    return {
        "nik": [member.nik for member in household.active_members if member.nik is not None],
        "kk": [household.kk_number] if household.active_members else [],
    }


async def known_elsewhere(
    connection: AsyncConnection,
    numbers: dict[str, list[str]],
    *,
    household_id: UUID | None,
    update_id: UUID | None,
    vault: Vault,
) -> list[tuple[str, str, str]]:
    """Where else these numbers stand: (the number, `household` or `update`, its area), over all areas.

    `numbers` by purpose, `nik` or `kk`. The caller shows an area only to somebody whose own it is.
    """
    by_digest = {
        digest: number
        for purpose, held in numbers.items()
        for number in held
        for digest in vault.lookups([number], purpose=purpose)
    }
    if not by_digest:
        return []
    rows = await connection.execute(
        _KNOWN,
        {"wanted": list(by_digest), "household_id": household_id, "update_id": update_id},
    )
    return [(by_digest[row.digest], row.owner, row.area_code) for row in rows]
