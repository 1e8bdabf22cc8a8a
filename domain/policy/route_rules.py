"""Rules about routes: every kind of update finds its way, and every stage is on one."""

from __future__ import annotations

from collections import Counter

from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations, listed
from domain.vocabulary import HUMAN_STAGES, Kind, Stage


def every_kind_has_exactly_one_route(policy: Policy) -> Violations:
    """A kind without a route could be submitted and would go nowhere; with two, nobody could say which one it takes."""
    routes_of = {kind: [i for i, route in enumerate(policy.routes) if kind in route.kinds] for kind in Kind}
    for kind, indexes in routes_of.items():
        if not indexes:
            yield Violation(
                pointer="/routes",
                code="kind_without_route",
                detail=f"No route takes the kind {kind}.",
                remedy=f"Add {kind} to the `kinds` of one route.",
            )
        for index in indexes[1:]:
            first = policy.routes[indexes[0]].name
            yield Violation(
                pointer=f"/routes/{index}/kinds",
                code="kind_with_two_routes",
                detail=f"The kind {kind} is also taken by the route {first!r}.",
                remedy=f"Leave {kind} in one of the two routes.",
            )


def every_route_has_a_name_and_a_kind_of_its_own(policy: Policy) -> Violations:
    """Officers call a route by its name, and a route that takes no kind only looks like a rule."""
    names = Counter(route.name for route in policy.routes)
    for index, route in enumerate(policy.routes):
        if names[route.name] > 1:
            yield Violation(
                pointer=f"/routes/{index}/name",
                code="route_name_taken",
                detail=f"More than one route is called {route.name!r}.",
                remedy="Give every route a name of its own.",
            )
        if not route.kinds:
            yield Violation(
                pointer=f"/routes/{index}/kinds",
                code="route_without_kind",
                detail=f"The route {route.name!r} takes no kind of update.",
                remedy="Name the kinds that take this route, or remove the route.",
            )


def every_stage_of_a_route_is_defined(policy: Policy) -> Violations:
    """A case that enters a stage without a rule has no decider, no deadline and no ladder: it is lost there."""
    known = {rule.stage for rule in policy.stages} | {Stage.IDENTITY_CHECK, Stage.DELIVERY}
    for index, route in enumerate(policy.routes):
        for position, stage in enumerate(route.stages):
            if stage is Stage.REPAIR:
                yield Violation(
                    pointer=f"/routes/{index}/stages/{position}",
                    code="repair_on_a_route",
                    detail="Repair is where a returned case waits; no route passes through it.",
                    remedy="Remove `repair` from the stages of the route.",
                )
            elif stage not in known:
                yield Violation(
                    pointer=f"/routes/{index}/stages/{position}",
                    code="stage_not_defined",
                    detail=f"The route {route.name!r} passes {stage}, which `stages` does not define.",
                    remedy=f"Add a rule for {stage} to `stages`, or remove it from the route.",
                )


def every_defined_stage_is_reached_by_a_route(policy: Policy) -> Violations:
    """A stage no route reaches is a check that its authors believe in and that never happens."""
    reached = {stage for route in policy.routes for stage in route.stages}
    for index, rule in enumerate(policy.stages):
        if rule.stage in HUMAN_STAGES and rule.stage not in reached:
            yield Violation(
                pointer=f"/stages/{index}",
                code="unreachable_stage",
                detail=f"No route passes the stage {rule.stage}.",
                remedy=f"Add {rule.stage} to a route, or remove its rule from `stages`.",
            )


def no_route_passes_a_stage_twice(policy: Policy) -> Violations:
    """Nobody decides twice in one case, and a case's place on its route is named by its stage."""
    for index, route in enumerate(policy.routes):
        for position, stage in enumerate(route.stages):
            if stage in route.stages[:position]:
                yield Violation(
                    pointer=f"/routes/{index}/stages/{position}",
                    code="stage_repeated",
                    detail=f"The route {route.name!r} passes {stage} twice.",
                    remedy="Remove the repetition; a return re-enters a stage by itself.",
                )


def the_identity_check_comes_first(policy: Policy) -> Violations:
    """People should not spend days judging a household whose members the civil registry does not know."""
    for index, route in enumerate(policy.routes):
        if Stage.IDENTITY_CHECK in route.stages[1:]:
            yield Violation(
                pointer=f"/routes/{index}/stages",
                code="identity_check_not_first",
                detail=f"In the route {route.name!r} the identity check comes after another stage.",
                remedy="Put `identity_check` first.",
            )


def delivery_comes_last(policy: Policy) -> Violations:
    """Delivery changes the registry: whatever is decided after it would be decided about a done thing."""
    for index, route in enumerate(policy.routes):
        if Stage.DELIVERY in route.stages[:-1]:
            yield Violation(
                pointer=f"/routes/{index}/stages",
                code="delivery_not_last",
                detail=f"In the route {route.name!r} a stage follows on delivery.",
                remedy="Put `delivery` last.",
            )


def every_route_has_a_human_stage(policy: Policy) -> Violations:
    """No change to a household is applied without the name of a person who decided it."""
    for index, route in enumerate(policy.routes):
        if not any(stage in HUMAN_STAGES for stage in route.stages):
            yield Violation(
                pointer=f"/routes/{index}/stages",
                code="route_without_decision",
                detail=f"Nobody decides anything on the route {route.name!r}.",
                remedy=f"Add at least one of {listed(HUMAN_STAGES)}.",
            )


def with_a_ministry_every_route_ends_in_delivery(policy: Policy) -> Violations:
    """What is applied here and never pushed lets the Ministry's registry, which pays, drift away unnoticed."""
    if not policy.delivery.ministry:
        return
    for index, route in enumerate(policy.routes):
        if Stage.DELIVERY not in route.stages:
            yield Violation(
                pointer=f"/routes/{index}/stages",
                code="route_without_delivery",
                detail=f"Changes of the route {route.name!r} would never reach the Ministry.",
                remedy="End the route with `delivery`, or set /delivery/ministry to false.",
            )


ROUTE_RULES: tuple[Rule, ...] = (
    every_kind_has_exactly_one_route,
    every_route_has_a_name_and_a_kind_of_its_own,
    every_stage_of_a_route_is_defined,
    every_defined_stage_is_reached_by_a_route,
    no_route_passes_a_stage_twice,
    the_identity_check_comes_first,
    delivery_comes_last,
    every_route_has_a_human_stage,
    with_a_ministry_every_route_ends_in_delivery,
)
