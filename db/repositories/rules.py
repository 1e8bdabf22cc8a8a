"""The rules in force: policies by version, and the calendar of an area. Parsed once and kept."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, case, func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, Calendar, PolicyVersion
from db.repositories.clocks import AreaClocks, read_clocks
from db.repositories.people import ancestry
from db.repositories.policies import IN_FORCE
from domain.authority import NATION
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


_CAPITAL = AreaFacts("Asia/Jakarta", 0)


class Rules:
    """What one process remembers of the rules.

    A published version never changes, so it is kept for good. Which version is in force, and the calendar with the
    orders over the area, are asked again after `fresh_for` seconds.
    """

    def __init__(self, *, fresh_for: float = 5.0) -> None:
        self._fresh_for = fresh_for
        self._versions: dict[UUID, Policy] = {}
        self._calendars: dict[str, tuple[float, WorkingCalendar]] = {}
        self._clocks: dict[str, tuple[float, AreaClocks]] = {}
        self._areas: dict[str, AreaFacts] = {}

    def forget(self) -> None:
        """Ask everything anew from now on."""
        self._calendars.clear()
        self._clocks.clear()
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
        version_id = await connection.scalar(IN_FORCE, {"areas": ancestry(area_code), "at": at})
        if version_id is None:
            raise NotFound(
                f"No policy is in force for {area_code}.",
                remedy="Whoever runs Kawal puts the first one in force: `kawal policies start FILE`.",
            )
        return PolicyInForce(version_id, await self.policy(connection, version_id))

    async def area(self, connection: AsyncConnection, area_code: str) -> AreaFacts:
        """Zone and remoteness of an area; the nation's are those of its capital. Raises NotFound."""
        known = _CAPITAL if area_code == NATION else self._areas.get(area_code)
        if known is None:
            row = (
                await connection.execute(select(Area.zone, Area.remoteness).where(Area.code == area_code))
            ).one_or_none()
            if row is None:
                raise NotFound(f"There is no area {area_code!r}.", pointer="/area_code")
            known = self._areas[area_code] = AreaFacts(row.zone, row.remoteness)
        return known

    async def calendars(self, connection: AsyncConnection, area_codes: Collection[str]) -> dict[str, WorkingCalendar]:
        """The calendars of several areas, by area; those that are not fresh are read in one statement.

        Raises NotFound when one of the areas has none.
        """
        moment = time.monotonic()
        stale = {code for code in area_codes if not self._is_fresh(code, moment)}
        if stale:
            rows = (await connection.execute(_nearest_calendars(stale))).all()
            documents = {(row.area_code, row.version): row.document for row in rows if row.document is not None}
            for row in rows:
                document = documents[row.area_code, row.version] | {"zone": row.zone}
                self._calendars[row.code] = (moment, WorkingCalendar.model_validate(document))
        for code in area_codes:
            if code not in self._calendars:
                raise _no_calendar(code)
        return {code: self._calendars[code][1] for code in area_codes}

    def _is_fresh(self, area_code: str, moment: float) -> bool:
        known = self._calendars.get(area_code)
        return known is not None and moment - known[0] < self._fresh_for

    async def calendar(self, connection: AsyncConnection, area_code: str) -> WorkingCalendar:
        """The calendar of an area in its zone: that of the nearest area that has one, in its latest version."""
        asked_at, known = self._calendars.get(area_code, (0.0, None))
        if known is not None and time.monotonic() - asked_at < self._fresh_for:
            return known
        return (await self._ask_clocks(connection, area_code, at=datetime.now(UTC))).calendar

    async def clocks(self, connection: AsyncConnection, area_code: str, *, at: datetime) -> AreaClocks:
        """The same with the orders over the area, in one statement; no older than `fresh_for`. Raises NotFound."""
        asked_at, known = self._clocks.get(area_code, (0.0, None))
        if known is not None and time.monotonic() - asked_at < self._fresh_for:
            return known
        return await self._ask_clocks(connection, area_code, at=at)

    async def clocks_now(self, connection: AsyncConnection, area_code: str, *, at: datetime) -> AreaClocks:
        """The same as they are at this moment, whatever is remembered. Raises NotFound."""
        return await self._ask_clocks(connection, area_code, at=at)

    async def _ask_clocks(self, connection: AsyncConnection, area_code: str, *, at: datetime) -> AreaClocks:
        facts = await self.area(connection, area_code)
        found = await read_clocks(connection, area_code, zone=facts.zone, at=at)
        if found is None:
            raise _no_calendar(area_code)
        moment = time.monotonic()
        self._clocks[area_code] = (moment, found)
        self._calendars[area_code] = (moment, found.calendar)
        return found


def _no_calendar(area_code: str) -> NotFound:
    return NotFound(f"There is no working calendar for {area_code}.", remedy="Load one: `kawal calendar load`.")


def _nearest_calendars(area_codes: Collection[str]) -> Select[*tuple[Any, ...]]:
    """Of each area its zone and the calendar that holds there; a document that several share comes once."""
    above = [literal(NATION), *(func.left(Area.code, length) for length in (2, 5, 8, 13))]
    nearest = (
        select(Calendar.area_code, Calendar.version, Calendar.document)
        .where(Calendar.area_code.in_(above))
        .order_by(Calendar.area_code.desc(), Calendar.version.desc())
        .limit(1)
        .lateral("nearest")
    )
    place = func.row_number().over(partition_by=(nearest.c.area_code, nearest.c.version), order_by=Area.code)
    found = (
        select(Area.code, Area.zone, nearest, place.label("place"))
        .join(nearest, true())
        .where(Area.code.in_(sorted(area_codes)))
        .subquery()
    )
    document = case((found.c.place == 1, found.c.document)).label("document")
    return select(found.c.code, found.c.zone, found.c.area_code, found.c.version, document)
