"""The numbers of persons and families that open cases are about: findable by their digests, and no longer so."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import IdentityDigest
from db.vault import Vault
from db.writes import Write, send
from domain.ids import new_id

_INDEX = text("""
INSERT INTO identity_digests (id, area_code, update_id, purpose, key_id, digest)
SELECT number.id, :area_code, :update_id, number.purpose, number.key_id, number.digest
FROM unnest(
    CAST(:ids AS uuid[]), CAST(:purposes AS text[]), CAST(:key_ids AS text[]), CAST(:digests AS bytea[])
) AS number(id, purpose, key_id, digest)
RETURNING 1
""")
_UNINDEX = (
    update(IdentityDigest)
    .where(IdentityDigest.update_id == bindparam("of_update"), IdentityDigest.ended_at.is_(None))
    .values(ended_at=bindparam("at"))
)


async def index_update(
    connection: AsyncConnection,
    update_id: UUID,
    numbers: dict[str, list[str]],
    *,
    area_code: str,
    vault: Vault,
) -> None:
    """Make the numbers of an open case findable; `numbers` by purpose, `nik` or `kk`."""
    await send(connection, [indexed_update(update_id, numbers, area_code=area_code, vault=vault)])


def indexed_update(update_id: UUID, numbers: dict[str, list[str]], *, area_code: str, vault: Vault) -> Write:
    """What `index_update` writes."""
    digests = [
        (purpose, digest) for purpose, held in numbers.items() for digest in vault.digests(held, purpose=purpose)
    ]
    columns = {
        "area_code": area_code,
        "update_id": update_id,
        "ids": [new_id() for _ in digests],
        "purposes": [purpose for purpose, _ in digests],
        "key_ids": [digest.key_id for _, digest in digests],
        "digests": [digest.digest for _, digest in digests],
    }
    return Write("numbers", _INDEX, columns)


async def unindex_update(connection: AsyncConnection, update_id: UUID, *, at: datetime) -> None:
    """The numbers of a case that is closed or repaired are in use there no more."""
    await connection.execute(_UNINDEX, {"of_update": update_id, "at": at})
