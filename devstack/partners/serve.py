"""Put a partner together and serve it over loopback, for `python -m devstack.partners` and for tests."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import Lifespan
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from devstack.partners.fault_middleware import ABORT, FaultMiddleware
from devstack.partners.faults import Faults
from devstack.partners.wire import EXCEPTION_HANDLERS, BearerAuth

GRACE_SECONDS = 3
KEEP_ALIVE_SECONDS = 30
ANY_LOOPBACK_PORT = ("127.0.0.1", 0)


@dataclass(frozen=True, slots=True)
class Partner:
    """An application and the call that lets go of the requests it holds back, made when the server stops."""

    app: Starlette
    release: Callable[[], None]


def partner(
    *,
    routes: Sequence[BaseRoute],
    lifespan: Lifespan[Starlette],
    token: str,
    admin_token: str,
    faults: Faults,
) -> Partner:
    """Put a partner together: `token` opens /v1, `admin_token` opens /admin, `faults` disturb /v1 alone."""
    app = Starlette(
        routes=[*routes, *faults.routes()],
        middleware=[
            Middleware(FaultMiddleware, faults=faults),
            Middleware(BearerAuth, tokens={"/v1/": token, "/admin/": admin_token}),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
    return Partner(app=app, release=faults.release)


@asynccontextmanager
async def serving(served: Partner, *, address: tuple[str, int] = ANY_LOOPBACK_PORT) -> AsyncGenerator[str]:
    """Serve a partner on `address` (host, port; port 0 takes a free one) and yield its base URL.

    Raises `OSError` when the port is taken. The port is closed, and every request answered or cut, when the
    block is left.
    """
    listener = socket.create_server(address, backlog=2048)
    config = uvicorn.Config(
        served.app,
        http=_AbortableProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, release=served.release)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.ready.wait()
        yield f"http://{address[0]}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


class _AbortableProtocol(HttpToolsProtocol):
    """Leaves in each request's state the call that resets its connection, which ASGI itself cannot express."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope.setdefault("state", {})[ABORT] = self.transport.abort


class _Server(uvicorn.Server):
    """A server among others in one process: says when it listens, and leaves the signals to the process."""

    def __init__(self, config: uvicorn.Config, *, release: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._release = release

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._release()
        await super().shutdown(sockets=sockets)
