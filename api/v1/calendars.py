"""Calendars: which days count in an area, version by version."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.deps import ActorDep, HeldVersions, IdempotencyKey, KawalDep, etag, requires, signed_in
from domain.areas import AREA_OR_NATION
from domain.calendar_changes import CalendarChange
from domain.permissions import Permission
from services.calendars import (
    CalendarVersions,
    Published,
    list_calendar_versions,
    publish_calendar,
    read_calendar,
)
from services.keyed import Call

router = APIRouter(tags=["clocks"])

AreaInPath = Annotated[str, Path(pattern=AREA_OR_NATION)]


@router.get("/calendars/{area_code}", dependencies=[signed_in])
async def read_area_calendar(area_code: AreaInPath, actor: ActorDep, kawal: KawalDep, response: Response) -> Published:
    """The calendar that holds in an area: its own, or that of the nearest wider one."""
    return _tagged(await read_calendar(kawal, actor, area_code), response)


@router.get("/calendars/{area_code}/versions", dependencies=[signed_in])
async def list_versions(area_code: AreaInPath, actor: ActorDep, kawal: KawalDep) -> CalendarVersions:
    """Every version of an area's own calendar, the newest first."""
    return await list_calendar_versions(kawal, actor, area_code)


@router.post("/calendars/{area_code}/versions", status_code=201, dependencies=[requires(Permission.CLOCKS_ORDER)])
async def publish_version(
    area_code: AreaInPath,
    change: CalendarChange,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    holds: HeldVersions,
    response: Response,
) -> Published:
    """Publish the next version: local closings of an area, or for `*` holidays and the decree on collective leave.

    Every open deadline of the area follows; those that were provisional are reckoned for good.
    """
    call = Call(actor=actor, key=key, at=kawal.now(), holds=holds)
    made, _ = await publish_calendar(kawal, call, area_code, change)
    response.headers["Location"] = f"/v1/calendars/{area_code}"
    return _tagged(made, response)


def _tagged(published: Published, response: Response) -> Published:
    response.headers["ETag"] = etag(published.calendar.version)
    return published
