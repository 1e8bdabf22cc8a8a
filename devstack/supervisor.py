"""Starts services in order, starts again those that end unbidden, and stops all of them in reverse order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

from devstack.cluster import PostgresError
from devstack.processes import ServiceError

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
STEADY_AFTER: Final = 60.0
"""A service that ran this many seconds begins again with the first pause when it ends."""


class Service(Protocol):
    """Something that runs until it is stopped: a child process, the Temporal server, the PostgreSQL server."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def start(self) -> None:
        """Start it and return when it is ready."""
        ...

    async def ended(self) -> str:
        """Return when it has ended, and say how."""
        ...

    async def stop(self) -> None:
        """Stop it in order; nothing happens when it does not run."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class Supervisor:
    """Owns the running services. `say` tells a person, one line at a time."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self._say = say
        self._services: list[Service] = []
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self, service: Service) -> None:
        """Start a service and keep it running from then on. Raises what its start raises."""
        self._services.append(service)  # first, so that a half-started one is stopped as well
        await service.start()
        self._keepers.append(asyncio.create_task(self._keep(service), name=f"keep {service.name}"))

    async def stop(self) -> None:
        """Stop every service, the last started first."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for service in reversed(self._services):
            started = time.monotonic()
            try:
                await service.stop()
            except (ServiceError, PostgresError) as error:
                self._say(f"{service.name} did not stop in order: {error}")
                service.kill()
            else:
                self._say(f"{service.name} stopped ({time.monotonic() - started:.1f} s)")

    def kill(self) -> None:
        """End every service at once; a running `stop` then comes to its end quickly."""
        for service in reversed(self._services):
            service.kill()

    async def _keep(self, service: Service) -> None:
        pause = FIRST_PAUSE
        while True:
            since = time.monotonic()
            how = await service.ended()
            if time.monotonic() - since > STEADY_AFTER:
                pause = FIRST_PAUSE
            self._say(f"{service.name} ended: {how}; starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                await service.start()
            except (ServiceError, PostgresError, OSError) as error:
                self._say(f"{service.name} did not start: {str(error).splitlines()[0]}")
            else:
                self._say(f"{service.name} is back")
