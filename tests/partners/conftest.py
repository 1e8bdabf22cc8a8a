"""The two partners as real servers on free ports, their clients, and a place where callbacks arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devstack.partners.civil_registry import civil_registry
from devstack.partners.ministry import ministry
from devstack.partners.serve import Partner, serving
from domain.vocabulary import Kind
from runtime.connectors.civil_registry import CivilRegistryClient, PersonQuery
from runtime.connectors.ministry import MinistryAnswer, MinistryClient, Proposal, verify_callback

TOKEN = "token-of-kawal"
ADMIN_TOKEN = "token-of-admin"
SECRET = "whsec_c2VjcmV0IG9mIHRoZSBNaW5pc3RyeSdzIGdhdGV3YXk="
CLIENT_SECONDS = 0.5
PATIENCE_SECONDS = 10

SITI = {
    "nik": "3206135708850001",
    "kk_number": "3206130101100001",
    "name": "Siti Nurhasanah",
    "birth_date": "1985-08-17",
    "sex": "female",
}


def query(**changes: Any) -> PersonQuery:
    return PersonQuery.model_validate({**SITI, **changes})


def proposal(**changes: Any) -> Proposal:
    content = {
        "update_id": "0198-update",
        "kind": Kind.DEATH,
        "area_code": "32.06.13.2001",
        "household_version": 3,
        "change": {"nik": SITI["nik"], "died_on": date(2025, 5, 1).isoformat()},
        "decided": [{"stage": "verification", "outcome": "forward"}],
        "submitted_at": datetime(2025, 5, 2, 3, 4, tzinfo=UTC),
    }
    return Proposal.model_validate({**content, **changes})


@dataclass
class Admin:
    """The admin API of one partner."""

    url: str

    async def __call__(self, method: str, path: str, json: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        # Loopback needs no certificates, and loading them costs 50 ms a client.
        async with httpx2.AsyncClient(base_url=self.url, headers=headers, verify=False) as client:
            response = await client.request(method, f"/admin{path}", json=json)
        assert response.is_success, response.text
        return response.json()


@dataclass
class Inbox:
    """Kawal's side of the callbacks: answers what it is told, keeps what arrived."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    arrived: asyncio.Queue[tuple[dict[str, str], bytes]] = field(default_factory=asyncio.Queue)

    async def receive(self, request: Request) -> Response:
        await self.arrived.put((dict(request.headers), await request.body()))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 204)

    async def next_answer(self) -> MinistryAnswer:
        async with asyncio.timeout(PATIENCE_SECONDS):
            headers, body = await self.arrived.get()
        return verify_callback(SECRET, headers, body)


def registry_partner(**more: Any) -> Partner:
    return civil_registry(token=TOKEN, admin_token=ADMIN_TOKEN, **more)


def ministry_partner(inbox: Inbox, **more: Any) -> Partner:
    return ministry(
        token=TOKEN,
        admin_token=ADMIN_TOKEN,
        callback_url=f"{inbox.url}/callbacks",
        webhook_secret=SECRET,
        **more,
    )


@pytest.fixture(scope="session")
async def registry_url() -> AsyncIterator[str]:
    async with serving(registry_partner()) as url:
        yield url


@pytest.fixture(scope="session")
async def inbox_server() -> AsyncIterator[Inbox]:
    inbox = Inbox()
    app = Starlette(routes=[Route("/callbacks", inbox.receive, methods=["POST"])])
    async with serving(Partner(app=app, release=lambda: None)) as url:
        inbox.url = url
        yield inbox


@pytest.fixture(scope="session")
async def ministry_url(inbox_server: Inbox) -> AsyncIterator[str]:
    async with serving(ministry_partner(inbox_server)) as url:
        yield url


@pytest.fixture
def inbox(inbox_server: Inbox) -> Inbox:
    inbox_server.statuses.clear()
    inbox_server.arrived = asyncio.Queue()
    return inbox_server


@pytest.fixture
async def registry_admin(registry_url: str) -> Admin:
    admin = Admin(registry_url)
    await admin("DELETE", "/faults")
    await admin("DELETE", "/persons")
    await admin("PUT", "/persons", [SITI])
    return admin


@pytest.fixture
async def ministry_admin(ministry_url: str, inbox: Inbox) -> Admin:
    admin = Admin(ministry_url)
    await admin("DELETE", "/faults")
    await admin("DELETE", "/rules")
    await admin("PUT", "/rules/default", {"answer": None})
    assert inbox.arrived.empty(), "a callback of an earlier test came late"
    return admin


@pytest.fixture
async def registry(registry_admin: Admin) -> AsyncIterator[CivilRegistryClient]:
    client = CivilRegistryClient(registry_admin.url, TOKEN, timeout=CLIENT_SECONDS)
    yield client
    await client.aclose()


@pytest.fixture
async def gateway(ministry_admin: Admin) -> AsyncIterator[MinistryClient]:
    client = MinistryClient(ministry_admin.url, TOKEN, timeout=CLIENT_SECONDS)
    yield client
    await client.aclose()
