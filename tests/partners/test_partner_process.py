from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError

from devstack.partners.settings import PartnerSettings, load_partner_settings
from tests.partners.conftest import ADMIN_TOKEN, SECRET, SITI, TOKEN, Admin

ROOT = Path(__file__).parents[2]
START_SECONDS = 30


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = one.getsockname()[1], other.getsockname()[1]
    return {
        "PATH": os.environ["PATH"],
        "KAWAL_DATA_DIR": str(tmp_path),
        "KAWAL_CIVIL_REGISTRY_URL": f"http://127.0.0.1:{ports[0]}",
        "KAWAL_CIVIL_REGISTRY_TOKEN": TOKEN,
        "KAWAL_MINISTRY_URL": f"http://127.0.0.1:{ports[1]}",
        "KAWAL_MINISTRY_TOKEN": TOKEN,
        "KAWAL_MINISTRY_WEBHOOK_SECRET": SECRET,
        "KAWAL_PARTNER_ADMIN_TOKEN": ADMIN_TOKEN,
        "KAWAL_API_URL": "http://127.0.0.1:9",
    }


async def start(environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "devstack.partners"),
        cwd=ROOT,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(environment: dict[str, str]) -> AsyncGenerator[asyncio.subprocess.Process]:
    """The process, answering; stopped by SIGTERM at the latest at the end, and then its exit code is 0."""
    process = await start(environment)
    try:
        async with asyncio.timeout(START_SECONDS), httpx2.AsyncClient() as client:
            for name in ("KAWAL_CIVIL_REGISTRY_URL", "KAWAL_MINISTRY_URL"):
                await _healthy(client, environment[name])
        yield process
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(START_SECONDS):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_both_partners_run_in_one_process_and_keep_their_data(environment: dict[str, str]) -> None:
    registry = Admin(environment["KAWAL_CIVIL_REGISTRY_URL"])
    async with running(environment):
        await registry("PUT", "/persons", [SITI])
        await Admin(environment["KAWAL_MINISTRY_URL"])("PUT", "/rules/default", {"answer": None})
    async with running(environment) as process:
        assert await registry("GET", "/persons") == {"persons": 1}
        rules = await Admin(environment["KAWAL_MINISTRY_URL"])("GET", "/rules")
        assert [rule["scope"] for rule in rules["rules"]] == ["default"]
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        log = (await process.stderr.read()).decode()
        await process.wait()
    assert SITI["nik"] not in log
    assert "Traceback" not in log


async def test_taken_port_is_named_and_ends_the_process(environment: dict[str, str]) -> None:
    port = int(environment["KAWAL_MINISTRY_URL"].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        process = await start(environment)
        async with asyncio.timeout(START_SECONDS):
            _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"cannot start" in errors
    assert b"in use" in errors


@pytest.mark.parametrize(
    "url",
    ["http://192.168.1.5:8101", "http://registry.example:8101", "http://127.0.0.1", "https://127.0.0.1:8101"],
)
def test_partners_listen_on_this_machine_alone(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    url: str,
) -> None:
    for name, value in {**environment, "KAWAL_CIVIL_REGISTRY_URL": url}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match="loopback"):
        load_partner_settings()


def test_callbacks_go_to_the_api_url_before_the_public_one(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**environment, "KAWAL_PUBLIC_URL": "http://kawal.example"}.items():
        monkeypatch.setenv(name, value)
    assert _settings().callback_url == "http://127.0.0.1:9/v1/callbacks/ministry"
    monkeypatch.delenv("KAWAL_API_URL")
    assert _settings().callback_url == "http://kawal.example/v1/callbacks/ministry"


def _settings() -> PartnerSettings:
    return load_partner_settings()


async def _healthy(client: httpx2.AsyncClient, url: str) -> None:
    while True:
        try:
            if (await client.get(f"{url}/healthz")).is_success:
                return
        except httpx2.ConnectError:
            await asyncio.sleep(0.05)
