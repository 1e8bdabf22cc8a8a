"""People at their desks: what they send to the API, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx2
from sqlalchemy import RowMapping

from devstack.demo_people import PASSWORD, TARAJU
from devstack.registry_persons import deviation_at
from domain.household import Household
from domain.vocabulary import Stage
from tests.faults.stack import Stack
from tests.faults.watch import PATIENCE, Watch

DECIDER: Final = {
    Stage.VERIFICATION: "puskesos.taraju",
    Stage.DELIBERATION: "kades.taraju",
    Stage.APPROVAL: "verifikator",
    Stage.ENDORSEMENT: "kadis",
}
"""Who decides in Taraju, stage by stage of the standard route."""
_SPTJM: Final = {
    "type": "sptjm",
    "number": "04/SPTJM",
    "held_on": datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat(),
}
"""By which the village head decides every deliberation."""
_COME_AGAIN: Final = frozenset({202, 503})
_PAUSE: Final = 0.1


@dataclass(slots=True)
class Offices:
    """Everybody around Desa Taraju, with their tokens."""

    stack: Stack
    watch: Watch
    client: httpx2.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict[str, str])
    places: count[int] = field(default_factory=count)

    async def log_in(self, *names: str) -> None:
        """Get a token for each, while the database is there."""
        for name in names:
            form = {"grant_type": "password", "username": name, "password": PASSWORD}
            answer = await self.client.post(f"{self.stack.api_url}/v1/auth/token", data=form)
            self.tokens[name] = answer.raise_for_status().json()["access_token"]

    async def answer_for_the_village(self) -> None:
        """The village head signs an SPTJM for all cases of the village."""
        signed = [{"role": role, "name": "Desa Taraju"} for role in ("village_head", "village_operator")]
        why = {"why_none_held": "Balai desa terendam banjir.", "covers": "village"}
        body = {**_SPTJM, "area_code": TARAJU, "signed_by": signed, **why}
        answer = await self.post("/v1/minutes", body, by=DECIDER[Stage.DELIBERATION], key="sptjm")
        answer.raise_for_status()

    async def record_minutes(self, cases: Sequence[UUID]) -> httpx2.Response:
        """The village head records the minutes of a musdes that agreed to these cases."""
        groups = ("village_head", "village_operator", "neighbourhoods", "families", "babinsa")
        body = {
            "area_code": TARAJU,
            "type": "musdes",
            "number": f"{uuid4()}/BA",
            "held_on": _SPTJM["held_on"],
            "place": "Balai Desa",
            "attendance": [{"group": group, "present": 2} for group in groups],
            "signed_by": [{"role": role, "name": "Desa Taraju"} for role in ("village_head", "village_operator")],
            "cases": [{"update_id": str(case), "outcome": "forward"} for case in cases],
        }
        return await self.post("/v1/minutes", body, by=DECIDER[Stage.DELIBERATION])

    async def read_minutes(self, minutes_id: str) -> dict[str, Any]:
        """The minutes as the village head reads them."""
        headers = {"Authorization": f"Bearer {self.tokens[DECIDER[Stage.DELIBERATION]]}"}
        answer = await self.client.get(f"{self.stack.api_url}/v1/minutes/{minutes_id}", headers=headers)
        return answer.raise_for_status().json()

    def next_household(self) -> Household:
        """A household of Taraju that no test has touched, registered as it is believed."""
        place = next(place for place in self.places if deviation_at(place) is None)
        return self.stack.world.households[TARAJU][place]

    async def insist(self, send: Callable[[], Awaitable[httpx2.Response]]) -> tuple[httpx2.Response, list[int]]:
        """Repeat a request, as clients are told to, until it has its answer; beside it what was answered before.

        0 stands for an API that was not there. A request to come again has to say when.
        """
        before: list[int] = []
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    answer = await send()
                except httpx2.RequestError:
                    before.append(0)
                else:
                    if answer.status_code not in _COME_AGAIN:
                        return answer, before
                    assert int(answer.headers["Retry-After"]) > 0
                    before.append(answer.status_code)
                await asyncio.sleep(_PAUSE)

    async def submit(
        self,
        household: Household | None = None,
        *,
        key: str | None = None,
        url: str | None = None,
    ) -> httpx2.Response:
        """The operator submits a change of the living conditions of a household."""
        chosen = household or self.next_household()
        body = {
            "area_code": chosen.area_code,
            "household_id": str(chosen.id),
            **_circumstances(floor_area_m2=41),
        }
        return await self.post("/v1/updates", body, by="operator.taraju", key=key, url=url)

    async def submitted(self, *, url: str | None = None) -> UUID:
        """Submit something new; the id of the case."""
        answer = await self.submit(url=url)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    async def decide(
        self,
        task: RowMapping,
        *,
        outcome: str = "forward",
        key: str | None = None,
        url: str | None = None,
    ) -> httpx2.Response:
        """Whoever has the task decides it, once asked."""
        stage = Stage(task["stage"])
        body: dict[str, Any] = {"outcome": outcome}
        if outcome != "forward":
            body["reason"] = "incomplete_documents"
        if stage is Stage.DELIBERATION:
            body["minutes"] = _SPTJM
        return await self.post(f"/v1/tasks/{task['id']}/decision", body, by=DECIDER[stage], key=key, url=url)

    async def decide_at_last(self, task: RowMapping) -> tuple[httpx2.Response, list[int]]:
        """Whoever has the task decides it, and comes again under the same key for as long as they are asked to."""
        key = str(uuid4())
        return await self.insist(lambda: self.decide(task, key=key))

    async def forward(self, update_id: UUID, *stages: Stage) -> None:
        """Have these stages forwarded, one after the other."""
        for stage in stages:
            answer = await self.decide(await self.watch.open_task(update_id, stage))
            assert answer.status_code == 200, answer.text

    async def towards(self, stage: Stage) -> UUID:
        """A new case that stands in a stage of people."""
        update_id = await self.submitted()
        stages = list(DECIDER)
        await self.forward(update_id, *stages[: stages.index(stage)])
        await self.watch.open_task(update_id, stage)
        return update_id

    async def claim(self, task: RowMapping) -> httpx2.Response:
        """Whoever has the task says that they work on it."""
        return await self.post(f"/v1/tasks/{task['id']}/claim", {}, by=DECIDER[Stage(task["stage"])])

    async def resubmit(self, update_id: UUID, *, key: str | None = None) -> httpx2.Response:
        """The operator sends a returned case in again."""
        body = _circumstances(floor_area_m2=42)
        return await self.post(f"/v1/updates/{update_id}/resubmission", body, by="operator.taraju", key=key)

    async def withdraw(self, update_id: UUID) -> None:
        """The applicant takes the case back, which ends it."""
        path, key = f"/v1/updates/{update_id}/withdrawal", str(uuid4())
        body = {"note": "Pemohon mencabut usulannya."}
        answer, _ = await self.insist(lambda: self.post(path, body, by="operator.taraju", key=key))
        assert answer.status_code == 200, answer.text

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        by: str,
        key: str | None = None,
        url: str | None = None,
    ) -> httpx2.Response:
        """Ask the API for something, as somebody who has a token, under a key."""
        headers = {"Authorization": f"Bearer {self.tokens[by]}", "Idempotency-Key": key or str(uuid4())}
        return await self.client.post(f"{url or self.stack.api_url}{path}", json=dict(body), headers=headers)


def _circumstances(**facts: int) -> dict[str, Any]:
    return {
        "change": {"kind": "circumstances", "circumstances": facts},
        "evidence": [{"type": "house_photo", "reference": "photo-1"}],
    }
