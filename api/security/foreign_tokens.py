"""Tokens of other issuers: verified by joserfc against the keys that the issuer publishes, by its settings.

What such a token says is who somebody is, never what they may do. The issuer is chosen by the claim `iss`, which is
believed for nothing else until the signature is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    ExpiredTokenError,
    InvalidKeyIdError,
    JoseError,
    MissingAlgorithmError,
    UnsupportedAlgorithmError,
)
from joserfc.jwt import Claims, ClaimsOption, JWTClaimsRegistry
from pydantic import JsonValue, TypeAdapter, ValidationError

from api.security.tokens import TokenFault, refusal
from domain.errors import Unauthenticated
from runtime.oidc.provider import Provider

_LONGEST_TOKEN: Final = 16 * 1024
_TYPES: Final = frozenset({None, "jwt", "at+jwt", "application/at+jwt"})
_NOT_OF_ACCESS: Final = frozenset({"at_hash", "c_hash", "events"})
"""Claims of ID tokens and of messages about signing out."""
_KINDS_OF_KEYCLOAK: Final = frozenset({"ID", "Refresh", "Offline", "Logout"})
_PAYLOAD: Final = TypeAdapter(dict[str, JsonValue])
_REQUIRED: Final[ClaimsOption] = {"essential": True}


class _Use(StrEnum):
    ACCESS = "access"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Vouching:
    """What a verified token says of whom it is about."""

    issuer: str
    subject: str
    issued_at: datetime
    claims: dict[str, JsonValue]


class ForeignTokens:
    """The issuers that are trusted besides our own."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self.providers = {provider.settings.name: provider for provider in providers}
        self._by_issuer = {provider.settings.issuer: provider for provider in self.providers.values()}

    def provider_of(self, token: str) -> Provider | None:
        """Whose token it says to be; None for one of ours, or of nobody known."""
        if not self._by_issuer or len(token) > _LONGEST_TOKEN:
            return None
        try:
            payload = _PAYLOAD.validate_json(jws.extract_compact(token.encode()).payload)
        except (JoseError, ValidationError, ValueError):
            return None
        issuer = payload.get("iss")
        return self._by_issuer.get(issuer) if isinstance(issuer, str) else None

    async def verify_access(self, provider: Provider, token: str, *, now: datetime) -> Vouching:
        """Whom an access token is about. Raises Unauthenticated with a TokenFault, IssuerUnavailable."""
        audience = provider.settings.audience
        if audience is None:
            raise refusal(TokenFault.WRONG_AUDIENCE)
        return await _verify(provider, token, use=_Use.ACCESS, audience=audience, now=now)

    async def verify_id(self, provider: Provider, token: str, *, client_id: str, now: datetime) -> Vouching:
        """Whom an ID token is about that was just fetched for `client_id`. Raises as `verify_access` does."""
        return await _verify(provider, token, use=_Use.ID, audience=client_id, now=now)

    async def close(self) -> None:
        """Give back every connection."""
        for provider in self.providers.values():
            await provider.close()


async def _verify(provider: Provider, token: str, *, use: _Use, audience: str, now: datetime) -> Vouching:
    settings = provider.settings
    try:
        header = jws.extract_compact(token.encode()).headers()
        _check_header(header, allowed=settings.algorithms)
        keys = await provider.keys_for(header.get("kid"))
        claims = jwt.decode(token, keys, list(settings.algorithms)).claims
        registry = JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=int(settings.skew.total_seconds()),
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": audience},
            sub=_REQUIRED,
            exp=_REQUIRED,
            iat=_REQUIRED,
        )
        registry.validate(claims)
    except Unauthenticated:
        raise
    except (JoseError, ValueError) as fault:
        raise refusal(_meaning(fault)) from None
    if use is _Use.ACCESS and _is_no_access_token(claims):
        raise refusal(TokenFault.MALFORMED)
    issued_at = datetime.fromtimestamp(claims["iat"], UTC)
    return Vouching(settings.issuer, claims["sub"], issued_at, claims)


def _check_header(header: dict[str, Any], *, allowed: tuple[str, ...]) -> None:
    if header.get("alg") not in allowed:
        raise refusal(TokenFault.WRONG_ALGORITHM)
    kind = header.get("typ")
    if (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
        raise refusal(TokenFault.MALFORMED)


def _is_no_access_token(claims: Claims) -> bool:
    return not _NOT_OF_ACCESS.isdisjoint(claims) or claims.get("typ") in _KINDS_OF_KEYCLOAK


def _meaning(fault: Exception) -> TokenFault:
    match fault:
        case MissingAlgorithmError() | UnsupportedAlgorithmError():
            return TokenFault.WRONG_ALGORITHM
        case InvalidKeyIdError() | BadSignatureError():
            return TokenFault.WRONG_SIGNATURE
        case ExpiredTokenError():
            return TokenFault.EXPIRED
        case ClaimError():
            return _OF_CLAIM.get(fault.claim, TokenFault.MALFORMED)
        case _:
            return TokenFault.MALFORMED


_OF_CLAIM: Final = {
    "aud": TokenFault.WRONG_AUDIENCE,
    "iss": TokenFault.WRONG_ISSUER,
    "nbf": TokenFault.NOT_YET_VALID,
    "iat": TokenFault.NOT_YET_VALID,
}
