"""Playing the whole programme at once, under a policy of seconds, and putting the policy back afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from devstack.demo.api import Api, DemoError, Refused
from devstack.demo.partners import PartnerAdmin
from devstack.demo.people import Households, Newcomers
from devstack.demo.scene import Scenario, Scene
from devstack.demo_people import REGENCY
from devstack.partners.settings import PartnerSettings
from domain.errors import NotPossibleNow
from domain.policy import Policy, demo_policy

_DRAFTER, _PUBLISHER = "perencana", "kadis"
_NOTE = "Peragaan: kebijakan dalam detik."
_DEMO_NAME = demo_policy().name


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What came of one scenario: what happened, how long it took, and in `fault` what was not as it should be."""

    scenario: Scenario
    story: str
    escalations: int
    status: str
    tracking_code: str
    seconds: float
    fault: str | None = None


Watch = Callable[[Scenario, str], None]
"""Told in a few words whenever something has happened to a case."""


async def play_all(
    programme: Sequence[Scenario],
    *,
    api_url: str,
    partners: PartnerSettings,
    watch: Watch,
) -> list[Ending]:
    """Play every scenario at the same time and say how each ended, in the order of the programme.

    Raises DemoError when the system does not answer at all, or does not know the demo's people.
    """
    async with Api(api_url) as api, PartnerAdmin(partners) as admin, _in_seconds(api):
        today = datetime.now(ZoneInfo("Asia/Jakarta")).date()
        households, registry_is_up = Households(api), asyncio.Event()
        scenes = [
            Scene(
                api=api,
                admin=admin,
                newcomers=Newcomers(admin, today=today),
                households=households,
                today=today,
                registry_is_up=registry_is_up,
                watch=partial(watch, scenario),
            )
            for scenario in programme
        ]
        return await asyncio.gather(*(_play(*part) for part in zip(programme, scenes, strict=True)))


async def _play(scenario: Scenario, scene: Scene) -> Ending:
    ending = Ending(scenario=scenario, story="", escalations=0, status="", tracking_code="", seconds=0)
    try:
        case = await scenario.play(scene)
        final = await case.until(lambda document: document["closed_at"] is not None, what="its end")
        ending = replace(
            ending,
            story="; ".join(case.story),
            escalations=sum(rung["action"] == "escalate" for rung in final["escalations"]),
            status=final["status"],
            tracking_code=case.tracking_code,
            seconds=time.monotonic() - case.began,
        )
        ending = replace(ending, fault=_fault(ending))
    except DemoError as fault:
        ending = replace(ending, fault=str(fault))
    scene.watch(f"done, {ending.status}" if ending.fault is None else f"FAILED: {ending.fault}")
    return ending


def _fault(ending: Ending) -> str | None:
    wanted = ending.scenario
    if ending.status != wanted.ends.value:
        return f"ended as {ending.status}, not as {wanted.ends.value}"
    if wanted.escalates and not ending.escalations:
        return "did not escalate"
    return None


@asynccontextmanager
async def _in_seconds(api: Api) -> AsyncGenerator[None]:
    """Put the demo policy in force for the regency for as long as the block lasts, as in an emergency.

    The planner drafts it, the head of office publishes it. What was in force before is so again after the block.
    """
    in_force = await api.get(_PUBLISHER, "/v1/policies/in-force", area_code=REGENCY)
    if in_force["emergency"] is not None and in_force["name"] == _DEMO_NAME:
        await _revoke(api, in_force["id"])  # left by a run that was interrupted
        in_force = await api.get(_PUBLISHER, "/v1/policies/in-force", area_code=REGENCY)
    rules = Policy.model_validate(in_force["document"])
    policy = demo_policy(area_code=REGENCY).model_copy(update={"publication": rules.publication})
    draft = await api.post(_DRAFTER, "/v1/policies/drafts", {"policy": policy.model_dump(mode="json")})
    path = f"/v1/policies/drafts/{draft['id']}"
    why = {"reason": "cases_stuck", "note": _NOTE}
    published = await api.post(_PUBLISHER, f"{path}/emergency", why, holds=draft["version"])
    try:
        yield
    finally:
        await _revoke(api, published["id"])
        await api.post(_DRAFTER, f"{path}/withdrawal", {"note": _NOTE})


async def _revoke(api: Api, version_id: str) -> None:
    try:
        await api.post(_PUBLISHER, f"/v1/policies/{version_id}/revocation", {"note": _NOTE})
    except Refused as refusal:
        if refusal.code != NotPossibleNow.code:  # it has lapsed by itself
            raise
