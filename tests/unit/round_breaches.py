"""Policies that break a rule about rounds, and where it is found."""

from __future__ import annotations

from tests.unit.policy_breaches import Breach
from tests.unit.policy_changes import repeat, to

ROUND_BREACHES = [
    Breach(
        "each_reason_to_verify_again_stands_once",
        repeat("/reverification/risks", "/reverification/risks/0"),
        "/reverification/risks/6/reason",
        "reason_twice",
    ),
    Breach(
        "old_data_are_verified_again_as_the_law_says",
        to("/reverification/old_after_months", 25),
        "/reverification/old_after_months",
        "later_than_the_law",
    ),
    Breach(
        "old_data_are_verified_again_as_the_law_says",
        to("/reverification/risks", []),
        "/reverification/risks",
        "old_data_left_out",
    ),
]
