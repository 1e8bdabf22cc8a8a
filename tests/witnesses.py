"""Whatever a test asks of the API: what it changes is told by an event of the kinds that are declared here.

Each call that changes something stands in `TELLS`, or in `TELLS_NOTHING` with its reason; one that is new stands in
neither, which a test tells. The requests of all tests are watched as they pass, with the events that are committed
under their ids, by the API or by the worker: so each call is seen with its event, and who asked in it, wherever a test
makes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from domain.audit import AuditType

CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Witness(NamedTuple):
    """By events of which types a call is told, and the test in which that is always seen."""

    types: frozenset[AuditType]
    test: str


def _told(*types: AuditType, seen_by: str) -> Witness:
    return Witness(frozenset(types), seen_by)


TELLS: Final[dict[str, Witness]] = {
    "POST /codec/decode": _told(
        AuditType.ENGINE_READ,
        seen_by="test_only_the_pages_that_are_named_may_ask_from_a_browser",
    ),
    "POST /v1/updates": _told(
        AuditType.UPDATE_SUBMITTED,
        seen_by="test_a_supervisor_gives_a_task_to_an_officer_who_is_told",
    ),
    "POST /v1/updates/{update_id}/resubmission": _told(
        AuditType.UPDATE_RESUBMITTED,
        seen_by="test_a_returned_update_is_repaired_and_goes_on",
    ),
    "POST /v1/updates/{update_id}/withdrawal": _told(
        AuditType.UPDATE_WITHDRAWN,
        seen_by="test_a_withdrawn_update_takes_no_further_act",
    ),
    "POST /v1/updates/{update_id}/unmask": _told(
        AuditType.UPDATE_READ_UNMASKED,
        seen_by="test_the_log_is_read_by_inspectors_of_the_area_and_tells_the_person_who_read_them",
    ),
    "POST /v1/updates/{update_id}/correction": _told(
        AuditType.UPDATE_SENT_BACK,
        seen_by="test_an_administrator_sends_a_stuck_case_back_and_it_is_verified_again",
    ),
    "POST /v1/updates/{update_id}/appeal": _told(
        AuditType.UPDATE_APPEALED,
        seen_by="test_of_two_appeals_at_once_one_is_taken_in",
    ),
    "POST /v1/updates/{update_id}/document-wait": _told(
        AuditType.UPDATE_DOCUMENT_AWAITED,
        seen_by="test_a_repair_waits_for_a_paper_and_goes_on_with_what_was_left",
    ),
    "POST /v1/updates/{update_id}/reopening": _told(
        AuditType.UPDATE_REOPENED,
        seen_by="test_of_two_who_reopen_at_once_one_does",
    ),
    "POST /v1/updates/{update_id}/document-wait/end": _told(
        AuditType.UPDATE_DOCUMENT_WAIT_ENDED,
        seen_by="test_a_repair_waits_for_a_paper_and_goes_on_with_what_was_left",
    ),
    "POST /v1/updates/{update_id}/opinion": _told(
        AuditType.TASK_AGREED,
        AuditType.TASK_DECIDED,
        seen_by="test_both_opinions_at_once_are_both_heard_and_the_case_goes_on_once",
    ),
    "POST /v1/updates/{update_id}/comments": _told(
        AuditType.UPDATE_COMMENTED,
        seen_by="test_the_same_comment_sent_at_once_is_said_once",
    ),
    "POST /v1/updates/{update_id}/hold": _told(
        AuditType.UPDATE_HOLD_PLACED,
        seen_by="test_a_hold_is_placed_shown_and_lifted_by_somebody_else",
    ),
    "POST /v1/updates/{update_id}/hold/lift": _told(
        AuditType.UPDATE_HOLD_LIFTED,
        seen_by="test_a_hold_is_placed_shown_and_lifted_by_somebody_else",
    ),
    "POST /v1/minutes": _told(
        AuditType.MINUTES_RECORDED,
        AuditType.MINUTES_SUPERSEDED,
        seen_by="test_paper_sent_again_under_its_key_is_recorded_once",
    ),
    "POST /v1/tasks/{task_id}/decision": _told(
        AuditType.TASK_DECIDED,
        AuditType.TASK_AGREED,
        seen_by="test_a_supervisor_gives_a_task_to_an_officer_who_is_told",
    ),
    "POST /v1/tasks/{task_id}/claim": _told(
        AuditType.TASK_CLAIMED,
        seen_by="test_a_supervisor_gives_a_task_to_an_officer_who_is_told",
    ),
    "POST /v1/tasks/{task_id}/release": _told(
        AuditType.TASK_RELEASED,
        seen_by="test_only_the_holder_or_who_manages_the_task_releases_it",
    ),
    "POST /v1/tasks/{task_id}/reassign": _told(
        AuditType.TASK_REASSIGNED,
        seen_by="test_a_supervisor_gives_a_task_to_an_officer_who_is_told",
    ),
    "POST /v1/tasks/{task_id}/extend": _told(
        AuditType.TASK_EXTENDED,
        seen_by="test_of_two_extensions_at_once_past_the_limit_one_is_refused",
    ),
    "POST /v1/tasks/{task_id}/escalation": _told(
        AuditType.TASK_ESCALATION_ORDERED,
        seen_by="test_a_case_climbs_by_hand_and_whoever_is_above_may_decide",
    ),
    "POST /v1/tasks/{task_id}/information-requests": _told(
        AuditType.UPDATE_INFORMATION_REQUESTED,
        seen_by="test_the_office_that_is_asked_answers_and_the_stage_goes_on_with_what_was_left",
    ),
    "POST /v1/information-requests/{question_id}/answer": _told(
        AuditType.UPDATE_INFORMATION_ANSWERED,
        seen_by="test_the_office_that_is_asked_answers_and_the_stage_goes_on_with_what_was_left",
    ),
    "POST /v1/information-requests/{question_id}/withdrawal": _told(
        AuditType.UPDATE_INFORMATION_WITHDRAWN,
        seen_by="test_who_asked_takes_it_back_or_who_manages_the_task",
    ),
    "POST /v1/tasks/{task_id}/ground-check": _told(
        AuditType.UPDATE_GROUND_CHECK_ASKED,
        seen_by="test_an_officer_has_somebody_look_and_decides_on_what_was_found",
    ),
    "POST /v1/tasks/{task_id}/ground-check-report": _told(
        AuditType.UPDATE_GROUND_CHECKED,
        seen_by="test_an_officer_has_somebody_look_and_decides_on_what_was_found",
    ),
    "POST /v1/updates/{update_id}/ground-reports/{report_id}/correction": _told(
        AuditType.UPDATE_GROUND_REPORT_CORRECTED,
        seen_by="test_a_wrong_report_is_superseded_once_by_whoever_filed_it",
    ),
    "POST /v1/areas/{code}/reference-point": _told(
        AuditType.AREA_LOCATED,
        seen_by="test_where_a_village_is_is_recorded_by_its_regency",
    ),
    "POST /v1/households/{household_id}/unmask": _told(
        AuditType.HOUSEHOLD_READ_UNMASKED,
        seen_by="test_the_log_is_read_by_inspectors_of_the_area_and_tells_the_person_who_read_them",
    ),
    "POST /v1/unmask-requests": _told(
        AuditType.UNMASKING_REQUESTED,
        seen_by="test_two_readers_at_once_get_no_more_than_was_approved",
    ),
    "POST /v1/unmask-requests/{request_id}/answer": _told(
        AuditType.UNMASKING_ANSWERED,
        seen_by="test_two_readers_at_once_get_no_more_than_was_approved",
    ),
    "POST /v1/unmask-requests/{request_id}/rows": _told(
        AuditType.UNMASKING_READ,
        seen_by="test_two_readers_at_once_get_no_more_than_was_approved",
    ),
    "PATCH /v1/evidence/uploads/{upload_id}": _told(
        AuditType.EVIDENCE_KEPT,
        AuditType.EVIDENCE_REFUSED,
        seen_by="test_a_photo_arrives_in_pieces_and_is_kept",
    ),
    "POST /v1/evidence/uploads/{upload_id}": _told(
        AuditType.EVIDENCE_KEPT,
        AuditType.EVIDENCE_REFUSED,
        seen_by="test_where_the_proxy_lets_no_patch_pass_a_post_does",
    ),
    "POST /v1/policies/{policy_id}/revocation": _told(
        AuditType.POLICY_REVOKED,
        seen_by="test_it_is_revoked_and_the_former_policy_holds_again",
    ),
    "POST /v1/policies/drafts": _told(
        AuditType.POLICY_DRAFTED,
        seen_by="test_from_draft_to_force_with_a_comment_and_its_answer",
    ),
    "POST /v1/policies/drafts/{draft_id}/revisions": _told(
        AuditType.POLICY_AMENDED,
        seen_by="test_nor_what_they_have_amended",
    ),
    "POST /v1/policies/drafts/{draft_id}/consultation": _told(
        AuditType.POLICY_CONSULTATION_OPENED,
        seen_by="test_from_draft_to_force_with_a_comment_and_its_answer",
    ),
    "POST /v1/policies/drafts/{draft_id}/withdrawal": _told(
        AuditType.POLICY_DRAFT_WITHDRAWN,
        seen_by="test_a_draft_that_was_withdrawn_ends_there_and_what_was_said_stays",
    ),
    "POST /v1/policies/drafts/{draft_id}/comments": _told(
        AuditType.POLICY_COMMENTED,
        seen_by="test_from_draft_to_force_with_a_comment_and_its_answer",
    ),
    "POST /v1/policies/drafts/{draft_id}/comments/{comment_id}/answer": _told(
        AuditType.POLICY_COMMENT_ANSWERED,
        seen_by="test_from_draft_to_force_with_a_comment_and_its_answer",
    ),
    "POST /v1/policies/drafts/{draft_id}/publication": _told(
        AuditType.POLICY_PUBLISHED,
        seen_by="test_from_draft_to_force_with_a_comment_and_its_answer",
    ),
    "POST /v1/policies/drafts/{draft_id}/emergency": _told(
        AuditType.POLICY_PUBLISHED_IN_EMERGENCY,
        seen_by="test_it_is_revoked_and_the_former_policy_holds_again",
    ),
    "POST /v1/users": _told(
        AuditType.ACCOUNT_CREATED,
        seen_by="test_account_is_made_appointed_changed_and_ended_and_every_act_is_in_its_trail",
    ),
    "PATCH /v1/users/{user_id}": _told(
        AuditType.ACCOUNT_CHANGED,
        AuditType.ACCOUNT_DISABLED,
        AuditType.ACCOUNT_ENABLED,
        seen_by="test_key_ends_when_it_expires_is_revoked_or_its_account_or_appointment_ends",
    ),
    "PUT /v1/users/{user_id}/password": _told(
        AuditType.ACCOUNT_PASSWORD_CHANGED,
        seen_by="test_role_above_ones_tier_is_above_ones_hand",
    ),
    "POST /v1/users/{user_id}/identities": _told(
        AuditType.ACCOUNT_IDENTITY_BOUND,
        seen_by="test_disabled_account_is_refused",
    ),
    "DELETE /v1/users/{user_id}/identities/{identity_id}": _told(
        AuditType.ACCOUNT_IDENTITY_UNBOUND,
        seen_by="test_administrator_binds_an_account_and_the_token_lets_in",
    ),
    "POST /v1/users/{user_id}/handover": _told(
        AuditType.ACCOUNT_HANDED_OVER,
        seen_by="test_role_above_ones_tier_is_above_ones_hand",
    ),
    "POST /v1/memberships": _told(
        AuditType.MEMBERSHIP_GRANTED,
        seen_by="test_offices_are_made_renamed_and_closed_once_they_are_empty",
    ),
    "PATCH /v1/memberships/{membership_id}": _told(
        AuditType.MEMBERSHIP_CHANGED,
        seen_by="test_account_is_made_appointed_changed_and_ended_and_every_act_is_in_its_trail",
    ),
    "POST /v1/memberships/{membership_id}/end": _told(
        AuditType.MEMBERSHIP_ENDED,
        seen_by="test_offices_are_made_renamed_and_closed_once_they_are_empty",
    ),
    "POST /v1/offices": _told(
        AuditType.OFFICE_CREATED,
        seen_by="test_offices_are_made_renamed_and_closed_once_they_are_empty",
    ),
    "PATCH /v1/offices/{office_id}": _told(
        AuditType.OFFICE_CHANGED,
        AuditType.OFFICE_CLOSED,
        seen_by="test_offices_are_made_renamed_and_closed_once_they_are_empty",
    ),
    "POST /v1/api-keys": _told(
        AuditType.API_KEY_MADE,
        seen_by="test_key_ends_when_it_expires_is_revoked_or_its_account_or_appointment_ends",
    ),
    "POST /v1/api-keys/{key_id}/rotation": _told(
        AuditType.API_KEY_ROTATED,
        seen_by="test_rotation_lets_both_secrets_in_for_the_overlap_and_then_the_new_one_alone",
    ),
    "DELETE /v1/api-keys/{key_id}": _told(
        AuditType.API_KEY_REVOKED,
        seen_by="test_key_ends_when_it_expires_is_revoked_or_its_account_or_appointment_ends",
    ),
    "PUT /v1/account-matches/{match_id}/verdict": _told(
        AuditType.ACCOUNT_MATCH_JUDGED,
        seen_by="test_verdict_is_revised",
    ),
    "POST /v1/delegations": _told(
        AuditType.DELEGATION_DECLARED,
        seen_by="test_who_stands_in_beyond_ones_area_is_beyond_it_as_long_as_they_do",
    ),
    "POST /v1/delegations/{delegation_id}/revocation": _told(
        AuditType.DELEGATION_ENDED,
        seen_by="test_who_stands_in_beyond_ones_area_is_beyond_it_as_long_as_they_do",
    ),
    "POST /v1/data-subject-requests": _told(
        AuditType.RIGHTS_REQUESTED,
        seen_by="test_objection_is_shown_answered_once_and_silence_is_listed",
    ),
    "POST /v1/data-subject-requests/{request_id}/answer": _told(
        AuditType.RIGHTS_ANSWERED,
        seen_by="test_objection_is_shown_answered_once_and_silence_is_listed",
    ),
    "POST /v1/auth/token": _told(
        AuditType.ACCOUNT_LOGGED_IN,
        AuditType.ACCOUNT_SESSION_ENDED,
        seen_by="test_password_is_given_by_an_administrator_and_shown_nowhere",
    ),
    "POST /v1/auth/revoke": _told(
        AuditType.ACCOUNT_SESSION_ENDED,
        seen_by="test_nothing_is_made_up_for_in_a_session_that_is_over",
    ),
    "POST /v1/auth/browser": _told(
        AuditType.ACCOUNT_LOGGED_IN,
        seen_by="test_cookie_and_access_token_together_are_refused",
    ),
    "DELETE /v1/auth/browser": _told(
        AuditType.ACCOUNT_SESSION_ENDED,
        seen_by="test_signing_out_ends_the_session_and_forgets_the_cookie",
    ),
    "DELETE /v1/auth/sessions/{session_id}": _told(
        AuditType.ACCOUNT_SESSION_ENDED,
        seen_by="test_one_lists_ones_own_sessions_and_ends_one",
    ),
    "DELETE /v1/auth/sessions": _told(
        AuditType.ACCOUNT_SIGNED_OUT_EVERYWHERE,
        seen_by="test_signing_out_everywhere_ends_every_session_and_nobody_elses",
    ),
    "POST /v1/suspensions": _told(
        AuditType.CLOCK_ORDER_ENTERED, seen_by="test_a_suspension_moves_the_deadlines_is_told_to_all_and_lifted"
    ),
    "POST /v1/suspensions/{order_id}/correction": _told(
        AuditType.CLOCK_ORDER_CORRECTED, seen_by="test_an_order_of_each_kind_is_corrected_and_lifted_in_the_trail"
    ),
    "POST /v1/suspensions/{order_id}/lift": _told(
        AuditType.CLOCK_ORDER_LIFTED, seen_by="test_an_order_of_each_kind_is_corrected_and_lifted_in_the_trail"
    ),
    "POST /v1/outages": _told(AuditType.CLOCK_ORDER_ENTERED, seen_by="test_who_may_order_and_what_is_refused"),
    "POST /v1/outages/{order_id}/correction": _told(
        AuditType.CLOCK_ORDER_CORRECTED, seen_by="test_an_order_of_each_kind_is_corrected_and_lifted_in_the_trail"
    ),
    "POST /v1/outages/{order_id}/lift": _told(
        AuditType.CLOCK_ORDER_LIFTED, seen_by="test_an_order_of_each_kind_is_corrected_and_lifted_in_the_trail"
    ),
    "POST /v1/calendars/{area_code}/versions": _told(
        AuditType.CALENDAR_PUBLISHED, seen_by="test_a_local_closing_moves_the_open_deadlines_and_says_so"
    ),
    "POST /v1/rounds": _told(
        AuditType.ROUND_PLANNED, seen_by="test_a_planned_round_is_told_to_all_shown_with_days_left_and_public"
    ),
    "POST /v1/rounds/{round_id}/rescheduling": _told(
        AuditType.ROUND_RESCHEDULED, seen_by="test_a_round_is_rescheduled_for_a_reason_and_keeps_what_it_said"
    ),
    "POST /v1/rounds/{round_id}/villages/{code}/moves": _told(
        AuditType.ROUND_LIST_MOVED,
        seen_by="test_a_move_by_hand_needs_a_reason_is_shown_and_stands_in_the_trail",
    ),
    "POST /v1/rounds/{round_id}/villages/{code}/signoffs": _told(
        AuditType.ROUND_PLAN_SIGNED,
        seen_by="test_a_village_proposes_two_offices_agree_and_the_plan_is_determined",
    ),
    "POST /v1/rounds/{round_id}/closing": _told(
        AuditType.ROUND_CLOSED, seen_by="test_a_round_is_closed_once_it_is_published_and_all_has_rolled_over"
    ),
    "POST /v1/evaluations": _told(
        AuditType.EVALUATION_REQUESTED, seen_by="test_an_evaluation_is_asked_for_measured_and_opened_down_to_its_cases"
    ),
}
"""Every call that changes something."""
TELLS_NOTHING: Final = {
    "POST /v1/callbacks/ministry": "an answer as it came, append-only; the event comes when the worker carries it out",
    "POST /v1/evidence/uploads": "how far a file has arrived; that it is kept or refused is an event",
    "DELETE /v1/evidence/uploads/{upload_id}": "a file that never arrived is nobody's evidence",
    "POST /v1/deadlines/preview": "it reckons, and changes nothing",
}
"""Calls that are no `GET` and change nothing that counts, each with its reason."""


class Event(NamedTuple):
    """What an event says of who did it, and under which request."""

    type: str
    actor: str | None
    role: str | None
    request: str | None


class Asked(NamedTuple):
    """A request that was answered."""

    endpoint: str
    request: str
    status: int
    actor: str | None


_asked: list[Asked] = []
_events: list[Event] = []

Line = Callable[..., dict[str, Any]]


def noting(line: Line) -> Line:
    """The line that the API logs of a request, noted as it is made."""

    def noted(*arguments: Any, **options: Any) -> dict[str, Any]:
        told = line(*arguments, **options)
        endpoint = f"{told['method']} {told['route']}"
        _asked.append(Asked(endpoint, told["request_id"], told["status"] or 0, told["actor"]))
        return told

    return noted


def note_events(events: list[Event]) -> None:
    """Events of a transaction that is about to be committed."""
    _events.extend(event for event in events if event.request is not None)


def take() -> list[tuple[Asked, list[Event]]]:
    """What succeeded since the last time this was asked and may change something, with its events."""
    told: dict[str | None, list[Event]] = {}
    for event in _events:
        told.setdefault(event.request, []).append(event)
    found = [
        (asked, told.get(asked.request, []))
        for asked in _asked
        if asked.endpoint.partition(" ")[0] in CHANGING and 200 <= asked.status < 400
    ]
    _asked.clear()
    _events.clear()
    return found


def unlike_what_is_declared(test: str, found: list[tuple[Asked, list[Event]]]) -> list[str]:
    """What is wrong with what was seen in a test, in words."""
    wrong = [
        f"{asked.endpoint} led to {', '.join(sorted({event.type for event in events}))}, by who asked"
        for asked, events in found
        if events and asked.endpoint in TELLS and not _tells(asked, events)
    ]
    seen = {asked.endpoint for asked, events in found if events}
    return wrong + [
        f"{endpoint} was not seen with its event"
        for endpoint, witness in TELLS.items()
        if witness.test == test and endpoint not in seen
    ]


def _tells(asked: Asked, events: list[Event]) -> bool:
    """Whether one of the events is of a declared type, and by whoever asked where the request says who that was."""
    types = TELLS[asked.endpoint].types
    return any(
        AuditType(event.type) in types and (asked.actor is None or event.actor == asked.actor) for event in events
    )
