"""The same for what a case waits for, and for when it is waited for no longer."""

from __future__ import annotations

from tests.unit.policy_breaches import Breach
from tests.unit.policy_changes import to

WAIT_BREACHES = [
    Breach(
        "a_wait_for_a_paper_is_counted_in_days",
        to("/document_wait/longest", {"window_close": "musdes", "at_least": {"working_days": 3}}),
        "/document_wait/longest",
        "wait_without_a_time",
    ),
    Breach(
        "a_lapse_waits_for_a_time",
        to("/lapse/after", {"window_close": "musdes", "at_least": {"working_days": 3}}),
        "/lapse/after",
        "lapse_without_a_time",
    ),
    Breach(
        "notice_of_a_lapse_leaves_time_to_mend",
        to("/lapse/notice", {"calendar_days": 6}),
        "/lapse/notice",
        "notice_too_short",
    ),
    Breach(
        "notice_of_a_lapse_leaves_time_to_mend",
        to("/lapse/notice", {"working_days": 4}),
        "/lapse/notice",
        "notice_too_short",
    ),
    Breach(
        "a_question_to_another_office_waits_for_a_time",
        to("/information/longest", {"window_close": "musdes", "at_least": {"working_days": 3}}),
        "/information/longest",
        "question_without_a_time",
    ),
    Breach(
        "a_decision_is_granted_only_where_one_is_taken",
        to("/information/ladder/1/grants", ["decide"]),
        "/information/ladder/1/grants",
        "nothing_to_decide",
    ),
    Breach(
        "a_wait_for_a_paper_stops_the_repair",
        to("/repair/pauses", ["area_suspended"]),
        "/repair/pauses",
        "wait_without_a_pause",
    ),
]
