"""A few villages to simulate."""

from __future__ import annotations

from datetime import date

from domain.calendar import WorkingCalendar
from domain.durations import WorkingDays
from domain.policy import Policy, default_policy
from domain.vocabulary import Stage
from runtime.holiday_seed import seed_holidays
from simulation.play import Setting
from simulation.scenario import parse_scenario

VILLAGES = {"32.06.13.2001": 700, "32.06.13.2002": 700, "32.06.14.2001": 700}
POLICY = default_policy(area_code="32.06")


def calendar() -> WorkingCalendar:
    closed = seed_holidays(range(2026, 2028))
    return WorkingCalendar(
        area_code="32.06",
        version=1,
        zone="Asia/Jakarta",
        closed=closed.closed,
        collective_leave_known_through=closed.collective_leave_known_through,
    )


def setting(*, months: int = 2, **assumed: object) -> Setting:
    scenario = parse_scenario({"begins": date(2026, 1, 1), "warm_up": 0, **assumed})
    return Setting(VILLAGES, calendar(), scenario, months)


OFTEN_AWAY = {
    "puskesos_officer": {"tier": "village", "minutes": 90, "absent_days": 150, "spell_days": 12, "recorded": 0}
}


def patient() -> Policy:
    """Verification has fifteen working days."""
    stages = tuple(
        rule.model_copy(update={"deadline": WorkingDays(working_days=15)}) if rule.stage is Stage.VERIFICATION else rule
        for rule in POLICY.stages
    )
    return POLICY.model_copy(update={"stages": stages})


def without_village_deliberation(policy: Policy = POLICY) -> Policy:
    """No route asks the village."""
    routes = tuple(
        route.model_copy(update={"stages": tuple(stage for stage in route.stages if stage is not Stage.DELIBERATION)})
        for route in policy.routes
    )
    return policy.model_copy(update={"routes": routes})
