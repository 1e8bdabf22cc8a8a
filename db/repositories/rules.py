"""The rules in force: policies by version, and the calendar of an area. Parsed once and kept."""

from __future__ import annotations

import time
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, Calendar, PolicyVersion
from db.repositories.people import ancestry
from domain.calendar import WorkingCalendar
from domain.errors import NotFound
from domain.policy import Policy


class PolicyInForce(NamedTuple):
    """A policy and the id of its version."""

    id: UUID
    policy: Policy


class AreaFacts(NamedTuple):
    """What deadlines need to know of an area."""

    zone: str
    remoteness: int


class Rules:
    """What one process remembers of the rules.

    Where areas contain each other the nearest one's rule holds: the longest code sorts last, and `*` for the nation
    sorts before every digit.

    A published version never changes, so it is kept for good. Which version is in force, and the calendar, are asked
    again after `fresh_for` seconds.
    """

    def __init__(self, *, fresh_for: float = 5.0) -> None:
        self._fresh_for = fresh_for
        self._versions: dict[UUID, Policy] = {}
        self._calendars: dict[str, tuple[float, WorkingCalendar]] = {}
        self._areas: dict[str, AreaFacts] = {}

    def forget(self) -> None:
        """Ask everything anew from now on."""
        self._calendars.clear()
        self._areas.clear()

    async def policy(self, connection: AsyncConnection, version_id: UUID) -> Policy:
        """The policy of this version. Raises NotFound."""
        known = self._versions.get(version_id)
        if known is None:
            document = await connection.scalar(select(PolicyVersion.document).where(PolicyVersion.id == version_id))
            if document is None:
                raise NotFound(f"There is no policy version {version_id}.")
            known = self._versions[version_id] = Policy.model_validate(document)
        return known

    async def policy_in_force(self, connection: AsyncConnection, area_code: str, *, at: datetime) -> PolicyInForce:
        """The policy that a case of `area_code` begins with `at` this moment: the nearest area's latest version.

        Raises NotFound when no policy covers the area.
        """
        wanted = (
            select(PolicyVersion.id)
            .where(PolicyVersion.area_code.in_(ancestry(area_code)), PolicyVersion.effective_at <= at)
            .order_by(PolicyVersion.area_code.desc(), PolicyVersion.number.desc())
            .limit(1)
        )
        version_id = await connection.scalar(wanted)
        if version_id is None:
            raise NotFound(f"No policy is in force for {area_code}.", remedy="An administrator has to publish one.")
        return PolicyInForce(version_id, await self.policy(connection, version_id))

    async def area(self, connection: AsyncConnection, area_code: str) -> AreaFacts:
        """Zone and remoteness of an area. Raises NotFound."""
        known = self._areas.get(area_code)
        if known is None:
            row = (
                await connection.execute(select(Area.zone, Area.remoteness).where(Area.code == area_code))
            ).one_or_none()
            if row is None:
                raise NotFound(f"There is no area {area_code!r}.", pointer="/area_code")
            known = self._areas[area_code] = AreaFacts(row.zone, row.remoteness)
        return known

    async def calendar(self, connection: AsyncConnection, area_code: str) -> WorkingCalendar:
        """The calendar of an area in its zone: that of the nearest area that has one, in its latest version."""
        asked_at, known = self._calendars.get(area_code, (0.0, None))
        if known is not None and time.monotonic() - asked_at < self._fresh_for:
            return known
        facts = await self.area(connection, area_code)
        wanted = (
            select(Calendar.document)
            .where(Calendar.area_code.in_(ancestry(area_code)))
            .order_by(Calendar.area_code.desc(), Calendar.version.desc())
            .limit(1)
        )
        document = await connection.scalar(wanted)
        if document is None:
            raise NotFound(f"There is no working calendar for {area_code}.", remedy="Load one: `kawal calendar load`.")
        calendar = WorkingCalendar.model_validate(document | {"zone": facts.zone})
        self._calendars[area_code] = (time.monotonic(), calendar)
        return calendar
