"""Publishing a policy from the command line, before there is an administrator to do it through the API."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import PolicyVersion
from db.repositories.people import ancestry
from domain.errors import NotFound
from domain.policy import Policy
from services.policies import add_version


class Published(NamedTuple):
    """A version of a policy as it is in force from `effective_at` on."""

    id: UUID
    area_code: str
    number: int
    effective_at: datetime
    policy: Policy


async def publish_policy(connection: AsyncConnection, policy: Policy, *, at: datetime) -> Published:
    """Publish the next version for the policy's area, in force at once; open cases keep theirs."""
    await add_version(connection, policy, at=at, effective_at=at)
    return await policy_in_force(connection, policy.area_code, at=at)


async def policy_in_force(connection: AsyncConnection, area_code: str, *, at: datetime) -> Published:
    """The version that a case of the area begins with now: the nearest area's latest. Raises NotFound."""
    row = (
        await connection.execute(
            select(
                PolicyVersion.id,
                PolicyVersion.area_code,
                PolicyVersion.number,
                PolicyVersion.effective_at,
                PolicyVersion.document,
            )
            .where(PolicyVersion.area_code.in_(ancestry(area_code)), PolicyVersion.effective_at <= at)
            .order_by(PolicyVersion.area_code.desc(), PolicyVersion.number.desc())
            .limit(1),
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"No policy is in force for {area_code}.", remedy="Publish one: `kawal policies publish FILE`.")
    return Published(row.id, row.area_code, row.number, row.effective_at, Policy.model_validate(row.document))
