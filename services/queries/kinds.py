"""What can be proposed: each kind of update, its form, its papers, and the way it goes under the policy in force."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from db.session import Viewer
from domain.authority import NATION, Actor
from domain.changes import required_evidence, spec_of
from domain.durations import Duration
from domain.errors import NotFound
from domain.evidence import EvidenceType
from domain.policy import Policy
from domain.vocabulary import Kind, Outcome, Role, Stage
from services.kawal import Kawal
from services.queries.view import View


class KindSummary(View):
    """A kind of update."""

    kind: Kind
    needs_household: bool = Field(description="Whether it changes a household that the registry holds")
    evidence: tuple[tuple[EvidenceType, ...], ...] = Field(description="Of each group at least one paper is needed")


class StageOnRoute(View):
    """A stage that the kind passes."""

    stage: Stage
    deciders: tuple[Role, ...] = Field(description="Empty for the stages of the system")
    outcomes: tuple[Outcome, ...]
    deadline: Duration
    needs_minutes: bool


class Route(View):
    """The way of a kind under the policy that a case of the area would begin with now."""

    name: str
    policy_version_id: UUID
    area_code: str
    stages: tuple[StageOnRoute, ...]


class KindInFull(KindSummary):
    """A kind with the JSON Schema of its change and its route."""

    change_schema: dict[str, Any] = Field(description="JSON Schema of `change`", alias="schema")
    route: Route


def list_kinds() -> tuple[KindSummary, ...]:
    """Every kind of update."""
    return tuple(_summary(kind) for kind in Kind)


async def read_kind(kawal: Kawal, actor: Actor, kind: Kind, *, area_code: str | None) -> KindInFull:
    """A kind, with its route in `area_code`, or by the nation's policy. Raises NotFound where none is in force."""
    area = NATION if area_code is None else area_code
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        in_force = await kawal.rules.policy_in_force(connection, area, at=kawal.now())
    return KindInFull(
        **dict(_summary(kind)),
        schema=spec_of(kind).model.model_json_schema(),
        route=_route(in_force.policy, kind, policy_version_id=in_force.id, area_code=area),
    )


def _summary(kind: Kind) -> KindSummary:
    return KindSummary(
        kind=kind,
        needs_household=spec_of(kind).needs_household,
        evidence=tuple(tuple(sorted(group)) for group in required_evidence(kind)),
    )


def _route(policy: Policy, kind: Kind, *, policy_version_id: UUID, area_code: str) -> Route:
    if not policy.offers(kind):
        raise NotFound(f"The policy in force for {area_code} has no route for {kind.value}.")
    route = policy.route_of(kind)
    return Route(
        name=route.name,
        policy_version_id=policy_version_id,
        area_code=area_code,
        stages=tuple(_stage(policy, stage) for stage in route.stages),
    )


def _stage(policy: Policy, stage: Stage) -> StageOnRoute:
    rule = policy.stage(stage)
    return StageOnRoute(
        stage=stage,
        deciders=rule.deciders,
        outcomes=tuple(sorted(rule.outcomes)) if rule.deciders else (),
        deadline=rule.deadline,
        needs_minutes=rule.needs_minutes,
    )
