"""Sessions: begun by whoever logs in, carried on by refresh tokens that are good once, ended by their holder.

A refresh token that comes a second time has been stolen, or was kept by somebody it was stolen from: neither is told
from the other, so the session ends for both (RFC 9700, 4.14.2). Except at once and once, while what was given for it
is unused: the answer may have got lost. What got lost is void then, and whoever comes with it is the second to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import sessions, trail
from db.repositories.identities import refuse_tokens
from db.repositories.sessions import NewSession, RefreshHolder, SessionRow
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType, stream_of_account
from domain.authority import Actor
from domain.errors import InvalidGrant, NotFound
from domain.ids import new_id
from domain.sessions import REFRESH_GRACE, Lifetime, Origin, SessionEnd, SessionKind, digest_of, new_secret
from services.kawal import Kawal

REFRESH_PREFIX: Final = "kwr_"
COOKIE_PREFIX: Final = "kws_"


@dataclass(frozen=True, slots=True)
class Signed:
    """A person signed in: in which session, and the secret that carries it on, which is shown this once."""

    user_id: UUID
    session_id: UUID
    secret: str


def own(user_id: UUID) -> Viewer:
    """Somebody who acts on their own account and sees no area."""
    return Viewer(name=str(user_id), areas=())


async def begin_session(
    connection: AsyncConnection,
    user_id: UUID,
    *,
    kind: SessionKind,
    lifetime: Lifetime,
    origin: Origin,
    at: datetime,
) -> Signed:
    """A new session, in a transaction of the person: carried on by refresh tokens, or by the cookie of a browser."""
    ends_at = lifetime.ends_at(at)
    cookie = new_secret(COOKIE_PREFIX) if kind is SessionKind.BROWSER else None
    session = NewSession(
        id=new_id(),
        user_id=user_id,
        kind=kind,
        expires_at=lifetime.expires_at(ends_at=ends_at, now=at),
        ends_at=ends_at,
        origin=origin,
        secret_digest=None if cookie is None else digest_of(cookie),
    )
    await sessions.add_session(connection, session, at=at)
    if cookie is not None:
        return Signed(user_id, session.id, cookie)
    return await _hand_out(connection, new_secret(REFRESH_PREFIX), RefreshHolder(user_id, session.id), at=at)


async def refresh(kawal: Kawal, token: str, *, lifetime: Lifetime) -> Signed:
    """The same session with a new refresh token; the one that came is used up.

    Raises InvalidGrant for a token that was never given out, whose session is over, or that was used before; the last
    also ends the session, but for the first repeat within `REFRESH_GRACE`.
    """
    digest, at = digest_of(token), kawal.now()
    async with kawal.database.question() as connection:
        holder = await sessions.find_refresh_holder(connection, digest)
    if holder is None:
        raise _refused("This refresh token was not given out here.")
    async with kawal.database.transaction(own(holder.user_id)) as connection:
        session = await sessions.lock_session(connection, holder.session_id, at=at)
        if session is None:
            raise _refused("The session of this refresh token is over.")
        secret = new_secret(REFRESH_PREFIX)
        if await _use(connection, digest, replaced_by=digest_of(secret), at=at):
            expires_at = lifetime.expires_at(ends_at=session.ends_at, now=at)
            await sessions.carry_on(connection, session.id, at=at, expires_at=expires_at)
            return await _hand_out(connection, secret, holder, at=at)
        await _end(connection, holder.user_id, because=SessionEnd.REFRESH_REUSED, at=at, only=session.id)
    raise _refused("This refresh token has been used before; its session has ended.")


async def _use(connection: AsyncConnection, digest: bytes, *, replaced_by: bytes, at: datetime) -> bool:
    if await sessions.use_refresh_token(connection, digest, replaced_by=replaced_by, at=at):
        return True
    return await sessions.void_replacement(connection, digest, since=at - REFRESH_GRACE, at=at)


async def revoke(kawal: Kawal, token: str) -> None:
    """End the session of a refresh token, used or not. One that is not known is over already."""
    async with kawal.database.question() as connection:
        holder = await sessions.find_refresh_holder(connection, digest_of(token))
    if holder is not None:
        await end_session_of(kawal, holder.user_id, holder.session_id)


async def end_browser_session(kawal: Kawal, cookie: str) -> None:
    """End the session of a cookie. One that is not known is over already."""
    async with kawal.database.question() as connection:
        holder = await sessions.find_browser_session(connection, digest_of(cookie))
    if holder is not None:
        await end_session_of(kawal, holder.user_id, holder.session_id)


async def end_session_of(kawal: Kawal, user_id: UUID, session_id: UUID) -> bool:
    """End one session because its holder gave it up; whether it was still alive."""
    async with kawal.database.transaction(own(user_id)) as connection:
        ended = await _end(connection, user_id, because=SessionEnd.LOGGED_OUT, at=kawal.now(), only=session_id)
    return bool(ended)


async def list_sessions(kawal: Kawal, actor: Actor) -> Sequence[SessionRow]:
    """The actor's live sessions, the one used last first."""
    async with kawal.database.transaction(own(actor.user_id)) as connection:
        return await sessions.list_live_sessions(connection, actor.user_id, at=kawal.now())


async def end_session(kawal: Kawal, actor: Actor, session_id: UUID) -> None:
    """End one of the actor's sessions. Raises NotFound when it is not theirs or is over."""
    if not await end_session_of(kawal, actor.user_id, session_id):
        raise NotFound("You have no such session.", remedy="GET /v1/auth/sessions lists those that are alive.")


async def end_all_sessions(kawal: Kawal, actor: Actor) -> None:
    """End every session of the actor, this one included, and refuse what other issuers gave out before."""
    at = kawal.now()
    signed_out = Entry(type=AuditType.ACCOUNT_SIGNED_OUT_EVERYWHERE, by=Doer(user_id=actor.user_id))
    async with kawal.database.transaction(own(actor.user_id)) as connection:
        await _end(connection, actor.user_id, because=SessionEnd.LOGGED_OUT, at=at)
        await refuse_tokens(connection, at=at)
        await trail.record(connection, stream_of_account(actor.user_id), [signed_out], at=at, area_code=None)


async def _hand_out(connection: AsyncConnection, secret: str, holder: RefreshHolder, *, at: datetime) -> Signed:
    await sessions.add_refresh_token(connection, digest_of(secret), holder, at=at)
    return Signed(holder.user_id, holder.session_id, secret)


async def _end(
    connection: AsyncConnection,
    user_id: UUID,
    *,
    because: SessionEnd,
    at: datetime,
    only: UUID | None = None,
) -> Sequence[UUID]:
    """End sessions with their audit event; the ids of those that this ended."""
    ended = await sessions.end_sessions(connection, user_id, because=because, at=at, only=only)
    # Who used a token twice is not known to be the person.
    by = Doer() if because is SessionEnd.REFRESH_REUSED else Doer(user_id=user_id)
    entries = [
        Entry(
            type=AuditType.ACCOUNT_SESSION_ENDED,
            by=by,
            data={"session": str(session_id), "because": because.value},
        )
        for session_id in ended
    ]
    await trail.record(connection, stream_of_account(user_id), entries, at=at, area_code=None)
    return ended


def _refused(detail: str) -> InvalidGrant:
    return InvalidGrant(detail, data={"reason": "refresh_refused"})
