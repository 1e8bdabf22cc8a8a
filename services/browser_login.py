"""The way of a browser to another issuer and back: the authorization code flow with PKCE, state and nonce.

What was asked waits sealed in a cookie of the browser that asked, so that a code which somebody else was given, or
which was begun elsewhere, signs nobody in (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from db.vault import Vault
from domain.errors import IssuerUnavailable, Unauthenticated
from domain.keyring import SealError
from runtime.oidc.provider import Provider

LONGEST: Final = timedelta(minutes=10)
"""Between the way there and the way back."""

_CONTEXT: Final = "browser.login"
_BYTES: Final = 32


Sent = Annotated[str, Field(max_length=4000, pattern=r"^[\x20-\x7e]*$")]
"""What an issuer sends along with a browser (RFC 6749, appendix A)."""


class Asked(BaseModel):
    """What was asked of an issuer, for one browser."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    state: str
    nonce: str
    verifier: str
    return_to: str
    at: datetime

    @classmethod
    def now(cls, issuer: str, *, return_to: str, at: datetime) -> Asked:
        """Something new to be asked, that nobody can guess."""
        state, nonce, verifier = (secrets.token_urlsafe(_BYTES) for _ in range(3))
        return cls(issuer=issuer, state=state, nonce=nonce, verifier=verifier, return_to=return_to, at=at)

    def sealed(self, vault: Vault) -> str:
        """As the browser carries it: nobody reads or makes one without the keys of the installation."""
        return base64.urlsafe_b64encode(vault.seal(self, context=_CONTEXT)).rstrip(b"=").decode()


class Answered(BaseModel):
    """What the issuer sent the browser back with."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    state: Sent | None = None
    code: Sent | None = None
    error: Sent | None = None
    iss: Sent | None = None


class _Tokens(BaseModel):
    """What of the answer of a token endpoint is used."""

    id_token: str


def opened(cookie: str | None, vault: Vault) -> Asked:
    """What was asked, out of the browser's cookie. Raises Unauthenticated where there is none, or it is not ours."""
    if cookie is None:
        raise _refused("login_unknown", "This browser has not begun to sign in here, or too long ago.")
    try:
        envelope = base64.b64decode(cookie + "=" * (-len(cookie) % 4), altchars=b"-_", validate=True)
        return vault.open(envelope, Asked, context=_CONTEXT)
    except (binascii.Error, SealError, ValidationError, ValueError):
        raise _refused("login_unknown", "This browser has not begun to sign in here.") from None


async def address_of_login(provider: Provider, asked: Asked, *, callback: str) -> str:
    """Where the browser is sent to sign in. Raises IssuerUnavailable."""
    metadata = await provider.metadata()
    if metadata.authorization_endpoint is None:
        raise IssuerUnavailable("The issuer publishes no address at which people sign in.")
    challenge = hashlib.sha256(asked.verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": provider.settings.client_id or "",
        "redirect_uri": callback,
        "scope": provider.settings.scopes,
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    separator = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{separator}{urlencode(query)}"


async def fetch_id_token(provider: Provider, asked: Asked, answered: Answered, *, callback: str, now: datetime) -> str:
    """The ID token for the code that the browser came back with; its signature and claims are still to be verified.

    Raises Unauthenticated where the issuer refused, or the answer is not to what this browser asked; IssuerUnavailable.
    """
    _check(provider, asked, answered, now=now)
    metadata = await provider.metadata()
    if metadata.token_endpoint is None:
        raise IssuerUnavailable("The issuer publishes no address at which codes are exchanged.")
    form = {
        "grant_type": "authorization_code",
        "code": answered.code or "",
        "redirect_uri": callback,
        "code_verifier": asked.verifier,
    }
    client_id, secret = provider.settings.client_id or "", provider.settings.client_secret
    auth: tuple[str, str] | None = None
    if secret is not None and "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
        auth = (client_id, secret.get_secret_value())
    else:
        form |= {"client_id": client_id} | ({} if secret is None else {"client_secret": secret.get_secret_value()})
    answer = await provider.post(metadata.token_endpoint, form, auth=auth)
    try:
        return _Tokens.model_validate_json(answer.content).id_token
    except ValidationError:
        raise _refused("code_refused", "The issuer gave nothing for the code that the browser brought.") from None


def check_id_token(asked: Asked, claims: dict[str, object], *, client_id: str) -> None:
    """Raise Unauthenticated where an ID token is not the answer to what was asked, or was given to another client."""
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), asked.nonce.encode()):
        raise _refused("nonce_mismatch", "The issuer's answer is not to what this browser asked.")
    if claims.get("azp", client_id) != client_id:
        raise _refused("token_wrong_audience", "The issuer gave this token to another client.")


def _check(provider: Provider, asked: Asked, answered: Answered, *, now: datetime) -> None:
    same = hmac.compare_digest((answered.state or "").encode(), asked.state.encode())
    if asked.issuer != provider.settings.name or not same:
        raise _refused("state_mismatch", "This answer is not to what this browser asked.")
    if now - asked.at > LONGEST:
        raise _refused("login_unknown", "This browser began to sign in too long ago.")
    if answered.iss is not None and answered.iss != provider.settings.issuer:
        raise _refused("token_wrong_issuer", "This answer is another issuer's.")
    if answered.error is not None or not answered.code:
        raise _refused("login_refused", "The issuer did not sign you in.")


def _refused(reason: str, detail: str) -> Unauthenticated:
    return Unauthenticated(detail, remedy="Begin to sign in again.", data={"reason": reason})
