from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli import COMMANDS
from devstack.demo_people import ACCOUNTS, VILLAGES
from devstack.partners.persons import PersonStore
from devstack.postgres import DatabaseUrls
from domain.keyring import KeyRing
from runtime.settings import TREE, get_settings
from tests.cli.conftest import Kawal


async def test_help_names_every_command_and_says_what_it_does(kawal: Kawal) -> None:
    shown = await kawal("--help")
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert name in shown.stdout
        told = await kawal(name, "--help")
        assert told.exit_code == 0
        assert f"kawal {name}" in told.stdout


async def test_an_unknown_command_is_a_matter_of_usage(kawal: Kawal) -> None:
    assert (await kawal("nonsense")).exit_code == 2


def test_cli_is_a_program_too(tmp_path: Path) -> None:
    environment = {**os.environ, "KAWAL_DATA_DIR": str(tmp_path)}
    command = [sys.executable, str(TREE / "cli.py"), "status", "--json"]
    shown = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: S603
    assert (shown.returncode, json.loads(shown.stdout)) == (1, [])


@pytest.mark.usefixtures("bare_settings")
async def test_missing_settings_are_named_without_a_trace(kawal: Kawal) -> None:
    refused = await kawal("users", "list")
    assert refused.exit_code == 1
    assert "KAWAL_DATABASE_APP_URL: is missing" in refused.stderr
    assert "Traceback" not in refused.output


@pytest.mark.usefixtures("settings")
async def test_a_database_that_is_not_there_is_said_to_be_so(kawal: Kawal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAWAL_DATABASE_MIGRATOR_URL", "postgresql+asyncpg://kawal_migrator:secret@127.0.0.1:1/kawal")
    get_settings.cache_clear()
    for command in (("users", "list"), ("db", "migrate"), ("areas", "load")):
        refused = await kawal(*command)
        assert refused.exit_code == 1
        assert "PostgreSQL does not answer" in refused.stderr
        assert "secret" not in refused.output


@pytest.mark.usefixtures("settings")
async def test_without_the_operators_login_its_commands_say_so(kawal: Kawal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAWAL_DATABASE_MIGRATOR_URL")
    get_settings.cache_clear()
    refused = await kawal("audit", "verify")
    assert refused.exit_code == 1
    assert "KAWAL_DATABASE_MIGRATOR_URL is not set" in refused.stderr


@pytest.mark.usefixtures("settings")
async def test_migrating_again_is_safe_and_the_models_agree(kawal: Kawal) -> None:
    assert (await kawal("db", "migrate")).exit_code == 0
    assert (await kawal("db", "check")).exit_code == 0


async def test_a_demo_is_seeded_with_its_partner_in_one_go(kawal: Kawal, settings: Path) -> None:
    seeded = await kawal("demo", "seed", "--households-per-village", "2")
    assert seeded.exit_code == 0
    assert f"{len(ACCOUNTS)} accounts, {2 * len(VILLAGES)} households" in seeded.stdout
    store = PersonStore(settings / "partners" / "civil_registry.sqlite")
    registered = store.count()
    store.close()
    assert registered > 2 * len(VILLAGES)
    assert (
        "0 accounts, 0 households and 0 registered persons"
        in (await kawal("demo", "seed", "--households-per-village", "2")).stdout
    )


@pytest.mark.usefixtures("settings")
async def test_demo_accounts_are_refused_where_it_is_no_demo(kawal: Kawal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAWAL_DEMO", "false")
    get_settings.cache_clear()
    refused = await kawal("demo", "seed")
    assert refused.exit_code == 1
    assert "KAWAL_DEMO" in refused.stderr


async def test_a_new_key_is_an_entry_of_a_ring(kawal: Kawal) -> None:
    made = await kawal("keys", "new", "--id", "k2")
    assert KeyRing.parse(made.stdout.strip(), setting="test").key_ids == ("k2",)
    refused = await kawal("keys", "new", "--id", "Not An Id")
    assert refused.exit_code == 1


@pytest.mark.usefixtures("settings")
async def test_the_doctor_finds_what_is_missing_and_goes_on(kawal: Kawal) -> None:
    examined = await kawal("doctor", "--json")
    health = {finding["subject"]: finding["health"] for finding in json.loads(examined.stdout)}
    assert examined.exit_code == 1
    assert {health["settings"], health["postgresql"], health["migrations"], health["authority"], health["clock"]} == {
        "well"
    }
    assert {health["areas"], health["policies"], health["calendar"]} == {"ill"}
    assert {health["temporal"], health["civil registry"], health["ministry"]} == {"ill"}


@pytest.mark.usefixtures("settings")
async def test_the_doctor_finds_a_login_that_gets_past_row_level_security(
    kawal: Kawal,
    monkeypatch: pytest.MonkeyPatch,
    database: DatabaseUrls,
) -> None:
    monkeypatch.setenv("KAWAL_DATABASE_WORKER_URL", database.migrator)
    get_settings.cache_clear()
    examined = await kawal("doctor")
    assert "kawal_migrator gets past row-level security" in examined.stdout
