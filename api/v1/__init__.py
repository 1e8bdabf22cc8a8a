"""Version 1 of the API: one router a subject, each with its paths below `/v1`."""

from __future__ import annotations

from fastapi import APIRouter

from api.v1 import (
    acts,
    api_keys,
    areas,
    auth,
    browser,
    calendars,
    callbacks,
    clock_orders,
    comments,
    deadlines,
    delegations,
    disclosure,
    disputes,
    evidence,
    holds,
    households,
    identities,
    kinds,
    minutes,
    notifications,
    people,
    policies,
    policy_drafts,
    rights,
    stalled,
    submissions,
    tasks,
    updates,
    uploads,
)

ROUTERS: tuple[APIRouter, ...] = (
    auth.router,
    browser.router,
    submissions.router,
    updates.router,
    tasks.router,
    acts.router,
    minutes.router,
    disputes.router,
    uploads.router,
    evidence.router,
    stalled.router,
    notifications.router,
    households.router,
    disclosure.router,
    holds.router,
    rights.router,
    areas.router,
    kinds.router,
    deadlines.router,
    clock_orders.router,
    calendars.router,
    policy_drafts.router,
    policies.router,
    people.router,
    comments.router,
    delegations.router,
    api_keys.router,
    identities.router,
    callbacks.router,
)

router = APIRouter(prefix="/v1")
for _subject in ROUTERS:
    router.include_router(_subject)
