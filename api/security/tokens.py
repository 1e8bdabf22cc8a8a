"""Access tokens of the local issuer: JWTs that this service signs for its own accounts and alone reads.

HS256, because issuer and verifier are one service that holds one secret: there is nobody to give a public key
to, and an HMAC is much cheaper than a signature. Other issuers come in through OpenID Connect, with their own
keys. A token says who logged in and in which session; roles and areas are read from the database every time.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    JoseError,
    MissingAlgorithmError,
    UnsupportedAlgorithmError,
)
from joserfc.jwk import OctKey
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import Unauthenticated

CLOCK_SKEW: Final = timedelta(seconds=30)
FEWEST_KEY_BYTES: Final = 32

_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"  # RFC 9068: an access token, never to be mistaken for another JWT under the same key
_LONGEST_TOKEN: Final = 2048


class TokenFault(StrEnum):
    """Why a token was refused; stands in the refusal's `data["reason"]`."""

    MALFORMED = "token_malformed"
    WRONG_ALGORITHM = "token_wrong_algorithm"
    WRONG_SIGNATURE = "token_wrong_signature"
    WRONG_ISSUER = "token_wrong_issuer"
    WRONG_AUDIENCE = "token_wrong_audience"
    NOT_YET_VALID = "token_not_yet_valid"
    EXPIRED = "token_expired"


_DETAILS: Final = {
    TokenFault.MALFORMED: "The token is not an access token of this service.",
    TokenFault.WRONG_ALGORITHM: "The token is signed in a way that this service does not accept.",
    TokenFault.WRONG_SIGNATURE: "The token's signature is not this service's.",
    TokenFault.WRONG_ISSUER: "The token was issued by somebody else.",
    TokenFault.WRONG_AUDIENCE: "The token was issued for another service.",
    TokenFault.NOT_YET_VALID: "The token comes from the future: a clock is wrong.",
    TokenFault.EXPIRED: "The token has expired.",
}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. Whether the session was ended since is the database's to know."""

    user_id: UUID
    session_id: UUID
    issued_at: datetime
    expires_at: datetime


class TokenIssuer:
    """Signs tokens and verifies them. Remembers up to `remember` verified tokens by their hash."""

    def __init__(
        self,
        key: bytes,
        *,
        issuer: str,
        audience: str,
        ttl: timedelta,
        remember: int = 4096,
    ) -> None:
        if len(key) < FEWEST_KEY_BYTES:
            raise ValueError(f"token_signing_key: at least {FEWEST_KEY_BYTES} bytes are needed")
        self._key = OctKey.import_key(key)
        self._issuer = issuer
        self._audience = audience
        self._ttl = ttl
        self._verified = _Remembered(remember)

    def issue(self, user_id: UUID, *, now: datetime, session_id: UUID) -> str:
        """A token for one session, valid from `now` for the issuer's `ttl`, in whole seconds."""
        issued_at = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user_id),
            "sid": str(session_id),
            "iat": issued_at,
            "exp": issued_at + int(self._ttl.total_seconds()),
        }
        return jwt.encode({"alg": _ALGORITHM}, claims, self._key, [_ALGORITHM], default_type=_TYPE)

    def verify(self, token: str, *, now: datetime) -> Claims:
        """What the token says; raises `Unauthenticated` whose `data["reason"]` is a `TokenFault`.

        Clocks may differ by 30 seconds. The signature of a remembered token is not computed again; its times
        are judged on every call.
        """
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            raise refusal(TokenFault.MALFORMED)
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._verified.get(digest) or self._read(token)
        _check_times(claims, now=now)
        self._verified.put(digest, claims)
        return claims

    @property
    def remembered(self) -> int:
        """How many verified tokens are remembered now."""
        return len(self._verified)

    def _read(self, token: str) -> Claims:
        """The claims, if signature, type, issuer and audience are right; the times are not judged here."""
        try:
            decoded = jwt.decode(token, self._key, [_ALGORITHM])
            body = _Body.model_validate(decoded.claims)
        except (UnsupportedAlgorithmError, MissingAlgorithmError):
            raise refusal(TokenFault.WRONG_ALGORITHM) from None
        except BadSignatureError:
            raise refusal(TokenFault.WRONG_SIGNATURE) from None
        except (JoseError, ValidationError, ValueError):
            raise refusal(TokenFault.MALFORMED) from None
        if decoded.header.get("typ") != _TYPE:
            raise refusal(TokenFault.MALFORMED)
        if body.iss != self._issuer:
            raise refusal(TokenFault.WRONG_ISSUER)
        if body.aud != self._audience:
            raise refusal(TokenFault.WRONG_AUDIENCE)
        return body.claims()

    def __repr__(self) -> str:
        return f"TokenIssuer(issuer={self._issuer!r}, audience={self._audience!r}, ttl={self._ttl!r})"


class _Body(BaseModel):
    """The claims of a token as they are written."""

    model_config = ConfigDict(frozen=True)

    iss: str
    aud: str
    sub: UUID
    sid: UUID
    iat: int
    exp: int

    def claims(self) -> Claims:
        return Claims(
            user_id=self.sub,
            session_id=self.sid,
            issued_at=datetime.fromtimestamp(self.iat, UTC),
            expires_at=datetime.fromtimestamp(self.exp, UTC),
        )


class _Remembered:
    """The most recently used verified tokens, at most `limit` of them; safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._claims: OrderedDict[bytes, Claims] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: bytes) -> Claims | None:
        return self._claims.get(digest)

    def put(self, digest: bytes, claims: Claims) -> None:
        with self._lock:
            self._claims[digest] = claims
            self._claims.move_to_end(digest)
            while len(self._claims) > self._limit:
                self._claims.popitem(last=False)

    def __len__(self) -> int:
        return len(self._claims)


def _check_times(claims: Claims, *, now: datetime) -> None:
    if now >= claims.expires_at + CLOCK_SKEW:
        raise refusal(TokenFault.EXPIRED)
    if now < claims.issued_at - CLOCK_SKEW:
        raise refusal(TokenFault.NOT_YET_VALID)


def refusal(fault: TokenFault) -> Unauthenticated:
    """The refusal of a token; `data["reason"]` says why."""
    return Unauthenticated(_DETAILS[fault], data={"reason": fault.value})
