"""Version 1 of the API: one router a subject, each with its paths below `/v1`."""

from __future__ import annotations

from typing import Final

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
    evaluations,
    evidence,
    ground_checks,
    holds,
    households,
    identities,
    information,
    kinds,
    minutes,
    notifications,
    people,
    policies,
    policy_drafts,
    research,
    rights,
    rounds,
    stalled,
    submissions,
    tasks,
    updates,
    uploads,
    waits,
    work_lists,
)

ROUTERS: tuple[APIRouter, ...] = (
    acts.router,
    submissions.router,
    tasks.router,
    auth.router,
    browser.router,
    updates.router,
    minutes.router,
    disputes.router,
    waits.router,
    information.router,
    ground_checks.router,
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
    rounds.router,
    work_lists.router,
    evaluations.router,
    policy_drafts.router,
    research.router,
    policies.router,
    people.router,
    comments.router,
    delegations.router,
    api_keys.router,
    identities.router,
    callbacks.router,
)
"""An address is looked for from the top, so what every case asks for stands there.

Each is part of the application by itself: a router of routers is searched once more for every level.
"""

PREFIX: Final = "/v1"
