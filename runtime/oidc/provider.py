"""What an issuer publishes: its endpoints and its keys, kept while it is down and asked for again when they change.

Keys are asked for anew once they are no longer fresh, and at once for a key that is not known; but not more often
than every ten seconds, so that made-up key ids do not turn into requests. While the issuer does not answer, the keys
that are known are good for a bounded time.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any, Final, cast

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import IssuerUnavailable
from runtime.oidc.settings import IssuerSettings

PAUSE_SECONDS: Final = 10.0
"""Between two questions to one issuer."""

_TIMEOUT_SECONDS: Final = 5.0
_LARGEST_DOCUMENT: Final = 512 * 1024
_DISCOVERY: Final = "/.well-known/openid-configuration"

_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("oidc")


class Metadata(BaseModel):
    """What of an issuer's metadata is used (OpenID Connect Discovery 1.0, 3)."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    jwks_uri: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class _Published(BaseModel):
    """A JSON Web Key Set as it comes (RFC 7517, 5)."""

    keys: list[dict[str, Any]]


class Provider:
    """One issuer, for one event loop."""

    def __init__(self, settings: IssuerSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._clock = clock
        self._client = httpx2.AsyncClient(
            timeout=_TIMEOUT_SECONDS, trust_env=False, follow_redirects=False, verify=_authorities()
        )
        self._asking = asyncio.Lock()
        self._asked_at: float | None = None
        self._known_at = 0.0
        self._silent = False
        self._metadata: Metadata | None = None
        self._keys: KeySet | None = None
        self._background: set[asyncio.Task[None]] = set()

    @property
    def asking(self) -> bool:
        """Whether the issuer is being asked at this moment."""
        return self._asking.locked()

    async def keys_for(self, key_id: str | None) -> KeySet:
        """The issuer's keys, asked for anew where they are not fresh or `key_id` is none of them.

        While the issuer is silent nobody waits for them. Raises IssuerUnavailable where none are good any more.
        """
        unknown = self._keys is None or (key_id is not None and not _has(self._keys, key_id))
        if unknown or self._older_than(self.settings.keys_fresh_for):
            if unknown or not self._silent or self._older_than(self.settings.keys_good_for):
                await self._ask()
            elif self._may_ask():
                self._beside(self._ask())
        if self._keys is None or self._older_than(self.settings.keys_good_for):
            raise self._unavailable()
        return self._keys

    async def metadata(self) -> Metadata:
        """The issuer's endpoints. Raises IssuerUnavailable when it has never answered."""
        if self._metadata is None:
            await self._ask()
        if self._metadata is None:
            raise self._unavailable()
        return self._metadata

    async def post(self, url: str, form: dict[str, str], *, auth: tuple[str, str] | None) -> httpx2.Response:
        """A form sent to one of its endpoints. Raises IssuerUnavailable when it does not answer."""
        basic = httpx2.USE_CLIENT_DEFAULT if auth is None else httpx2.BasicAuth(*auth)
        try:
            answer = await self._client.post(url, data=form, auth=basic, headers={"Accept": "application/json"})
        except (httpx2.HTTPError, TimeoutError) as fault:
            raise self._unavailable() from fault
        if answer.is_server_error:
            raise self._unavailable()
        return answer

    async def close(self) -> None:
        """Give back its connections."""
        for task in self._background:
            task.cancel()
        await self._client.aclose()

    def _older_than(self, span: timedelta) -> bool:
        return self._clock() - self._known_at > span.total_seconds()

    def _may_ask(self) -> bool:
        return self._asked_at is None or self._clock() - self._asked_at >= PAUSE_SECONDS

    async def _ask(self) -> None:
        """Ask the issuer for what it publishes; what is known of it stays where it does not answer."""
        async with self._asking:
            if not self._may_ask():
                return
            self._asked_at = self._clock()
            try:
                metadata = await self._discover()
                published = _Published.model_validate_json(await self._get(metadata.jwks_uri))
                self._keys = _for_signatures(published.keys)
            except (httpx2.HTTPError, TimeoutError, ValidationError, JoseError, ValueError) as fault:
                self._silent = True
                _log.warning("oidc.issuer_silent", issuer=self.settings.name, error=type(fault).__name__)
                return
            # As old as the question: what was withdrawn while it was answered may be among them.
            self._metadata, self._known_at, self._silent = metadata, self._asked_at, False

    async def _discover(self) -> Metadata:
        """Raises ValueError for metadata of another issuer, or of one that sends secrets over an open line."""
        issuer = self.settings.issuer
        metadata = Metadata.model_validate_json(await self._get(issuer.rstrip("/") + _DISCOVERY))
        if metadata.issuer != issuer:
            raise ValueError("the metadata is of another issuer")
        endpoints = (metadata.jwks_uri, metadata.authorization_endpoint, metadata.token_endpoint)
        if issuer.startswith("https:") and any(url and not url.startswith("https:") for url in endpoints):
            raise ValueError("an endpoint is not https")
        return metadata

    async def _get(self, url: str) -> bytes:
        async with self._client.stream("GET", url) as answer:
            answer.raise_for_status()
            content = b""
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > _LARGEST_DOCUMENT:
                    raise ValueError("the document is too large")
        return content

    def _beside(self, question: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(question)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _unavailable(self) -> IssuerUnavailable:
        return IssuerUnavailable(f"The issuer {self.settings.title or self.settings.name} does not answer.")


def _has(keys: KeySet, key_id: str) -> bool:
    return any(key.kid == key_id for key in keys)


def _for_signatures(published: list[dict[str, Any]]) -> KeySet:
    """The public keys of two halves: a symmetric one that somebody published by mistake is known to everybody.

    Those that are not understood are left out (RFC 7517, 5). Raises ValueError where none is left.
    """
    keys: list[Key] = []
    for key in published:
        if key.get("use", "sig") == "sig" and key.get("kty") in {"RSA", "EC", "OKP"}:
            with suppress(JoseError, ValueError):
                keys.append(import_key(cast("Any", key)))
    if not keys:
        raise ValueError("there is no key for signatures")
    return KeySet(keys)


@cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates are trusted: loaded once, for every issuer."""
    return httpx2.create_ssl_context(trust_env=False)
