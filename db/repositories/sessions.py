"""Sessions as rows: begun, carried on by refresh tokens, listed and ended. Each by whom the transaction acts for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import RefreshToken, Session
from db.repositories.people import actor_of
from domain.authority import Actor
from domain.errors import Unauthenticated
from domain.sessions import Origin, SessionEnd, SessionKind

_HOLDER = text("SELECT user_id, session_id FROM kawal_refresh_holder(:digest)")
_BROWSER = text(
    "SELECT b.*, s.* FROM kawal_browser_session(:digest) b "
    "LEFT JOIN LATERAL kawal_seats(b.user_id, :at, b.session_id) s ON true"
)
_COOKIE = text("SELECT user_id, session_id FROM kawal_browser_session(:digest)")


class RefreshHolder(NamedTuple):
    """Whose refresh token or cookie it is, and of which session."""

    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session about to begin."""

    id: UUID
    user_id: UUID
    kind: SessionKind
    expires_at: datetime
    ends_at: datetime
    origin: Origin
    secret_digest: bytes | None = None


class SessionRow(NamedTuple):
    """A session as it stands."""

    id: UUID
    kind: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ends_at: datetime
    address: str | None
    agent: str | None


class BrowserSession(NamedTuple):
    """Who is before the browser that sends a cookie, and when the session was last in use and will end."""

    id: UUID
    actor: Actor
    seen_at: datetime
    ends_at: datetime


_ROW = select(
    Session.id,
    Session.kind,
    Session.created_at,
    Session.seen_at,
    Session.expires_at,
    Session.ends_at,
    Session.address,
    Session.agent,
)


def _live(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Session.ended_at.is_(None), Session.expires_at > at)


async def add_session(connection: AsyncConnection, session: NewSession, *, at: datetime) -> None:
    """Write a session down."""
    await connection.execute(
        insert(Session).values(
            id=session.id,
            user_id=session.user_id,
            kind=session.kind.value,
            created_at=at,
            seen_at=at,
            expires_at=session.expires_at,
            ends_at=session.ends_at,
            address=session.origin.address,
            agent=session.origin.agent,
            secret_digest=session.secret_digest,
        ),
    )


async def add_refresh_token(connection: AsyncConnection, digest: bytes, holder: RefreshHolder, *, at: datetime) -> None:
    """Write a refresh token down by its digest."""
    await connection.execute(insert(RefreshToken).values(digest=digest, issued_at=at, **holder._asdict()))


async def find_refresh_holder(connection: AsyncConnection, digest: bytes) -> RefreshHolder | None:
    """Whose refresh token this is, used or not; None for one that was never given out."""
    row = (await connection.execute(_HOLDER, {"digest": digest})).one_or_none()
    return None if row is None else RefreshHolder(*row)


async def read_browser_session(connection: AsyncConnection, digest: bytes, *, at: datetime) -> BrowserSession:
    """Who asks with the cookie of a browser, with their seats, in one statement.

    Raises Unauthenticated for a cookie that is not known, a session that is over, and a disabled account.
    """
    rows = (await connection.execute(_BROWSER, {"digest": digest, "at": at})).all()
    if not rows or rows[0].display_name is None:
        raise Unauthenticated(
            "This browser is signed in no more.", remedy="Sign in again.", data={"reason": "session_over"}
        )
    found = rows[0]
    return BrowserSession(found.session_id, actor_of(found.user_id, rows), found.seen_at, found.ends_at)


async def find_browser_session(connection: AsyncConnection, digest: bytes) -> RefreshHolder | None:
    """Whose cookie it is, be the session over or not; None for one that was never given out."""
    row = (await connection.execute(_COOKIE, {"digest": digest})).one_or_none()
    return None if row is None else RefreshHolder(*row)


async def lock_session(connection: AsyncConnection, session_id: UUID, *, at: datetime) -> SessionRow | None:
    """The actor's session, held against everybody else who would carry it on or end it; None once it is over."""
    row = (await connection.execute(_ROW.where(Session.id == session_id, *_live(at)).with_for_update())).one_or_none()
    return None if row is None else SessionRow(*row)


async def use_refresh_token(connection: AsyncConnection, digest: bytes, *, replaced_by: bytes, at: datetime) -> bool:
    """Use a token up for the next one; whether it was unused. The session must be locked."""
    used = await connection.execute(
        update(RefreshToken)
        .where(RefreshToken.digest == digest, RefreshToken.used_at.is_(None))
        .values(used_at=at, replaced_by=replaced_by),
    )
    return used.rowcount == 1


async def void_replacement(connection: AsyncConnection, digest: bytes, *, since: datetime, at: datetime) -> bool:
    """Use up, unseen, the token that was given for this one; whether that could be, once. The session must be locked.

    It can when this one was used `since` that moment and what was given for it has not been used.
    """
    replaced = (
        select(RefreshToken.replaced_by)
        .where(RefreshToken.digest == digest, RefreshToken.used_at >= since)
        .scalar_subquery()
    )
    voided = await connection.execute(
        update(RefreshToken).where(RefreshToken.digest == replaced, RefreshToken.used_at.is_(None)).values(used_at=at),
    )
    await connection.execute(update(RefreshToken).where(RefreshToken.digest == digest).values(replaced_by=None))
    return voided.rowcount == 1


async def carry_on(connection: AsyncConnection, session_id: UUID, *, at: datetime, expires_at: datetime) -> None:
    """Note that a session is in use, unless it is over."""
    in_use = update(Session).where(Session.id == session_id, *_live(at))
    await connection.execute(in_use.values(seen_at=at, expires_at=expires_at))


async def list_live_sessions(connection: AsyncConnection, user_id: UUID, *, at: datetime) -> Sequence[SessionRow]:
    """The sessions of a person that are neither ended nor expired, the one used last first."""
    rows = await connection.execute(
        _ROW.where(Session.user_id == user_id, *_live(at)).order_by(Session.seen_at.desc(), Session.id.desc()),
    )
    return [SessionRow(*row) for row in rows]


async def end_sessions(
    connection: AsyncConnection,
    user_id: UUID,
    *,
    because: SessionEnd,
    at: datetime,
    only: UUID | None = None,
) -> Sequence[UUID]:
    """End the live sessions of a person, or only one of them; the ids of those that were ended by this."""
    ending = update(Session).where(Session.user_id == user_id, *_live(at))
    if only is not None:
        ending = ending.where(Session.id == only)
    ended = await connection.execute(
        ending.values(ended_at=at, ended_because=because.value).returning(Session.id),
    )
    return sorted(ended.scalars())
