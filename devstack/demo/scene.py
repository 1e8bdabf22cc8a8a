"""What every scenario of the demonstration works with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from devstack.demo.api import Api, Document
from devstack.demo.case import Case, Watch
from devstack.demo.partners import PartnerAdmin
from devstack.demo.people import Households, Newcomers
from devstack.demo_people import VILLAGES
from domain.household import Household
from domain.vocabulary import Kind, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The API, the partners, the people; `registry_is_up` is set whenever cases may rely on the civil registry."""

    api: Api
    admin: PartnerAdmin
    newcomers: Newcomers
    households: Households
    today: date
    registry_is_up: asyncio.Event
    watch: Watch

    async def submit(
        self,
        village: str,
        change: Document,
        evidence: list[Document],
        *,
        household: Household | None = None,
        operator: str | None = None,
    ) -> Case:
        """Submit a change as the operator of the village, once the civil registry is up."""
        await self.registry_is_up.wait()
        return await self.submit_now(village, change, evidence, household=household, operator=operator)

    async def submit_now(
        self,
        village: str,
        change: Document,
        evidence: list[Document],
        *,
        household: Household | None = None,
        operator: str | None = None,
    ) -> Case:
        """Submit a change whether or not the civil registry is up."""
        who = operator or f"operator.{VILLAGES[village].lower()}"
        body: Document = {"area_code": village, "change": change, "evidence": evidence}
        if household is not None:
            body |= {"household_id": str(household.id), "household_version": household.version}
        receipt = await self.api.post(who, "/v1/updates", body)
        self.watch(f"submitted, {receipt['tracking_code']}")
        return Case(self.api, receipt=receipt, village=village, operator=who, watch=self.watch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A case with the end that it has to come to, and whether it has to escalate on the way."""

    title: str
    kind: Kind
    play: Callable[[Scene], Awaitable[Case]]
    ends: Status = Status.APPLIED
    escalates: bool = False
