"""The examinations of `kawal doctor`. None changes anything, and one that fails keeps no other from going on."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from db.migrate import newest_revision
from db.models import Area, Calendar, PolicyVersion
from domain.authority import NATION
from domain.calendar import WorkingCalendar
from runtime.settings import Settings

SEARCH_ATTRIBUTES: Final = frozenset({"KawalStage", "KawalArea", "KawalKind", "KawalLevel"})
SKEW: Final = timedelta(seconds=2)
"""How far apart the clocks of this machine and of the database may be."""
ROOM: Final = 2 * 2**30
"""Bytes free below which the embedded stack is told to be short of disk."""
_PATIENCE: Final = 5.0

_ESCAPING = text(
    """
    SELECT rolname FROM pg_roles
    WHERE rolname = ANY (:logins) AND (rolsuper OR rolbypassrls OR pg_has_role(rolname, 'kawal_owner', 'MEMBER'))
    ORDER BY rolname
    """,
)
_UNGUARDED = text(
    """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity)
      AND relname <> 'alembic_version'
    ORDER BY relname
    """,
)


class Health(StrEnum):
    """How bad it is: WEAK works for now, ILL does not."""

    WELL = "well"
    WEAK = "weak"
    ILL = "ill"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one examination found."""

    subject: str
    health: Health
    detail: str


Examination = Callable[[Settings], Awaitable[list[Finding]]]


async def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which Kawal needs the things."""
    found = [Finding("settings", Health.WELL, f"complete; {'demo' if settings.demo else 'production'}")]
    results = await asyncio.gather(*(_bounded(subject, look, settings) for subject, look in EXAMINATIONS.items()))
    return [*found, *(finding for findings in results for finding in findings)]


async def _bounded(subject: str, look: Examination, settings: Settings) -> list[Finding]:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await look(settings)
    except TimeoutError:
        return [Finding(subject, Health.ILL, f"no answer within {_PATIENCE:g} s")]
    except (OSError, SQLAlchemyError, RPCError, RuntimeError) as fault:
        cause = getattr(fault, "orig", None) or fault
        return [Finding(subject, Health.ILL, str(cause).splitlines()[0] if str(cause) else type(cause).__name__)]


async def _database(settings: Settings) -> list[Finding]:
    async with _connection(settings.database_app_url.get_secret_value()) as connection:
        version = await connection.scalar(text("SHOW server_version"))
        found = [Finding("postgresql", Health.WELL, f"version {version} answers")]
        skew = abs(datetime.now(UTC) - (await connection.scalar(text("SELECT clock_timestamp()")) or datetime.now(UTC)))
        health = Health.WELL if skew <= SKEW else Health.ILL
        found.append(Finding("clock", health, f"{skew.total_seconds():.3f} s away from the database's"))
    return found


async def _migrations(settings: Settings) -> list[Finding]:
    newest = newest_revision()
    if settings.database_migrator_url is None:
        return [Finding("migrations", Health.WEAK, f"not looked at without the migrator's URL; newest is {newest}")]
    async with _connection(settings.database_migrator_url.get_secret_value()) as connection:
        await connection.execute(text("SET LOCAL ROLE kawal_owner"))
        present = await connection.scalar(text("SELECT to_regclass('public.alembic_version') IS NOT NULL"))
        reached = await connection.scalar(text("SELECT version_num FROM alembic_version")) if present else None
    if reached == newest:
        return [Finding("migrations", Health.WELL, f"at the newest revision, {newest}")]
    return [Finding("migrations", Health.ILL, f"at {reached or 'none'}, newest is {newest}: run `kawal db migrate`")]


async def _authority(settings: Settings) -> list[Finding]:
    """Neither the API's nor the worker's login gets past row-level security, and no table is without it."""
    urls = (settings.database_app_url, settings.database_worker_url)
    logins = [str(make_url(url.get_secret_value()).username) for url in urls]
    async with _connection(urls[0].get_secret_value()) as connection:
        escaping = list(await connection.scalars(_ESCAPING, {"logins": logins}))
        unguarded = list(await connection.scalars(_UNGUARDED))
    found = [Finding("authority", Health.ILL, f"{login} gets past row-level security") for login in escaping]
    found += [Finding("authority", Health.ILL, f"no forced row-level security on {table}") for table in unguarded]
    return found or [Finding("authority", Health.WELL, "no login gets past row-level security, forced on every table")]


async def _rules(settings: Settings) -> list[Finding]:
    """Areas, a policy and a calendar are there, and the calendar knows the collective leave of the year."""
    async with _connection(settings.database_app_url.get_secret_value()) as connection:
        await connection.execute(text("SELECT set_config('kawal.actor', 'system:doctor', true)"))
        areas = await connection.scalar(select(func.count()).select_from(Area))
        policies = await connection.scalar(select(func.count()).select_from(PolicyVersion))
        document = await connection.scalar(
            select(Calendar.document).where(Calendar.area_code == NATION).order_by(Calendar.version.desc()).limit(1),
        )
    return [
        _counted("areas", areas or 0, "kawal areas load"),
        _counted("policies", policies or 0, "kawal policies start"),
        _calendar(None if document is None else WorkingCalendar.model_validate(document)),
    ]


def _counted(subject: str, count: int, command: str) -> Finding:
    if count:
        return Finding(subject, Health.WELL, f"{count:,} loaded")
    return Finding(subject, Health.ILL, f"none: run `{command}`")


def _calendar(calendar: WorkingCalendar | None) -> Finding:
    if calendar is None:
        return Finding("calendar", Health.ILL, "none for the nation: run `kawal calendar load`")
    through = calendar.collective_leave_known_through
    if through is None or through < datetime.now(UTC).date():
        return Finding("calendar", Health.WEAK, f"collective leave known through {through or 'no year'}")
    return Finding("calendar", Health.WELL, f"version {calendar.version}, collective leave known through {through}")


async def _engine(settings: Settings) -> list[Finding]:
    client = await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace)
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=settings.temporal_namespace),
    )
    missing = sorted(SEARCH_ATTRIBUTES - set(listed.custom_attributes))
    if missing:
        return [Finding("temporal", Health.ILL, f"search attributes missing: {', '.join(missing)}")]
    return [Finding("temporal", Health.WELL, f"{settings.temporal_address} answers, search attributes are registered")]


async def _civil_registry(settings: Settings) -> list[Finding]:
    return [await _reached("civil registry", settings.civil_registry_url)]


async def _ministry(settings: Settings) -> list[Finding]:
    return [await _reached("ministry", settings.ministry_url)]


async def _reached(subject: str, url: str) -> Finding:
    """A connection and no request: what a partner answers outside its contract is not known."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    _, writer = await asyncio.open_connection(parts.hostname, port)
    writer.close()
    await writer.wait_closed()
    return Finding(subject, Health.WELL, f"{parts.hostname}:{port} takes connections")


async def _disk(settings: Settings) -> list[Finding]:
    folder = settings.data_dir if settings.data_dir.exists() else settings.data_dir.parent
    free = shutil.disk_usage(folder).free
    return [Finding("disk", Health.WELL if free > ROOM else Health.WEAK, f"{free / 2**30:.1f} GiB free below {folder}")]


EXAMINATIONS: Final[dict[str, Examination]] = {
    "postgresql": _database,
    "migrations": _migrations,
    "authority": _authority,
    "rules": _rules,
    "temporal": _engine,
    "civil registry": _civil_registry,
    "ministry": _ministry,
    "disk": _disk,
}


@asynccontextmanager
async def _connection(url: str) -> AsyncGenerator[AsyncConnection]:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        yield connection
