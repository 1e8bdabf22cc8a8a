"""Where policies are made in tests: people who draft, comment, answer and publish, and a clock that is moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from domain.policy import BRISK_PUBLICATION, default_policy, without_draws
from tests.api.conftest import Office
from tests.scene import user

REGENCY = "32.06"
DRAFTS = "/v1/policies/drafts"
PLANNER, HEAD, ADMIN, OPERATOR = "perencana", "kadis", "admin", "operator.taraju"
WHY = {"reason": "cases_stuck", "note": "Usulan tidak dapat diputuskan."}


@dataclass
class Clock:
    """A moment that stands until it is moved."""

    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **time: float) -> None:
        self.moment += timedelta(**time)


def policy(area_code: str = REGENCY, **changes: Any) -> dict[str, Any]:
    """The default policy with what publications wait for in the seeded one."""
    document = without_draws(default_policy()).model_dump(mode="json")
    publication = BRISK_PUBLICATION.model_dump(mode="json")
    return document | {"area_code": area_code, "publication": publication} | changes


def quicker(days: int = 3, area_code: str = REGENCY) -> dict[str, Any]:
    """A policy whose verification takes fewer days."""
    changed = policy(area_code)
    stage = next(stage for stage in changed["stages"] if stage["stage"] == "verification")
    stage["deadline"] = {"working_days": days}
    return changed


@dataclass(frozen=True)
class Chamber:
    """The API, asked by people at the moment of the clock."""

    office: Office
    clock: Clock

    async def ask(
        self,
        by: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        holds: int | str | None = None,
    ) -> httpx2.Response:
        token = self.office.token(user(by), now=self.clock())
        headers = {"Authorization": f"Bearer {token}"}
        if method == "POST":
            headers["Idempotency-Key"] = key or str(uuid4())
        if holds is not None:
            headers["If-Match"] = holds if isinstance(holds, str) else f'"v{holds}"'
        client = await self.office.visitor()
        return await client.request(method, path, json=body, headers=headers)

    async def get(self, by: str, path: str) -> Any:
        answer = await self.ask(by, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def draft(self, document: dict[str, Any] | None = None, *, by: str = PLANNER, **more: Any) -> dict[str, Any]:
        answer = await self.ask(by, "POST", DRAFTS, {"policy": document or quicker(), **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def shown(self, document: dict[str, Any] | None = None, *, by: str = PLANNER) -> dict[str, Any]:
        """A draft whose consultation has been opened."""
        made = await self.draft(document, by=by)
        opened = await self.ask(by, "POST", f"{DRAFTS}/{made['id']}/consultation")
        assert opened.status_code == 200, opened.text
        return opened.json()

    async def comment(self, draft_id: str, *, by: str = OPERATOR, **said: Any) -> httpx2.Response:
        body = {"revision": 1, "text": "Terlalu cepat untuk desa."} | said
        return await self.ask(by, "POST", f"{DRAFTS}/{draft_id}/comments", body)

    async def answer(self, draft_id: str, comment_id: str, *, by: str = PLANNER, **said: Any) -> httpx2.Response:
        body = {"verdict": "rejected", "reason": "Rata-rata dua hari."} | said
        return await self.ask(by, "POST", f"{DRAFTS}/{draft_id}/comments/{comment_id}/answer", body)

    async def publish(self, draft_id: str, *, by: str = HEAD, holds: int | str = "*") -> httpx2.Response:
        return await self.ask(by, "POST", f"{DRAFTS}/{draft_id}/publication", holds=holds)

    async def emergency(self, draft_id: str, *, by: str = HEAD, holds: int | str = "*") -> httpx2.Response:
        return await self.ask(by, "POST", f"{DRAFTS}/{draft_id}/emergency", WHY, holds=holds)

    async def published(self, document: dict[str, Any] | None = None) -> dict[str, Any]:
        """A version that went the ordinary way."""
        draft = await self.shown(document)
        self.clock.move(seconds=21)
        answer = await self.publish(draft["id"])
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def in_force(self, area_code: str = "32.06.13.2001") -> dict[str, Any]:
        return await self.get(HEAD, f"/v1/policies/in-force?area_code={area_code}")
