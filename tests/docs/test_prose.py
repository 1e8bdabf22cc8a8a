"""What the written documents name exists: files, links, settings, commands, addresses and metrics."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from api.app import create_app
from cli import COMMANDS
from domain.keyring import generate
from runtime.settings import ENV_PREFIX, Settings, load_settings
from tests.deploy.test_settings_given import FROM_PARTNERS

TREE = Path(__file__).resolve().parents[2]
PAGES = sorted({*TREE.glob("docs/*.md"), *TREE.glob("docs/adr/*.md")})
CODE = re.compile(r"`([^`\n]+)`")


def mentioned(page: Path) -> list[str]:
    """What stands between backticks, and each line of the blocks of commands."""
    text = page.read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return CODE.findall(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)) + [
        line for block in blocks for line in block.splitlines()
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_exist(page: Path) -> None:
    places = [
        word for word in mentioned(page) if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/|[\w./-]+\.(py|sql|sh|yml|md)", word)
    ]

    assert [place for place in places if not (TREE / place).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_settings_exist(page: Path) -> None:
    known = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}

    assert set(re.findall(r"\bKAWAL_[A-Z_]+\b", page.read_text())) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_exist(page: Path) -> None:
    spoken = [
        re.match(r"(?:kawal|docker compose run --rm operator) ([a-z]+)(?: ([a-z]+))?", word) for word in mentioned(page)
    ]

    for command in filter(None, spoken):
        group = import_module(COMMANDS[command[1]].partition(":")[0])
        app = getattr(group, COMMANDS[command[1]].partition(":")[2])
        names = [registered.name for registered in app.registered_commands]
        assert command[2] is None or command[2] in names or names == [None]


def test_addresses_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = addresses_of_the_api(monkeypatch)

    for page in PAGES:
        for word in mentioned(page):
            match = re.fullmatch(r"(?:(?:GET|POST) )?(/(?:v1|public|problems|healthz|readyz|metrics)[\w/{}]*)", word)
            if match is not None:
                known = [route for route in routes if route == match[1] or route.startswith(f"{match[1]}/")]
                assert known, f"{page.name}: {word}"


def addresses_of_the_api(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every address, with all its parameters called `{id}`."""
    values = FROM_PARTNERS | {
        "KAWAL_DATABASE_APP_URL": "postgresql+asyncpg://kawal_app@localhost/kawal",
        "KAWAL_DATABASE_WORKER_URL": "postgresql+asyncpg://kawal_worker@localhost/kawal",
        "KAWAL_TOKEN_SIGNING_KEY": "a key that nobody uses, long enough",
        **{f"KAWAL_{ring}_KEYS": generate() for ring in ("FIELD", "INDEX", "CODEC")},
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return {re.sub(r"\{\w+\}", "{id}", path) for path in create_app(load_settings()).openapi()["paths"]}
