"""What every answer tells browsers and caches, whichever route gives it and however it ends."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from domain.ids import new_id
from tests.api.conftest import Office, opened, settings_for
from tests.scene import Scene

pytestmark = pytest.mark.embedded

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}


@pytest.fixture
async def secure(scene: Scene) -> AsyncIterator[Office]:
    """The API behind TLS."""
    settings = settings_for(scene).model_copy(update={"public_url": "https://kawal.example.go.id"})
    async with opened(scene, settings) as office:
        yield office


def _routes(office: Office) -> list[tuple[str, str]]:
    """Every method and path of the API, with something in the place of each parameter."""
    return sorted(
        (method, re.sub(r"\{[^}]+\}", str(new_id()), context.path))
        for context in iter_route_contexts(office.app.routes)
        if isinstance(context.original_route, APIRoute) and context.path
        for method in context.methods or ()
    )


def _check(answer: Any, route: tuple[str, str]) -> None:
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE, route
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], route
    assert "base-uri 'none'" in answer.headers["content-security-policy"], route
    assert answer.headers["permissions-policy"], route
    assert "server" not in answer.headers, route


async def test_every_route_carries_them_whether_it_refuses_or_answers(secure: Office) -> None:
    desk, visitor = await secure.desk_of("admin"), await secure.visitor()
    routes = _routes(secure)
    assert len(routes) > 80
    statuses: set[int] = set()
    for route in routes:
        for client in (visitor, desk):
            answer = await client.request(*route)
            assert answer.status_code < 500 or answer.status_code == 503, (route, answer.text)
            _check(answer, route)
            if route[1].startswith("/v1/"):
                assert "no-store" in answer.headers["cache-control"], route
                assert answer.headers["content-security-policy"].startswith("default-src 'none'"), route
            statuses.add(answer.status_code)
    assert {200, 401, 403, 404, 422} <= statuses, "the walk has seen all kinds of answers"


@pytest.mark.parametrize("path", ["/nowhere", "/docs", "/openapi.json", "/healthz", "/metrics", "/problems/not_found"])
async def test_so_do_pages_probes_and_what_is_not_there(secure: Office, path: str) -> None:
    _check(await (await secure.visitor()).get(path), ("GET", path))


async def test_an_open_line_is_promised_no_tls(office: Office) -> None:
    answer = await (await office.visitor()).get("/healthz")
    assert "strict-transport-security" not in answer.headers
