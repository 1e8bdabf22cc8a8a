"""The API as a client of it: people who log in, ask and act; and what goes wrong told in the API's own words."""

from __future__ import annotations

import asyncio
import base64
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

import httpx2

from devstack.demo_people import PASSWORD

Document = dict[str, Any]

_ASK_AGAIN: Final = frozenset({202, 503})
"""An act whose outcome is not known yet, and an engine that does not answer: the same key may be sent again."""
_PATIENCE: Final = 30.0
_TIMEOUT: Final = 20.0


class DemoError(Exception):
    """The demonstration cannot go on; the text says what was asked and what came back."""


class Refused(DemoError):
    """The API refused a request. `code` is the stable code of its problem document."""

    def __init__(self, request: str, problem: Document) -> None:
        faults = "; ".join(f"{v['pointer']}: {v['detail']}" for v in problem.get("violations", []))
        super().__init__(f"{request}: {problem.get('detail', 'no problem document')} {faults}".strip())
        self.code: str = problem.get("code", "unknown")


class Api:
    """The API at `url`, for one event loop. Each person logs in once, when first needed."""

    def __init__(self, url: str) -> None:
        self._client = httpx2.AsyncClient(base_url=url, timeout=_TIMEOUT, trust_env=False)
        self._tokens: dict[str, asyncio.Task[str]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def get(self, username: str, path: str, **query: str) -> Document:
        """What `username` reads at `path`. Raises Refused."""
        return await self._ask(username, "GET", path, params=query)

    async def post(self, username: str, path: str, body: Document, *, holds: int | None = None) -> Document:
        """What comes of an act of `username`, asked again under its key while the outcome is open. Raises Refused.

        `holds` is the version of the thing that it is done on.
        """
        headers = {"Idempotency-Key": str(uuid4())} | ({} if holds is None else {"If-Match": f'"v{holds}"'})
        return await self._ask(username, "POST", path, json=body, headers=headers)

    async def upload(self, username: str, content: bytes, *, area_code: str, kind: str) -> str:
        """Upload a file for a village; its id. Raises Refused."""
        told = {"area_code": area_code, "type": kind}
        pairs = (f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())
        shared = {"Authorization": f"Bearer {await self._token(username)}", "Tus-Resumable": "1.0.0"}
        announced = {"Upload-Length": str(len(content)), "Upload-Metadata": ",".join(pairs)}
        begun = await self._send("POST", "/v1/evidence/uploads", headers=shared | announced)
        if not begun.is_success:
            raise Refused(f"{username}: upload", _document(begun))
        piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        sent = await self._send(
            "PATCH", begun.headers["Location"], content=content, headers=shared | piece, timeout=_PATIENCE
        )
        if not sent.is_success:
            raise Refused(f"{username}: upload", _document(sent))
        return begun.headers["Location"].rpartition("/")[2]

    async def _ask(self, username: str, method: str, path: str, **content: Any) -> Document:
        headers = {**content.pop("headers", {}), "Authorization": f"Bearer {await self._token(username)}"}
        give_up_at = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            response = await self._send(method, path, headers=headers, **content)
            document = _document(response)
            waits = response.status_code in _ASK_AGAIN and asyncio.get_running_loop().time() < give_up_at
            if not waits:
                break
            await asyncio.sleep(min(float(response.headers.get("Retry-After", "1")), 2))
        if not response.is_success or response.status_code in _ASK_AGAIN:
            raise Refused(f"{username}: {method} {path}", document)
        return document

    async def _token(self, username: str) -> str:
        if username not in self._tokens:
            self._tokens[username] = asyncio.create_task(self._log_in(username))
        return await self._tokens[username]

    async def _log_in(self, username: str) -> str:
        form = {"grant_type": "password", "username": username, "password": PASSWORD}
        response = await self._send("POST", "/v1/auth/token", data=form)
        document = _document(response)
        if not response.is_success:
            raise Refused(f"log in as {username}", document)
        return document["access_token"]

    async def _send(self, method: str, path: str, **content: Any) -> httpx2.Response:
        try:
            return await self._client.request(method, path, **content)
        except httpx2.HTTPError as fault:
            raise DemoError(f"{method} {path}: the API does not answer ({type(fault).__name__}).") from fault


def _document(response: httpx2.Response) -> Document:
    try:
        return response.json()
    except ValueError:
        return {"detail": f"HTTP status {response.status_code}"}
