"""The first policy of an area, put in force from the command line before there is one by which others are published."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories.policies import lock_line, version_in_force
from domain.errors import NotFound, NotPossibleNow
from domain.policy import Policy
from services.policies.versions import add_version


class Published(NamedTuple):
    """A version of a policy as it is in force from `effective_at` on."""

    id: UUID
    area_code: str
    number: int
    effective_at: datetime
    policy: Policy


async def start_policy(connection: AsyncConnection, policy: Policy, *, at: datetime) -> Published:
    """Put the first policy in force where none is. Raises NotPossibleNow where one is: drafts are for that."""
    await lock_line(connection, policy.area_code)
    try:
        found = await policy_in_force(connection, policy.area_code, at=at)
    except NotFound:
        await add_version(connection, policy, at=at, effective_at=at)
        return await policy_in_force(connection, policy.area_code, at=at)
    raise NotPossibleNow(
        f"Version {found.number} of the policy for {found.area_code} is in force there.",
        remedy="Draft the next one; others comment, and somebody else publishes it: `kawal policies draft FILE`.",
    )


async def policy_in_force(connection: AsyncConnection, area_code: str, *, at: datetime) -> Published:
    """The version that a case of the area begins with now. Raises NotFound."""
    row = await version_in_force(connection, area_code, at=at)
    return Published(row.id, row.area_code, row.number, row.effective_at, Policy.model_validate(row.document))
