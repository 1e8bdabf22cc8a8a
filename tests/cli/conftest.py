"""The `kawal` command against a database of the test's own, in the process of the test."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from devstack.postgres import DatabaseUrls
from domain.keyring import generate
from runtime.settings import ENV_PREFIX, get_settings

Kawal = Callable[..., Awaitable[Result]]


@pytest.fixture
def bare_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No setting but a data folder of the test's own."""
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KAWAL_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    return tmp_path


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, bare_settings: Path, database: DatabaseUrls) -> Path:
    """Settings of a demo on the test's database; nobody listens where its partners and its engine should be."""
    settle(monkeypatch, database)
    return bare_settings


def settle(monkeypatch: pytest.MonkeyPatch, database: DatabaseUrls, **others: str) -> None:
    """Set the variables from which a command of this process reads its settings."""
    values = {
        "DEMO": "true",
        "DATABASE_APP_URL": database.app,
        "DATABASE_WORKER_URL": database.worker,
        "DATABASE_MIGRATOR_URL": database.migrator,
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        "CIVIL_REGISTRY_URL": "http://127.0.0.1:1",
        "CIVIL_REGISTRY_TOKEN": "token",
        "MINISTRY_URL": "http://127.0.0.1:1",
        "MINISTRY_TOKEN": "token",
        "MINISTRY_WEBHOOK_SECRET": f"whsec_{base64.b64encode(bytes(range(32))).decode()}",
        "TOKEN_SIGNING_KEY": "a" * 48,
        "FIELD_KEYS": generate(),
        "INDEX_KEYS": generate(),
        "CODEC_KEYS": generate(),
        "CHECKPOINT_KEYS": generate(),
        **others,
    }
    for name, value in values.items():
        monkeypatch.setenv(ENV_PREFIX + name, value)
    get_settings.cache_clear()


@pytest.fixture
def kawal() -> Kawal:
    """Run a command as a shell would, and give back its exit code and what it wrote."""
    return command


async def command(*arguments: str, stdin: str | None = None) -> Result:
    """Run `kawal` with these arguments. In a thread: commands run event loops of their own."""
    result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), input=stdin, prog_name="kawal")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
