"""Version 1 of the API: one router a subject, each with its paths below `/v1`."""

from __future__ import annotations

from fastapi import APIRouter

from api.openapi import PROBLEMS

ROUTERS: tuple[APIRouter, ...] = ()

router = APIRouter(prefix="/v1", responses=PROBLEMS)
for _subject in ROUTERS:
    router.include_router(_subject)
