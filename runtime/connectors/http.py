"""One POST to a partner, and the one place that tells a passing fault from a defect."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from domain.errors import PartnerUnavailable

PASSING_STATUSES = frozenset({408, 425, 429})
"""The 4xx answers that ask for a repetition, not for a change (RFC 9110, RFC 8470, RFC 6585)."""

CONNECT_SECONDS = 3.0
MAX_RETRY_AFTER_SECONDS = 86_400.0
LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4.0)

AnswerT = TypeVar("AnswerT", bound=BaseModel)


@cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates are trusted: loaded once, which takes 25 ms, for every partner."""
    return httpx2.create_ssl_context(trust_env=False)


class PartnerContractError(Exception):
    """A partner refused a request as wrong: our defect or our configuration, so repeating it is useless.

    The partner's own words are left out, for they may quote the personal data that was sent.
    """

    def __init__(self, *, partner: str, status: int) -> None:
        super().__init__(f"{partner} refused the request with HTTP status {status}.")
        self.partner = partner
        self.status = status


class PartnerHttp:
    """A pooled HTTP client of one partner, for one event loop.

    `timeout` is the whole time in seconds that one call may take. What is sent stays in the body: URLs, log
    lines and error texts carry no personal data.
    """

    def __init__(self, url: str, token: str, *, partner: str, timeout: float) -> None:
        if httpx2.URL(url).scheme not in {"http", "https"}:
            raise ValueError(f"The URL of {partner} must begin with http:// or https://.")
        self._partner = partner
        self._timeout = timeout
        self._client = httpx2.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx2.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            limits=LIMITS,
            verify=_authorities(),
            trust_env=False,  # a proxy named in the environment would see people's identity numbers
        )

    async def post(
        self,
        path: str,
        *,
        body: BaseModel,
        answer: type[AnswerT],
        headers: Mapping[str, str] | None = None,
    ) -> AnswerT:
        """Send `body` as JSON and read the answer as `answer`.

        Raises `PartnerUnavailable` for everything that may pass: no connection, no answer in time, 5xx, 429
        and an answer nobody can read. Raises `PartnerContractError` for any other 4xx.
        """
        response = await self._send(path, content=body.model_dump_json().encode(), headers=dict(headers or {}))
        if 400 <= response.status_code < 500 and response.status_code not in PASSING_STATUSES:  # noqa: PLR2004 - the HTTP client error class
            raise PartnerContractError(partner=self._partner, status=response.status_code)
        if not response.is_success:
            raise self._unavailable(f"status_{response.status_code}", retry_after=_retry_after(response))
        try:
            return answer.model_validate_json(response.content)
        except ValidationError:
            # The chained error would quote the answer, and with it a person.
            raise self._unavailable("undecodable") from None

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._client.aclose()

    async def _send(self, path: str, *, content: bytes, headers: dict[str, str]) -> httpx2.Response:
        try:
            # The client's own read timeout starts anew with every chunk; this one does not.
            async with asyncio.timeout(self._timeout):
                return await self._client.post(
                    path,
                    content=content,
                    headers={"Content-Type": "application/json", **headers},
                )
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise self._unavailable("timeout") from error
        except httpx2.ConnectError as error:
            raise self._unavailable("no_connection") from error
        except httpx2.LocalProtocolError:
            # Its text would quote the header, which may be the token.
            raise ValueError(f"A header meant for {self._partner} is not a legal HTTP header.") from None
        except httpx2.DecodingError as error:
            raise self._unavailable("undecodable") from error
        except httpx2.RequestError as error:
            raise self._unavailable("connection_lost") from error

    def _unavailable(self, cause: str, *, retry_after: float | None = None) -> PartnerUnavailable:
        return PartnerUnavailable(
            f"{self._partner} does not answer ({cause}).",
            remedy="Nothing needs to be done: the call is repeated by itself.",
            data={"partner": self._partner, "cause": cause, "retry_after": retry_after},
        )


def _retry_after(response: httpx2.Response) -> float | None:
    """Seconds that Retry-After asks for, in either of its two forms; nothing when absent or garbled."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_RETRY_AFTER_SECONDS)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    wait = (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(wait, 0.0), MAX_RETRY_AFTER_SECONDS)
