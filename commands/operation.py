"""How a command reaches the database: the operator's URL, and faults told as what they mean."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError

from commands.terminal import CommandFailed
from db.owner import OwnerDatabase
from domain.origins import acting_from
from runtime.operator import here
from runtime.settings import ENV_PREFIX, get_settings

_Result = TypeVar("_Result")

_UNREACHABLE = "PostgreSQL does not answer: {}. Is it running? `kawal up` starts the embedded one."
_UNDEFINED_TABLE = "42P01"


def migrator_url() -> str:
    """The URL of the login that may become `kawal_owner`. Raises CommandFailed when none is set."""
    url = get_settings().database_migrator_url
    if url is None:
        raise CommandFailed(
            f"{ENV_PREFIX}DATABASE_MIGRATOR_URL is not set: commands of the operator need the login that migrates.",
        )
    return url.get_secret_value()


def owner_database() -> OwnerDatabase:
    """The database as its operator sees it."""
    return OwnerDatabase(migrator_url())


def run(operation: Coroutine[Any, Any, _Result]) -> _Result:
    """Run an operation to its end. Raises CommandFailed where the database cannot be used as it is."""
    with database_faults(), acting_from(here(_name_of(operation)), lambda: get_settings().field_keys):
        return asyncio.run(operation)


def _name_of(operation: Coroutine[Any, Any, object]) -> str:
    """As `audit.export`: the command's module and its function."""
    frame = operation.cr_frame if inspect.iscoroutine(operation) else None
    module = "" if frame is None else str(frame.f_globals["__name__"])
    return f"{module.rpartition('.')[2]}.{operation.__name__.strip('_')}"


@contextmanager
def database_faults() -> Generator[None]:
    """Raise CommandFailed for what the database, or its absence, makes impossible in the block."""
    try:
        yield
    except OSError as fault:
        raise CommandFailed(_UNREACHABLE.format(fault.strerror or fault)) from fault
    except DBAPIError as fault:
        raise CommandFailed(_meaning(fault)) from fault


def _meaning(fault: DBAPIError) -> str:
    if getattr(fault.orig, "sqlstate", None) == _UNDEFINED_TABLE:
        return "The database has not been migrated. Do it with `kawal db migrate`."
    # The statement and its parameters are left out: they may hold what only the registry may read.
    return f"The database refuses: {fault.orig}"
