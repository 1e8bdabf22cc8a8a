"""Who stands behind the names that other issuers have for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import ForeignIdentity
from db.repositories.people import actor_of
from domain.authority import Actor
from domain.errors import Unauthenticated

_HOLDER = text(
    "SELECT h.*, s.* FROM kawal_identity_holder(:issuer, :subject) h "
    "LEFT JOIN LATERAL kawal_seats(h.user_id, :at) s ON true"
)
_LIKE = text("SELECT DISTINCT user_id FROM kawal_accounts_like(:digests, :nobody)")
_REFUSE = text("SELECT kawal_refuse_tokens_before(:at)")
_HOLD = text("SELECT kawal_hold_vouched(:user_id, :issuer, :subject)")
_NOBODY = UUID(int=0)


class Vouched(NamedTuple):
    """Whom another issuer vouches for, and the moment before which its tokens for them are refused."""

    actor: Actor
    tokens_not_before: datetime | None


async def read_vouched(connection: AsyncConnection, issuer: str, subject: str, *, at: datetime) -> Vouched | None:
    """The person with their seats, in one statement; None for a name that is bound to no account.

    Raises Unauthenticated where the account is disabled.
    """
    values = {"issuer": issuer, "subject": subject, "at": at}
    rows = (await connection.execute(_HOLDER, values)).all()
    if not rows:
        return None
    if rows[0].display_name is None:
        raise Unauthenticated("This account is disabled.", data={"reason": "account_disabled"})
    return Vouched(actor_of(rows[0].user_id, rows), rows[0].tokens_not_before)


async def hold_vouched(connection: AsyncConnection, user_id: UUID, issuer: str, subject: str) -> bool:
    """Whether the account is still bound to this name and not disabled; both stay so until the transaction ends."""
    return bool(await connection.scalar(_HOLD, {"user_id": user_id, "issuer": issuer, "subject": subject}))


async def find_by_digests(connection: AsyncConnection, digests: list[bytes]) -> list[UUID]:
    """The accounts that have one of these digests of an address."""
    return list(await connection.scalars(_LIKE, {"digests": digests, "nobody": _NOBODY}))


async def bind(connection: AsyncConnection, row: dict[str, Any]) -> bool:
    """Write a binding down; whether the name was free."""
    added = await connection.execute(upsert(ForeignIdentity).values(row).on_conflict_do_nothing())
    return added.rowcount == 1


async def unbind(connection: AsyncConnection, user_id: UUID, identity_id: UUID) -> Row[*tuple[Any, ...]] | None:
    """Take a binding away; what it was, None where there was none."""
    mine = (ForeignIdentity.id == identity_id, ForeignIdentity.user_id == user_id)
    columns = (ForeignIdentity.issuer, ForeignIdentity.subject)
    return (await connection.execute(delete(ForeignIdentity).where(*mine).returning(*columns))).one_or_none()


async def list_of_account(connection: AsyncConnection, user_id: UUID) -> list[Row[*tuple[Any, ...]]]:
    """The bindings of an account, the oldest first."""
    wanted = select(ForeignIdentity.__table__).where(ForeignIdentity.user_id == user_id)
    return list(await connection.execute(wanted.order_by(ForeignIdentity.id)))


async def refuse_tokens(connection: AsyncConnection, *, at: datetime) -> None:
    """Refuse from now on what other issuers gave out to the actor of this transaction before `at`."""
    await connection.execute(_REFUSE, {"at": at})
