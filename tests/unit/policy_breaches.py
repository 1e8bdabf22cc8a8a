"""For every rule about policies at least one change of the default policy that breaks it."""

from __future__ import annotations

from typing import NamedTuple

from tests.unit.policy_changes import Change, all_of, append, repeat, rung, shorten, to

REMINDER = {"after": {"share": 0.5}, "action": "remind", "to": "holder", "source": "test"}
ROUTE = {"stages": ["verification", "delivery"], "source": "test", "strength": "proposal"}
CREDIT = {"remoteness": 1, "working_days": 9, "source": "test", "strength": "proposal"}


class Breach(NamedTuple):
    rule: str
    change: Change
    pointer: str
    code: str


BREACHES = [
    Breach(
        "every_kind_has_exactly_one_route",
        to("/routes/1/kinds", ["death", "move_out"]),
        "/routes",
        "kind_without_route",
    ),
    Breach(
        "every_kind_has_exactly_one_route",
        to("/routes/1/kinds", ["death", "move_out", "identity_correction", "add_member"]),
        "/routes/1/kinds",
        "kind_with_two_routes",
    ),
    Breach(
        "every_route_has_a_name_and_a_kind_of_its_own",
        to("/routes/1/name", "standard"),
        "/routes/0/name",
        "route_name_taken",
    ),
    Breach(
        "every_route_has_a_name_and_a_kind_of_its_own",
        append("/routes", ROUTE | {"name": "empty", "kinds": []}),
        "/routes/3/kinds",
        "route_without_kind",
    ),
    Breach(
        "every_stage_of_a_route_is_defined",
        shorten("/stages"),
        "/routes/0/stages/4",
        "stage_not_defined",
    ),
    Breach(
        "every_stage_of_a_route_is_defined",
        to("/routes/0/stages/1", "repair"),
        "/routes/0/stages/1",
        "repair_on_a_route",
    ),
    Breach(
        "every_defined_stage_is_reached_by_a_route",
        to("/routes/0/stages", ["identity_check", "verification", "approval", "endorsement", "delivery"]),
        "/stages/1",
        "unreachable_stage",
    ),
    Breach(
        "no_route_passes_a_stage_twice",
        to("/routes/1/stages", ["verification", "approval", "verification", "delivery"]),
        "/routes/1/stages/2",
        "stage_repeated",
    ),
    Breach(
        "the_identity_check_comes_first",
        to("/routes/1/stages", ["verification", "identity_check", "approval", "delivery"]),
        "/routes/1/stages",
        "identity_check_not_first",
    ),
    Breach(
        "delivery_comes_last",
        to("/routes/1/stages", ["identity_check", "verification", "delivery", "approval"]),
        "/routes/1/stages",
        "delivery_not_last",
    ),
    Breach(
        "every_route_has_a_human_stage",
        to("/routes/1/stages", ["identity_check", "delivery"]),
        "/routes/1/stages",
        "route_without_decision",
    ),
    Breach(
        "with_a_ministry_every_route_ends_in_delivery",
        to("/routes/1/stages", ["identity_check", "verification", "approval"]),
        "/routes/1/stages",
        "route_without_delivery",
    ),
    Breach(
        "every_human_stage_is_defined_once",
        repeat("/stages", "/stages/0"),
        "/stages/4/stage",
        "stage_defined_twice",
    ),
    Breach(
        "every_human_stage_is_defined_once",
        repeat("/stages", "/repair"),
        "/stages/4/stage",
        "not_a_human_stage",
    ),
    Breach(
        "every_human_stage_has_deciders",
        to("/stages/2/deciders", []),
        "/stages/2/deciders",
        "stage_without_decider",
    ),
    Breach(
        "every_human_stage_has_deciders",
        to("/repair/deciders", []),
        "/repair/deciders",
        "stage_without_decider",
    ),
    Breach(
        "deciders_hold_a_role_that_may_decide",
        to("/stages/0/deciders", ["puskesos_officer", "village_operator"]),
        "/stages/0/deciders/1",
        "role_may_not_decide",
    ),
    Breach(
        "deciders_hold_a_role_that_may_decide",
        append("/stages/0/ladder", rung("evaluator", grants=["decide"])),
        "/stages/0/ladder/4",
        "role_may_not_decide",
    ),
    Breach(
        "a_human_stage_can_say_yes_and_something_else",
        to("/stages/2/outcomes", ["forward"]),
        "/stages/2/outcomes",
        "outcomes_too_few",
    ),
    Breach(
        "a_human_stage_can_say_yes_and_something_else",
        to("/stages/2/outcomes", ["return", "reject"]),
        "/stages/2/outcomes",
        "outcomes_too_few",
    ),
    Breach(
        "repair_is_mended_and_not_decided",
        to("/repair/stage", "approval"),
        "/repair/stage",
        "repair_stage_expected",
    ),
    Breach(
        "repair_is_mended_and_not_decided",
        to("/repair/outcomes", ["forward"]),
        "/repair/outcomes",
        "repair_has_outcomes",
    ),
    Breach(
        "repair_is_mended_and_not_decided",
        to("/repair/deciders", ["regent"]),
        "/repair/deciders/0",
        "role_may_not_act",
    ),
    Breach(
        "the_village_decides_its_own_deliberation",
        to("/stages/1/ladder/1/grants", ["decide", "manage"]),
        "/stages/1/ladder/1",
        "deliberation_decided_outside_village",
    ),
    Breach(
        "the_village_decides_its_own_deliberation",
        to("/stages/1/deciders", ["village_head", "puskesos_officer"]),
        "/stages/1/deciders/1",
        "deliberation_decided_outside_village",
    ),
    Breach(
        "whoever_waives_the_identity_check_may_decide",
        to("/identity/waiver_role", "administrator"),
        "/identity/waiver_role",
        "role_may_not_decide",
    ),
    Breach(
        "no_wait_is_longer_than_three_years",
        to("/stages/2/deadline", {"working_days": 751}),
        "/stages/2/deadline",
        "wait_too_long",
    ),
    Breach(
        "no_wait_is_longer_than_three_years",
        to("/digest_every", {"calendar_days": 1096}),
        "/digest_every",
        "wait_too_long",
    ),
    Breach(
        "no_wait_is_longer_than_three_years",
        to("/repair/ladder/3/after", {"elapsed": "P1095DT1S"}),
        "/repair/ladder/3/after",
        "wait_too_long",
    ),
    Breach(
        "no_wait_is_longer_than_three_years",
        to("/stages/1/deadline/at_least/working_days", 751),
        "/stages/1/deadline/at_least",
        "wait_too_long",
    ),
    Breach(
        "extensions_stay_within_three_years",
        all_of(to("/extension_limit/times", 8), to("/extension_limit/working_days", 100)),
        "/extension_limit",
        "extension_too_long",
    ),
    Breach(
        "each_remoteness_class_has_one_credit",
        append("/remoteness_credits", CREDIT),
        "/remoteness_credits/2/remoteness",
        "remoteness_credited_twice",
    ),
    Breach("no_ladder_is_empty", to("/stages/3/ladder", []), "/stages/3/ladder", "empty_ladder"),
    Breach("no_ladder_is_empty", to("/repair/ladder", []), "/repair/ladder", "empty_ladder"),
    Breach("no_ladder_is_empty", to("/delivery/ladder", []), "/delivery/ladder", "empty_ladder"),
    Breach(
        "every_ladder_escalates",
        to("/stages/0/ladder", [REMINDER]),
        "/stages/0/ladder",
        "ladder_without_escalation",
    ),
    Breach(
        "rungs_come_in_time_order",
        to("/stages/0/ladder/2/after", {"share": 0.7}),
        "/stages/0/ladder/2/after",
        "rungs_out_of_order",
    ),
    Breach(
        "rungs_come_in_time_order",
        to("/stages/0/ladder/3/after", {"working_days": 2}),
        "/stages/0/ladder/3/after",
        "rungs_out_of_order",
    ),
    Breach(
        "a_ladder_counts_time_past_the_deadline_in_one_way",
        to("/stages/0/ladder/3/after", {"elapsed": "P30D"}),
        "/stages/0/ladder",
        "rungs_not_comparable",
    ),
    Breach(
        "an_escalation_reaches_somebody_new",
        to("/stages/3/ladder/1/to", "regency_head"),
        "/stages/3/ladder/1/to",
        "escalation_to_the_same",
    ),
    Breach(
        "an_escalation_reaches_somebody_new",
        to("/stages/0/ladder/3/to", "regency_head"),
        "/stages/0/ladder/3/to",
        "escalation_to_the_same",
    ),
    Breach(
        "an_escalation_reaches_somebody_new",
        to("/stages/0/ladder/1/to", "holder"),
        "/stages/0/ladder/1/to",
        "escalation_to_the_same",
    ),
    Breach(
        "an_escalation_goes_to_a_role_that_can_act",
        to("/delivery/ladder/3/to", "evaluator"),
        "/delivery/ladder/3/to",
        "role_may_not_act",
    ),
    Breach(
        "an_escalation_grants_power_and_a_reminder_none",
        to("/stages/0/ladder/2/grants", []),
        "/stages/0/ladder/2/grants",
        "grants_do_not_fit_action",
    ),
    Breach(
        "an_escalation_grants_power_and_a_reminder_none",
        to("/stages/0/ladder/0/grants", ["manage"]),
        "/stages/0/ladder/0/grants",
        "grants_do_not_fit_action",
    ),
    Breach(
        "a_decision_is_granted_only_where_one_is_taken",
        to("/repair/ladder/1/grants", ["decide"]),
        "/repair/ladder/1/grants",
        "nothing_to_decide",
    ),
    Breach(
        "only_a_stage_with_a_holder_reminds_the_holder",
        to("/delivery/ladder/0/to", "holder"),
        "/delivery/ladder/0/to",
        "no_holder",
    ),
    Breach(
        "no_rung_leaves_a_later_stage_without_a_decider",
        all_of(to("/stages/2/ladder/2/grants", ["decide"]), to("/stages/3/ladder/2/grants", ["manage"])),
        "/stages/2/ladder/2",
        "later_stage_without_decider",
    ),
    Breach(
        "every_reason_code_is_explained_once",
        shorten("/reasons"),
        "/reasons",
        "reason_missing",
    ),
    Breach(
        "every_reason_code_is_explained_once",
        repeat("/reasons", "/reasons/0"),
        "/reasons/19/code",
        "reason_explained_twice",
    ),
    Breach(
        "every_possible_outcome_has_a_reason",
        all_of(*(to(f"/reasons/{i}/use", "reject") for i in range(19))),
        "/stages/0/outcomes",
        "outcome_without_reason",
    ),
    Breach(
        "a_return_names_who_can_mend_it",
        to("/reasons/0/who_mends", "nobody"),
        "/reasons/0/who_mends",
        "return_nobody_can_mend",
    ),
    Breach(
        "what_comes_after_the_cutoff_rolls_over",
        to("/reasons/17/use", "reject"),
        "/reasons/17/use",
        "roll_over_is_for_the_cutoff",
    ),
    Breach(
        "what_comes_after_the_cutoff_rolls_over",
        to("/reasons/0/use", "roll_over"),
        "/reasons/0/use",
        "roll_over_is_for_the_cutoff",
    ),
    Breach(
        "quota_and_cutoff_are_no_fault_of_the_data",
        to("/reasons/16/fault_of_data", value=True),
        "/reasons/16",
        "not_a_fault_of_the_data",
    ),
    Breach(
        "sealed_reasons_send_the_citizen_to_puskesos",
        to("/reasons/4/public_text/id", "Tercatat meninggal."),
        "/reasons/4/public_text/id",
        "sealed_reason_shown",
    ),
    Breach(
        "a_quorum_can_be_reached",
        to("/stages/3/quorum", {"at_least": 2}),
        "/stages/3/quorum/at_least",
        "quorum_out_of_reach",
    ),
    Breach("a_repair_is_nobodys_vote", to("/repair/quorum", "all"), "/repair/quorum", "repair_has_quorum"),
    Breach(
        "a_repair_is_nobodys_vote",
        to("/repair/on_exhausted", "deemed_forward"),
        "/repair/on_exhausted",
        "repair_is_not_deemed",
    ),
    Breach(
        "silence_never_speaks_for_the_village",
        to("/stages/1/on_exhausted", "deemed_forward"),
        "/stages/1/on_exhausted",
        "deliberation_is_not_deemed",
    ),
    Breach(
        "everything_kept_has_at_most_one_period",
        repeat("/retention", "/retention/0"),
        "/retention/10/subject",
        "retention_named_twice",
    ),
    Breach(
        "what_can_be_appealed_is_kept",
        to("/retention/1/period", "P59D"),
        "/retention/1/period",
        "retention_shorter_than_appeal",
    ),
    Breach(
        "a_publication_waits_for_a_time",
        to("/publication/consultation", {"window_close": "musdes", "at_least": {"working_days": 3}}),
        "/publication/consultation",
        "publication_without_a_time",
    ),
    Breach(
        "an_emergency_outlasts_its_consultation",
        to("/publication/emergency", {"working_days": 5}),
        "/publication/emergency",
        "emergency_too_short",
    ),
    Breach(
        "an_emergency_outlasts_its_consultation",
        to("/publication/emergency", {"calendar_days": 30}),
        "/publication/emergency",
        "publication_not_comparable",
    ),
    Breach(
        "a_quorum_counts_each_group_once",
        repeat("/minutes/quorum", "/minutes/quorum/0"),
        "/minutes/quorum/5/group",
        "group_counted_twice",
    ),
    Breach(
        "minutes_are_signed_by_the_village",
        to("/minutes/signers", ["village_operator"]),
        "/minutes/signers",
        "minutes_without_head",
    ),
    Breach(
        "minutes_are_signed_by_the_village",
        append("/minutes/signers", "regency_head"),
        "/minutes/signers/2",
        "signer_outside_village",
    ),
    Breach(
        "a_human_stage_can_say_yes_and_something_else",
        to("/stages/0/outcomes", ["forward", "return", "uphold"]),
        "/stages/0/outcomes",
        "outcome_of_an_appeal",
    ),
    Breach(
        "every_human_stage_has_deciders",
        to("/appeals/tiers/0/deciders", []),
        "/appeals/tiers/0/deciders",
        "stage_without_decider",
    ),
    Breach(
        "deciders_hold_a_role_that_may_decide",
        to("/conflicts/disputes/2/decider", "regent"),
        "/conflicts/disputes/2/decider",
        "role_may_not_decide",
    ),
    Breach("no_ladder_is_empty", to("/appeals/tiers/1/ladder", []), "/appeals/tiers/1/ladder", "empty_ladder"),
    Breach("no_ladder_is_empty", to("/conflicts/opinion/ladder", []), "/conflicts/opinion/ladder", "empty_ladder"),
    Breach(
        "every_rejection_is_heard_by_one_tier",
        to("/appeals/tiers/0/hears", ["verification"]),
        "/appeals/tiers",
        "rejection_without_appeal",
    ),
    Breach(
        "every_rejection_is_heard_by_one_tier",
        to("/appeals/tiers/0/hears", ["verification", "deliberation", "approval"]),
        "/appeals/tiers",
        "appeal_ambiguous",
    ),
    Breach(
        "an_appeal_is_heard_above_who_rejected",
        to("/appeals/tiers/1/deciders", ["regency_head"]),
        "/appeals/tiers/1/deciders/0",
        "appeal_to_the_same",
    ),
    Breach(
        "an_appeal_is_heard_above_who_rejected",
        to("/appeals/tiers/0/resumes_at", "repair"),
        "/appeals/tiers/0/resumes_at",
        "appeal_resumes_nowhere",
    ),
    Breach(
        "a_conflict_is_decided_outside_both_offices",
        to("/conflicts/disputes/2/decider", "regency_head"),
        "/conflicts/disputes/2/decider",
        "conflict_decided_by_a_side",
    ),
    Breach(
        "a_conflict_is_decided_outside_both_offices",
        to("/conflicts/disputes/2/speaks_against", "village_head"),
        "/conflicts/disputes/2/speaks_against",
        "conflict_of_one_side",
    ),
    Breach(
        "each_stage_has_one_dispute_and_each_dispute_a_cause",
        to("/conflicts/disputes/0/objecting", ["verification", "approval"]),
        "/conflicts/disputes/2/objecting",
        "dispute_ambiguous",
    ),
    Breach(
        "each_stage_has_one_dispute_and_each_dispute_a_cause",
        to("/conflicts/disputes/0/return_count", None),
        "/conflicts/disputes/0",
        "dispute_never_opens",
    ),
    Breach(
        "an_opinion_only_speaks_and_ends_in_time",
        to("/conflicts/opinion/ladder/1/after", {"working_days": 1}),
        "/conflicts/opinion/ladder/1/after",
        "rung_past_the_end",
    ),
    Breach(
        "an_opinion_only_speaks_and_ends_in_time",
        to("/conflicts/opinion/ladder/1/grants", ["decide"]),
        "/conflicts/opinion/ladder/1/grants",
        "nothing_to_decide",
    ),
]
