"""Who asks: by an access token of this service or of another issuer, the API key of a machine, or a browser's cookie.

Authority is read from the database on every request, in one statement, so that it ends when a membership, a session or
a key does and not when a token does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi import Request

from api.browsers import SAFE_METHODS, SESSION
from api.front import Front
from db.repositories.api_keys import read_key_holder
from db.repositories.people import read_actor
from db.repositories.sessions import read_browser_session
from domain.api_keys import KEY_PREFIX, key_id_of
from domain.authority import Actor
from domain.errors import Unauthenticated
from domain.lockout import network_of
from domain.sessions import digest_of
from runtime.oidc.provider import Provider
from services.identities import Stranger, recognise

_NO_KEY: Final = "This is not an API key: it is cut off, or was typed wrongly."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, and in which of their sessions here; None for a machine, and with a token of another issuer."""

    actor: Actor
    session_id: UUID | None


async def identify(front: Front, request: Request, token: str | None) -> Caller:
    """Who is asking. Raises Unauthenticated, and RateLimited for who asks too often."""
    cookie = front.site.cookie(request, SESSION)
    if cookie is not None:
        return await _by_cookie(front, request, cookie, token)
    if token is None:
        raise Unauthenticated("This needs an access token.", data={"reason": "token_missing"})
    if token.startswith(KEY_PREFIX):
        return await _by_key(front, request, token)
    provider = front.foreign.provider_of(token)
    if provider is not None:
        return await _by_foreign_token(front, request, token, provider)
    return await _by_token(front, request, token)


async def _by_token(front: Front, request: Request, token: str) -> Caller:
    now = front.kawal.now()
    claims = front.issuer.verify(token, now=now)
    await front.rates.pass_account(request.scope, claims.user_id)
    async with front.kawal.database.question() as connection:
        actor = await read_actor(connection, claims.user_id, at=now, session_id=claims.session_id)
    return Caller(actor, claims.session_id)


async def _by_cookie(front: Front, request: Request, cookie: str, token: str | None) -> Caller:
    """Whoever is signed in with a browser. What they change has to come from a page of ours."""
    if token is not None:
        raise Unauthenticated(
            "A cookie and an access token came together: it is not clear who asks.",
            remedy="Send one of them.",
            data={"reason": "credentials_mixed"},
        )
    if request.method not in SAFE_METHODS:
        front.site.require_own_page(request)
    now = front.kawal.now()
    async with front.kawal.database.question() as connection:
        session = await read_browser_session(connection, digest_of(cookie), at=now)
    await front.rates.pass_account(request.scope, session.actor.user_id)
    front.session_uses.note(session, at=now)
    return Caller(session.actor, session.id)


async def _by_foreign_token(front: Front, request: Request, token: str, provider: Provider) -> Caller:
    vouching = await front.foreign.verify_access(provider, token, now=front.kawal.now())
    stranger = Stranger(provider.settings, vouching.subject, vouching.issued_at, vouching.claims)
    actor = await recognise(front.kawal, stranger)
    await front.rates.pass_account(request.scope, actor.user_id)
    return Caller(actor, None)


async def _by_key(front: Front, request: Request, secret: str) -> Caller:
    key_id = key_id_of(secret)
    if key_id is None:
        raise Unauthenticated(_NO_KEY, remedy="Send the key as it was shown.", data={"reason": "api_key_malformed"})
    now, digest = front.kawal.now(), digest_of(secret)
    async with front.kawal.database.question() as connection:
        holder = await read_key_holder(connection, digest, at=now)
    await front.rates.pass_key(request.scope, key_id, per_minute=holder.requests_per_minute)
    await front.rates.pass_account(request.scope, holder.actor.user_id)
    front.key_uses.note(digest, network=network_of(request.client and request.client.host), at=now)
    return Caller(holder.actor, None)
