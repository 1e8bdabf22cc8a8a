"""A draft tried on the cases that are open in its area, none of which it changes."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.deadlines import Deadline
from domain.durations import Duration
from domain.policy import Policy
from domain.policy.trial import Effect, Example, Group, Trial, due_under, effects_on
from domain.vocabulary import Kind, Stage
from services.kawal import Kawal

# A policy of the nation says nothing to a regency that has one of its own.
_OPEN: Final = text(
    """
    SELECT u.policy_version_id, u.kind, t.stage, count(*) AS cases,
           (array_agg(t.id ORDER BY t.due_at, t.id))[1] AS first_task
    FROM updates u LEFT JOIN tasks t ON t.update_id = u.id AND t.status = 'open'
    WHERE u.closed_at IS NULL
      AND CASE WHEN :area = '*'
               THEN NOT EXISTS (SELECT 1 FROM policies p WHERE p.area_code = left(u.area_code, 5))
               ELSE u.area_code >= :area || '.' COLLATE "C" AND u.area_code < :area || '/' COLLATE "C" END
    GROUP BY 1, 2, 3
    """,
)
_FIRST: Final = text("SELECT id, area_code, stage, deadline FROM tasks WHERE id = ANY (:tasks)")


class _Alike(NamedTuple):
    """What cases of one group share."""

    kind: Kind
    stage: Stage | None
    effects: tuple[Effect, ...]
    deadline: Duration | None
    would_be: Duration | None


async def try_on(kawal: Kawal, connection: AsyncConnection, policy: Policy, *, at: datetime) -> Trial:
    """How the open cases of the policy's area would fare under it; only those that the viewer's areas show."""
    rows = (await connection.execute(_OPEN, {"area": policy.area_code})).all()
    counts: dict[_Alike, int] = defaultdict(int)
    first: dict[_Alike, list[UUID]] = defaultdict(list)
    for row in rows:
        alike = await _judge(kawal, connection, row, policy)
        counts[alike] += row.cases
        if row.first_task is not None and Effect.DEADLINE in alike.effects:
            first[alike].append(row.first_task)
    examples = await _examples(kawal, connection, policy, first, at=at)
    affected = {alike: cases for alike, cases in counts.items() if alike.effects}
    return Trial(
        tried_at=at,
        open_cases=sum(counts.values()),
        affected=sum(affected.values()),
        groups=tuple(
            Group(
                kind=alike.kind,
                stage=alike.stage,
                cases=cases,
                effects=alike.effects,
                deadline=alike.deadline,
                would_be=alike.would_be,
                first_due=examples.get(alike),
            )
            for alike, cases in sorted(affected.items(), key=lambda item: (item[0].kind, item[0].stage or "", -item[1]))
        ),
    )


async def _judge(kawal: Kawal, connection: AsyncConnection, row: Row[*tuple[Any, ...]], policy: Policy) -> _Alike:
    before = await kawal.rules.policy(connection, row.policy_version_id)
    kind, stage = Kind(row.kind), None if row.stage is None else Stage(row.stage)
    effects = effects_on(kind, stage, before=before, after=policy)
    if stage is None or Effect.DEADLINE not in effects:
        return _Alike(kind, stage, effects, None, None)
    return _Alike(kind, stage, effects, before.stage(stage).deadline, policy.stage(stage).deadline)


async def _examples(
    kawal: Kawal,
    connection: AsyncConnection,
    policy: Policy,
    first: dict[_Alike, list[UUID]],
    *,
    at: datetime,
) -> dict[_Alike, Example]:
    """Of each group the deadline that comes first, and when it would come."""
    wanted = [task for tasks in first.values() for task in tasks]
    if not wanted:
        return {}
    rows = {row.id: row for row in await connection.execute(_FIRST, {"tasks": wanted})}
    found: dict[_Alike, Example] = {}
    for alike, tasks in first.items():
        shown = [(Deadline.model_validate(rows[task].deadline), rows[task]) for task in tasks if task in rows]
        if not shown:
            continue
        deadline, row = min(shown, key=lambda item: item[0].due_at)
        facts = await kawal.rules.area(connection, row.area_code)
        would_be = due_under(
            policy,
            deadline,
            stage=Stage(row.stage),
            remoteness=facts.remoteness,
            calendar=await kawal.rules.calendar(connection, row.area_code),
            now=at,
        )
        found[alike] = Example(due_at=deadline.due_at, would_be_due_at=would_be)
    return found
