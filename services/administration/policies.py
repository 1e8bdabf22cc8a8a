"""Publishing a policy from the command line, before there is an administrator to do it through the API."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import PolicyVersion
from db.repositories import trail
from db.repositories.people import ancestry
from db.repositories.trail import Entry
from domain.audit import AuditType
from domain.errors import NotFound
from domain.ids import new_id
from domain.policy import Policy, canonical_json


class Published(NamedTuple):
    """A version of a policy as it is in force from `effective_at` on."""

    id: UUID
    area_code: str
    number: int
    effective_at: datetime
    policy: Policy


async def publish_policy(connection: AsyncConnection, policy: Policy, *, at: datetime) -> Published:
    """Publish the next version for the policy's area, in force at once; open cases keep theirs."""
    newest = select(func.max(PolicyVersion.number)).where(PolicyVersion.area_code == policy.area_code)
    number = ((await connection.scalar(newest)) or 0) + 1
    text = canonical_json(policy)
    digest = hashlib.sha256(text.encode()).hexdigest()
    version_id = new_id()
    await connection.execute(
        insert(PolicyVersion).values(
            id=version_id,
            area_code=policy.area_code,
            number=number,
            document=policy.model_dump(mode="json"),
            digest=digest,
            published_by=None,
            published_at=at,
            effective_at=at,
        ),
    )
    published = Entry(type=AuditType.POLICY_PUBLISHED, data={"number": number, "digest": digest, "name": policy.name})
    await trail.record(connection, f"policy:{version_id}", [published], at=at, area_code=policy.area_code)
    return Published(version_id, policy.area_code, number, at, policy)


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
