"""A whole Kawal of real processes on ports of its own, each of which a test may kill and start again.

PostgreSQL is durable, the engine keeps its state in a file, the partners theirs in SQLite, so that whatever is killed
comes back with what it had promised to keep.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from api.security.passwords import PasswordHasher
from db import migrate
from db.owner import OwnerDatabase
from db.vault import Vault
from devstack.cluster import cluster_home
from devstack.demo_people import PASSWORD, REGENCY, TARAJU
from devstack.environment import StackSettings, stack_environment
from devstack.ports import LOOPBACK, accepts, any_free_port
from devstack.postgres import PostgresServer
from devstack.processes import ChildService, Command, Condition
from devstack.registry_persons import store_new_persons
from devstack.seed import World, seed
from devstack.service_user import service_user
from devstack.temporal import TemporalServer
from domain.keyring import IndexRing, KeyRing
from domain.policy import Policy, default_policy, without_draws
from runtime.settings import Settings
from services.policies.versions import add_version
from tests.faults.policy import brisk_policy

_HOUSEHOLDS: Final = 80
_PORTS: Final = (
    "pg_port",
    "temporal_port",
    "api_port",
    "civil_registry_port",
    "ministry_port",
    "worker_metrics_port",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The running parts. `start` brings back whatever a test has killed, and ends what it added."""

    home: Path
    environment: Mapping[str, str]
    world: World
    database: OwnerDatabase
    postgres: PostgresServer
    temporal: TemporalServer
    partners: ChildService
    api: ChildService
    second_api: ChildService
    worker: ChildService
    second_worker: ChildService
    api_url: str
    second_api_url: str
    registry_url: str
    ministry_url: str

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.home / "log"

    async def start(self) -> None:
        """Have every part running that belongs to one Kawal, and none of the second ones."""
        for extra in (self.second_worker, self.second_api):
            await extra.stop()
        await self.postgres.start()
        for part in (self.temporal, self.partners, self.api, self.worker):
            if part.pid is None:
                await part.start()

    async def stop(self) -> None:
        """End every part, whatever state it is in."""
        for part in (self.worker, self.second_worker, self.api, self.second_api, self.partners, self.temporal):
            part.kill()
            await part.stop()
        await self.postgres.stop()

    @asynccontextmanager
    async def brisk(self) -> AsyncGenerator[None]:
        """What is submitted meanwhile has deadlines of seconds, also afterwards: a case keeps its policy."""
        await self._publish(brisk_policy(area_code=REGENCY))
        yield
        await self.take_sptjm()

    async def take_sptjm(self) -> None:
        """Let a village head answer for all of the village, by a paper that nobody has to scan."""
        policy = without_draws(default_policy(area_code=REGENCY))
        papers = policy.minutes and policy.minutes.model_copy(update={"sptjm": "per_village", "scan_required": False})
        await self._publish(policy.model_copy(update={"minutes": papers}))

    async def _publish(self, policy: Policy) -> None:
        async with self.database.transaction() as connection:
            now = datetime.now(UTC)
            await add_version(connection, policy, at=now, effective_at=now)

    def settings(self) -> Settings:
        """What the stack's own processes are told."""
        names = Settings.model_fields
        told = {name.removeprefix("KAWAL_").lower(): value for name, value in self.environment.items()}
        return Settings.model_validate({name: value for name, value in told.items() if name in names})

    def log_sizes(self) -> dict[str, int]:
        """How long each log is now."""
        return {log.name: log.stat().st_size for log in self.logs.glob("*.log")}

    def said_since(self, sizes: Mapping[str, int]) -> list[tuple[str, str]]:
        """What each process has logged since its log had this size, by the log's name."""
        logs = [(log.name, log.read_bytes()[sizes.get(log.name, 0) :]) for log in sorted(self.logs.glob("*.log"))]
        return [(name, text.decode(errors="replace")) for name, text in logs if text]


@asynccontextmanager
async def running_stack(folder: Path) -> AsyncGenerator[Stack]:
    """A seeded Kawal whose parts all run; nothing of it is left when the block ends, except its logs."""
    settings = StackSettings(data_dir=folder, **{name: any_free_port() for name in _PORTS})
    user = service_user()
    home = cluster_home(folder, user)
    postgres = PostgresServer(home, port=settings.pg_port, log=settings.log_dir / "postgres.log", user=user)
    try:
        async with postgres:
            stack = await _assemble(settings, postgres)
            try:
                await stack.start()
                yield stack
            finally:
                await stack.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _assemble(settings: StackSettings, postgres: PostgresServer) -> Stack:
    urls = postgres.urls()
    environment = {**stack_environment(settings, urls), "PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "error"}
    await asyncio.to_thread(migrate.upgrade, urls.migrator)
    parts = _Parts(settings, environment)
    first, second = settings.api_port, any_free_port()
    return Stack(
        home=settings.data_dir,
        environment=environment,
        world=await _seed(settings, environment),
        database=OwnerDatabase(urls.migrator),
        postgres=postgres,
        temporal=TemporalServer(
            log=settings.log_dir / "temporal.log",
            database=settings.data_dir / "temporal.db",
            port=settings.temporal_port,
        ),
        partners=parts.partners(),
        api=parts.api("api", first),
        second_api=parts.api("second_api", second),
        worker=parts.worker("worker", settings.worker_metrics_port),
        second_worker=parts.worker("second_worker", any_free_port()),
        api_url=f"http://{LOOPBACK}:{first}",
        second_api_url=f"http://{LOOPBACK}:{second}",
        registry_url=environment["KAWAL_CIVIL_REGISTRY_URL"],
        ministry_url=environment["KAWAL_MINISTRY_URL"],
    )


async def _seed(settings: StackSettings, environment: Mapping[str, str]) -> World:
    now = datetime.now(UTC)
    vault = Vault(
        KeyRing.parse(environment["KAWAL_FIELD_KEYS"], setting="KAWAL_FIELD_KEYS"),
        IndexRing.parse(environment["KAWAL_INDEX_KEYS"], setting="KAWAL_INDEX_KEYS"),
    )
    migrator = environment["KAWAL_DATABASE_MIGRATOR_URL"]
    passwords = PasswordHasher()
    world = await seed(
        migrator,
        vault=vault,
        password_hash=await passwords.hash_password(PASSWORD),
        today=now.date(),
        households_per_village=_HOUSEHOLDS,
        villages=(TARAJU,),
    )
    passwords.close()
    store_new_persons(settings.data_dir / "partners" / "civil_registry.sqlite", world.persons)
    return world


@dataclass(frozen=True, slots=True)
class _Parts:
    """Makes the processes of one stack."""

    settings: StackSettings
    environment: Mapping[str, str]

    def partners(self) -> ChildService:
        return self._child("partners", "-m", "devstack.partners", ready=_listens(self.settings.ministry_port))

    def api(self, name: str, port: int) -> ChildService:
        serve = (
            "--host",
            LOOPBACK,
            "--port",
            str(port),
            "--no-access-log",
            "--lifespan",
            "on",
            "--timeout-graceful-shutdown",
            "10",
        )
        argv = ("-m", "uvicorn", "--factory", "api.app:create_app", *serve)
        return self._child(name, *argv, ready=_listens(port))

    def worker(self, name: str, metrics_port: int) -> ChildService:
        port = {"KAWAL_WORKER_METRICS_PORT": str(metrics_port)}
        return self._child(name, "worker.py", ready=_listens(metrics_port), env=port, grace=35)

    def _child(
        self,
        name: str,
        *argv: str,
        ready: Condition,
        env: Mapping[str, str] | None = None,
        grace: float = 12,
    ) -> ChildService:
        command = Command(
            name=name,
            argv=(sys.executable, *argv),
            env={**self.environment, **(env or {})},
            log=self.settings.log_dir / f"{name}.log",
            grace=grace,
        )
        return ChildService(command, ready=ready)


def _listens(port: int) -> Condition:
    async def condition() -> bool:
        return await accepts(port)

    return condition
