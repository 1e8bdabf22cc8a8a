"""From where the operator acts, and the erasing of traces, which leaves the trail whole."""

from __future__ import annotations

import getpass
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from db.owner import OwnerDatabase
from devstack.postgres import DatabaseUrls
from domain.origins import SealedTraces, open_traces
from runtime.settings import get_settings
from tests.cli.conftest import Kawal

pytestmark = pytest.mark.embedded

TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"


async def rows(database: DatabaseUrls, query: str) -> list[Any]:
    async with OwnerDatabase(database.migrator).transaction() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        return await driver.fetch(query)


@pytest.fixture
async def exported(
    kawal: Kawal, settings: Path, monkeypatch: pytest.MonkeyPatch, database: DatabaseUrls
) -> DatabaseUrls:
    """A trail with one event of an operator who came by SSH and used sudo."""
    monkeypatch.setenv("SUDO_USER", "budi")
    monkeypatch.setenv("SSH_CONNECTION", "198.51.100.9 40022 10.0.0.2 22")
    assert (await kawal("audit", "export", str(settings / "export"))).exit_code == 0
    return database


async def test_what_the_operator_does_says_which_command_account_and_machine(exported: DatabaseUrls) -> None:
    (event,) = await rows(exported, "SELECT origin FROM audit_events WHERE type = 'audit.exported'")
    told = event["origin"]
    assert (told["means"], told["part"]) == ("operator", "audit.export")
    (kept,) = await rows(exported, "SELECT commitment, sealed FROM audit_origins")
    assert kept["commitment"].hex() == told["traces"]
    traces = open_traces(SealedTraces(kept["commitment"], kept["sealed"]), get_settings().field_keys)
    assert traces is not None
    assert (traces.os_user, traces.host, traces.address) == ("budi", socket.gethostname(), "198.51.100.9")
    assert getpass.getuser() != "budi"


async def test_erased_traces_are_gone_and_the_trail_is_whole(kawal: Kawal, exported: DatabaseUrls) -> None:
    kept = await kawal("audit", "forget", "--before", "2026-01-01", "--yes")
    assert "0 of events" in kept.stdout
    refused = await kawal("audit", "forget", "--before", TOMORROW, stdin="n\n")
    assert refused.exit_code == 1
    erased = await kawal("audit", "forget", "--before", TOMORROW, "--yes")
    assert (erased.exit_code, erased.stdout) == (0, "Erased: 2 of events, 0 of acts.\n")
    # What is left is of the erasing itself.
    (left,) = await rows(exported, "SELECT encode(commitment, 'hex') AS of FROM audit_origins")
    events = await rows(exported, "SELECT type, origin ->> 'traces' AS of FROM audit_events ORDER BY seq")
    assert [event["type"] for event in events if event["of"] == left["of"]] == ["audit.origins_erased"]
    verified = await kawal("audit", "verify", "--stream", "audit")
    assert (verified.exit_code, "no flaw" in verified.stdout) == (0, True)


async def test_kept_traces_change_under_a_rotation_of_keys_alone(exported: DatabaseUrls) -> None:
    with pytest.raises(Exception, match="never changed or removed"):
        await rows(exported, "UPDATE audit_origins SET sealed = sealed || '\\x00'")
