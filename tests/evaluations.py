"""Evaluations on a scene: asked for as the database keeps them, and measured without an engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from activities.evaluations import CHUNK
from db.repositories.evaluations import add_evaluation, keep_measures, read_evaluation
from db.repositories.measures import sum_up
from db.repositories.observed_cases import observe_cases
from db.repositories.observed_households import HouseholdsOf, observe_households
from devstack.demo_people import demo_id
from domain.ids import new_id
from domain.indicators import METHOD
from domain.vocabulary import Role
from tests.db.looking import TARAJU
from tests.scene import SYSTEM, VAULT, Scene, user

REGENCY = "32.06"
DAY = timedelta(days=1)


async def asked(scene: Scene, *, known_until: datetime, area_code: str = REGENCY) -> UUID:
    """An evaluation of the year before the bound, as the database keeps it."""
    evaluation_id = new_id()
    row = {
        "id": evaluation_id,
        "area_code": area_code,
        "cause": "requested",
        "begins_at": known_until - 365 * DAY,
        "ends_at": known_until,
        "known_until": known_until,
        "method": METHOD,
        "policy_version_id": scene.policy_version_id,
        "requested_by": user("kabid"),
        "requested_role": Role.EVALUATOR.value,
        "office_id": demo_id("office", "dinsos"),
        "requested_at": known_until,
    }
    async with scene.as_owner() as connection:
        await add_evaluation(connection, row)
    return evaluation_id


async def measured(scene: Scene, *, known_until: datetime) -> tuple[UUID, Sequence[dict[str, Any]]]:
    """What is measured of the regency by a bound."""
    evaluation_id = await asked(scene, known_until=known_until)
    async with scene.worker.transaction(SYSTEM) as connection:
        found = await read_evaluation(connection, evaluation_id)
        of = HouseholdsOf(
            evaluation_id=evaluation_id,
            village=TARAJU,
            known_until=known_until,
            calendar=await scene.rules.calendar(connection, TARAJU),
            vault=VAULT,
        )
        assert await observe_households(connection, of, after=None, at_most=CHUNK) is None
        await observe_cases(connection, evaluation_id, found.span, village=TARAJU, round_id=None)
        numbers = await sum_up(connection, found)
        assert await keep_measures(connection, evaluation_id, numbers, at=known_until) is not None
        return evaluation_id, numbers
