"""The API behind a real socket, as browsers reach it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn

from tests.api.conftest import Office, opened, settings_for
from tests.scene import Scene


@dataclass(frozen=True, slots=True)
class Served:
    """The application, at an address, and its office for what no browser does."""

    office: Office
    url: str

    def browser(self) -> httpx2.AsyncClient:
        """A client that keeps cookies, as a new browser does."""
        return httpx2.AsyncClient(base_url=self.url, trust_env=False, timeout=20)

    @property
    def from_own_page(self) -> dict[str, str]:
        """The headers that a browser adds to what a page of the site has it do."""
        return {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}


@asynccontextmanager
async def served(scene: Scene, **more: Any) -> AsyncGenerator[Served]:
    """The API on a free port of loopback, under settings that name this address."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        changes = {"public_url": url, "insecure_cookies": True, **more}
        settings = settings_for(scene).model_copy(update=changes)
        async with opened(scene, settings) as office:
            server = uvicorn.Server(uvicorn.Config(office.app, lifespan="off", log_config=None, access_log=False))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110  the server offers nothing to wait for
                await asyncio.sleep(0.01)
            try:
                yield Served(office, url)
            finally:
                server.should_exit = True
                await serving
