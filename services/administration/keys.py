"""Rotation of keys: which key what is under, and sealing anew in chunks what is not under the active one.

Where it stands is in the data alone: what is under the active key is done, whoever did it and whenever it was cut off.
Rows that somebody else holds are left for the next pass, so that API and worker never wait for more than one chunk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Text, bindparam, cast, delete, func, insert, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import (
    AccountDigest,
    DataSubjectDigest,
    DataSubjectRequest,
    Household,
    HouseholdVersion,
    IdentityDigest,
    Revision,
    Update,
    User,
)
from db.owner import OwnerDatabase
from db.repositories import trail
from db.repositories.cases import papers_context, revision_context
from db.repositories.registry import numbers_in, open_household
from db.repositories.trail import Entry
from db.sealed import SEALED, SealedColumn
from db.vault import Vault
from domain.audit import AuditType
from domain.changes import CHANGE_ADAPTER, numbers_of
from domain.ids import new_id
from domain.people import Identity, identity_context, index_purpose
from domain.rights import nik_context

CHUNK: Final = 500
"""Rows of one transaction."""
INDEX: Final = "identity_digests.digest"
"""What the blind index is called among the sealed columns."""
REQUEST_INDEX: Final = "data_subject_digests.digest"
"""The same of the blind index of what persons asked for."""
ACCOUNT_INDEX: Final = "account_digests.digest"
"""The same of the blind index of accounts."""
INDEXES: Final = frozenset({INDEX, REQUEST_INDEX, ACCOUNT_INDEX})
"""All of them; the keys of the other columns are of the other ring."""
PAPERS: Final = "update_revisions.evidence"
"""Papers of before they were sealed: they stand under no key."""
IN_THE_CLEAR: Final = "none"
"""What stands in the place of a key for what is under none."""
_PAPERS_IN_THE_CLEAR: Final = (Revision.evidence.is_not(None), Revision.change.is_not(None))
"""Of what was erased, an empty list stands there."""
_STREAM: Final = "keys"
_UPKEEP: Final = text("SET LOCAL kawal.upkeep = 'reseal'")


class Usage(NamedTuple):
    """How many values of a column are under a key."""

    column: str
    key_id: str
    values: int


class Done(NamedTuple):
    """Some values of a column were sealed anew; `unmatched` digests are of no number that their owner has."""

    column: str
    values: int
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class _Chunk:
    rows: list[Any]
    last: tuple[Any, ...] | None
    unmatched: int = 0


async def read_usage(connection: AsyncConnection) -> list[Usage]:
    """Every key that something is under, by column."""
    clear = await connection.scalar(select(func.count()).where(*_PAPERS_IN_THE_CLEAR))
    found = [Usage(PAPERS, IN_THE_CLEAR, clear)] if clear else []
    for sealed in SEALED:
        key_id = _key_of(sealed)
        counted = select(key_id.label("key_id"), func.count().label("n")).where(sealed.envelope.is_not(None))
        found += _usage(sealed.name, await connection.execute(counted.group_by(key_id).order_by(key_id)))
    digests = select(IdentityDigest.key_id, func.count().label("n")).group_by(IdentityDigest.key_id)
    found += _usage(INDEX, await connection.execute(digests.order_by(IdentityDigest.key_id)))
    requests = select(DataSubjectDigest.key_id, func.count().label("n")).group_by(DataSubjectDigest.key_id)
    found += _usage(REQUEST_INDEX, await connection.execute(requests.order_by(DataSubjectDigest.key_id)))
    accounts = select(AccountDigest.key_id, func.count().label("n")).group_by(AccountDigest.key_id)
    return found + _usage(ACCOUNT_INDEX, await connection.execute(accounts.order_by(AccountDigest.key_id)))


def _usage(name: str, rows: Iterable[Row[*tuple[Any, ...]]]) -> list[Usage]:
    return [Usage(name, row.key_id, row.n) for row in rows]


def stale(usage: Iterable[Usage], vault: Vault) -> int:
    """How many values are not under the active key of their ring."""
    return sum(one.values for one in usage if one.key_id != active_key(one.column, vault))


def active_key(column: str, vault: Vault) -> str:
    """The key under which new values of a column are put."""
    return vault.index.key_ids[0] if column in INDEXES else vault.fields.active_key_id


async def reseal(database: OwnerDatabase, vault: Vault, *, at: datetime, chunk: int = CHUNK) -> AsyncGenerator[Done]:
    """Put every value under the active keys, a chunk a transaction; what was done, chunk by chunk.

    Raises SealError for an envelope that does not open: nothing of its chunk is changed.
    """
    while True:
        async with database.transaction() as connection:
            await connection.execute(_UPKEEP)
            found = await _seal_papers(connection, vault, limit=chunk)
            await _tell(connection, PAPERS, len(found.rows), vault, at=at)
        if not found.rows:
            break
        yield Done(PAPERS, len(found.rows))
    for sealed in SEALED:
        after: tuple[Any, ...] | None = None
        while True:
            async with database.transaction() as connection:
                await connection.execute(_UPKEEP)
                found = await _reseal_chunk(connection, sealed, vault, after=after, limit=chunk)
                await _tell(connection, sealed.name, len(found.rows), vault, at=at)
            if found.last is None:
                break
            after = found.last
            yield Done(sealed.name, len(found.rows))
    indexes = (
        (INDEX, _index_households),
        (INDEX, _index_updates),
        (REQUEST_INDEX, _index_requests),
        (ACCOUNT_INDEX, _index_accounts),
    )
    for name, index_chunk in indexes:
        owner: UUID | None = None
        while True:
            async with database.transaction() as connection:
                found = await index_chunk(connection, vault, after=owner, limit=chunk)
                await _tell(connection, name, len(found.rows), vault, at=at)
            if found.last is None:
                break
            (owner,) = found.last
            yield Done(name, len(found.rows), found.unmatched)


async def record_retired(connection: AsyncConnection, ring: str, key_id: str, *, at: datetime) -> None:
    """Write down that nothing is under a key any more."""
    entry = Entry(type=AuditType.KEY_RETIRED, data={"ring": ring, "key": key_id})
    await trail.record(connection, _STREAM, [entry], at=at, area_code=None)


async def _tell(connection: AsyncConnection, column: str, values: int, vault: Vault, *, at: datetime) -> None:
    if values:
        told = {"column": column, "values": values, "key": active_key(column, vault)}
        entry = Entry(type=AuditType.KEYS_RESEALED, data={**told})
        await trail.record(connection, _STREAM, [entry], at=at, area_code=None)


def _key_of(sealed: SealedColumn) -> Any:
    """The id of the key that an envelope names: its second byte is the length of what follows."""
    named = func.substring(sealed.envelope, 3, func.get_byte(sealed.envelope, 1))
    return func.convert_from(named, "UTF8")


async def _reseal_chunk(
    connection: AsyncConnection,
    sealed: SealedColumn,
    vault: Vault,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
) -> _Chunk:
    keys = list(sealed.table.primary_key.columns)
    plain = [column for column in sealed.table.columns if column.name in {*(key.name for key in keys), "version"}]
    wanted = select(*plain, sealed.envelope.label("envelope")).where(
        sealed.envelope.is_not(None),
        _key_of(sealed) != vault.fields.active_key_id,
    )
    if after is not None:
        wanted = wanted.where(tuple_(*keys) > tuple_(*after))
    wanted = wanted.order_by(*keys).limit(limit).with_for_update(key_share=True, skip_locked=True)
    rows = (await connection.execute(wanted)).all()
    if not rows:
        return _Chunk([], None)
    anew = [_anew(row, sealed, keys, vault) for row in rows]
    statement = update(sealed.table).values({sealed.column: bindparam("anew")})
    await connection.execute(statement.where(*(key == bindparam(f"key_{key.name}") for key in keys)), anew)
    return _Chunk(anew, tuple(getattr(rows[-1], key.name) for key in keys))


async def _seal_papers(connection: AsyncConnection, vault: Vault, *, limit: int) -> _Chunk:
    """Seal papers that stand in the clear: their very text, of which the database checks the length."""
    keys = (Revision.update_id, Revision.revision)
    wanted = select(*keys, cast(Revision.evidence, Text).label("text")).where(*_PAPERS_IN_THE_CLEAR)
    wanted = wanted.order_by(*keys).limit(limit).with_for_update(key_share=True, skip_locked=True)
    rows = [
        {
            "key_update_id": row.update_id,
            "key_revision": row.revision,
            "sealed": vault.fields.seal(row.text.encode(), context=papers_context(row.update_id, row.revision)),
        }
        for row in await connection.execute(wanted)
    ]
    if rows:
        statement = update(Revision).where(*(key == bindparam(f"key_{key.key}") for key in keys))
        await connection.execute(statement.values(papers=bindparam("sealed"), evidence=None), rows)
    return _Chunk(rows, None)


def _anew(row: Row[*tuple[Any, ...]], sealed: SealedColumn, keys: Iterable[Any], vault: Vault) -> dict[str, Any]:
    context = sealed.context(row)
    envelope = vault.fields.seal(vault.fields.open(row.envelope, context=context), context=context)
    return {"anew": envelope, **{f"key_{key.name}": getattr(row, key.name) for key in keys}}


# --- the blind index ------------------------------------------------------------------------------------------


async def _index_households(connection: AsyncConnection, vault: Vault, *, after: UUID | None, limit: int) -> _Chunk:
    stale_owners = select(IdentityDigest.household_id).where(_stale_digest(vault))
    wanted = select(Household.id).where(Household.id.in_(stale_owners))
    if after is not None:
        wanted = wanted.where(Household.id > after)
    wanted = wanted.order_by(Household.id).limit(limit).with_for_update(key_share=True, skip_locked=True)
    owners = list(await connection.scalars(wanted))
    numbers: dict[UUID, dict[str, list[str]]] = {owner: defaultdict(list) for owner in owners}
    # Digests of what a household had before are of its earlier versions.
    versions = select(
        HouseholdVersion.household_id.label("id"), HouseholdVersion.version, HouseholdVersion.content
    ).where(HouseholdVersion.household_id.in_(owners))
    for row in await connection.execute(versions):
        for purpose, held in numbers_in(open_household(row, vault=vault)).items():
            numbers[row.id][purpose] += held
    return await _index_anew(connection, IdentityDigest.household_id, numbers, vault)


async def _index_updates(connection: AsyncConnection, vault: Vault, *, after: UUID | None, limit: int) -> _Chunk:
    stale_owners = select(IdentityDigest.update_id).where(_stale_digest(vault))
    wanted = select(Update.id).where(Update.id.in_(stale_owners))
    if after is not None:
        wanted = wanted.where(Update.id > after)
    wanted = wanted.order_by(Update.id).limit(limit).with_for_update(key_share=True, skip_locked=True)
    owners = list(await connection.scalars(wanted))
    numbers: dict[UUID, dict[str, list[str]]] = {owner: defaultdict(list) for owner in owners}
    revisions = select(Revision.update_id, Revision.revision, Revision.change).where(
        Revision.update_id.in_(owners),
        Revision.change.is_not(None),
    )
    for row in await connection.execute(revisions):
        context = revision_context(row.update_id, row.revision)
        change = vault.open_as(row.change, CHANGE_ADAPTER, context=context)
        for purpose, held in numbers_of(change).items():
            numbers[row.update_id][purpose] += held
    return await _index_anew(connection, IdentityDigest.update_id, numbers, vault)


async def _index_requests(connection: AsyncConnection, vault: Vault, *, after: UUID | None, limit: int) -> _Chunk:
    """The digest of each request, of the NIK that it holds sealed."""
    key_id = vault.index.key_ids[0]
    stale_owners = select(DataSubjectDigest.request_id).where(DataSubjectDigest.key_id != key_id)
    wanted = select(DataSubjectRequest.id, DataSubjectRequest.nik).where(DataSubjectRequest.id.in_(stale_owners))
    if after is not None:
        wanted = wanted.where(DataSubjectRequest.id > after)
    wanted = wanted.order_by(DataSubjectRequest.id).limit(limit).with_for_update(key_share=True, skip_locked=True)
    rows = (await connection.execute(wanted)).all()
    if not rows:
        return _Chunk([], None)
    anew = [
        {"request": row.id, "anew": vault.index.digest(nik, purpose="nik").digest, "key": key_id}
        for row in rows
        if (nik := vault.open_text(row.nik, context=nik_context(row.id))) is not None
    ]
    statement = update(DataSubjectDigest).where(DataSubjectDigest.request_id == bindparam("request"))
    await connection.execute(statement.values(digest=bindparam("anew"), key_id=bindparam("key")), anew)
    return _Chunk(anew, (rows[-1].id,))


async def _index_accounts(connection: AsyncConnection, vault: Vault, *, after: UUID | None, limit: int) -> _Chunk:
    """Accounts have few digests, each of what their sealed identity holds: they are written anew."""
    key_id = vault.index.key_ids[0]
    stale_owners = select(AccountDigest.user_id).where(AccountDigest.key_id != key_id)
    wanted = select(User.id, User.identity).where(User.id.in_(stale_owners), User.identity.is_not(None))
    if after is not None:
        wanted = wanted.where(User.id > after)
    wanted = wanted.order_by(User.id).limit(limit).with_for_update(key_share=True, skip_locked=True)
    rows: list[dict[str, Any]] = []
    owners: list[UUID] = []
    for account in await connection.execute(wanted):
        owners.append(account.id)
        identity = vault.open(account.identity, Identity, context=identity_context(account.id))
        for purpose, value in identity.indexed.items():
            digest = vault.index.digest(value, purpose=index_purpose(purpose)).digest
            rows.append({"id": new_id(), "user_id": account.id, "purpose": purpose, "key_id": key_id, "digest": digest})
    if not owners:
        return _Chunk([], None)
    await connection.execute(delete(AccountDigest).where(AccountDigest.user_id.in_(owners)))
    await connection.execute(insert(AccountDigest), rows)
    return _Chunk(rows, (max(owners),))


def _stale_digest(vault: Vault) -> Any:
    return IdentityDigest.key_id != vault.index.key_ids[0]


async def _index_anew(
    connection: AsyncConnection,
    owner: Any,
    numbers: dict[UUID, dict[str, list[str]]],
    vault: Vault,
) -> _Chunk:
    """Replace each stale digest by that of the same number. Look-ups try all keys, so no moment finds neither."""
    if not numbers:
        return _Chunk([], None)
    wanted = select(IdentityDigest.id, owner.label("owner"), IdentityDigest.purpose, IdentityDigest.digest)
    rows = (await connection.execute(wanted.where(owner.in_(list(numbers)), _stale_digest(vault)))).all()
    known = {one: _by_digest(held, vault) for one, held in numbers.items()}
    active = {
        row.id: known[row.owner][row.purpose, row.digest]
        for row in rows
        if (row.purpose, row.digest) in known[row.owner]
    }
    anew = [
        {"row": row_id, "anew": vault.index.digest(number, purpose=purpose).digest, "key": vault.index.key_ids[0]}
        for row_id, (purpose, number) in active.items()
    ]
    if anew:
        statement = update(IdentityDigest).where(IdentityDigest.id == bindparam("row"))
        await connection.execute(statement.values(digest=bindparam("anew"), key_id=bindparam("key")), anew)
    return _Chunk(anew, (max(numbers),), len(rows) - len(anew))


def _by_digest(held: dict[str, list[str]], vault: Vault) -> dict[tuple[str, bytes], tuple[str, str]]:
    """Each number by what any of the keys makes of it."""
    return {
        (purpose, found.digest): (purpose, number)
        for purpose, numbers in held.items()
        for number in numbers
        for found in vault.index.digests(number, purpose=purpose)
    }
