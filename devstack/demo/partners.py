"""The partners from behind: what the civil registry is told of people, and what the Ministry is told to answer."""

from __future__ import annotations

from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx2

from devstack.demo.api import DemoError
from devstack.partners.persons import Person
from devstack.partners.settings import PartnerSettings


class PartnerAdmin:
    """The administration of both partner servers, for one event loop. Every method raises DemoError on a fault."""

    def __init__(self, settings: PartnerSettings) -> None:
        headers = {"Authorization": f"Bearer {settings.partner_admin_token.get_secret_value()}"}
        self._registry = httpx2.AsyncClient(base_url=settings.civil_registry_url, headers=headers, trust_env=False)
        self._ministry = httpx2.AsyncClient(base_url=settings.ministry_url, headers=headers, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._registry.aclose()
        await self._ministry.aclose()

    async def register(self, *persons: Person) -> None:
        """Enter people into the civil registry, over what it held of them."""
        await _ask(self._registry, "PUT", "/admin/persons", json=[p.model_dump(mode="json") for p in persons])

    async def knows(self, nik: str) -> bool:
        """Whether the civil registry holds somebody of this NIK."""
        return (await _ask(self._registry, "GET", f"/admin/persons/{nik}", may_miss=True)).status_code == HTTPStatus.OK

    async def amend(self, nik: str, **fields: object) -> None:
        """Change what the civil registry holds of a person."""
        await _ask(self._registry, "PATCH", f"/admin/persons/{nik}", json=fields)

    async def take_registry_down(self, seconds: float) -> None:
        """Let the civil registry cut every connection for that long."""
        await _ask(self._registry, "PUT", "/admin/faults", json={"down_for_seconds": seconds})

    async def bring_registry_back(self) -> None:
        """End every fault that is set on the civil registry."""
        await _ask(self._registry, "DELETE", "/admin/faults")

    async def ministry_answers(self, update_id: str, answer: dict[str, Any]) -> None:
        """Let the Ministry answer an update so, from its next proposal on, half a second after it came."""
        rule = {"answer": answer, "after_seconds": 0.5}
        await _ask(self._ministry, "PUT", f"/admin/rules/updates/{update_id}", json=rule)


async def _ask(
    client: httpx2.AsyncClient,
    method: str,
    path: str,
    *,
    may_miss: bool = False,
    **content: Any,
) -> httpx2.Response:
    try:
        response = await client.request(method, path, **content)
    except httpx2.HTTPError as fault:
        raise DemoError(f"The partner at {client.base_url} does not answer ({type(fault).__name__}).") from fault
    if not response.is_success and not (may_miss and response.status_code == HTTPStatus.NOT_FOUND):
        # The path may hold a NIK.
        raise DemoError(f"The partner at {client.base_url} refused {method} with {response.status_code}.")
    return response
