"""The coded reasons: complete, bilingual, told to whom it concerns and hidden from whom it does not."""

from __future__ import annotations

import pytest

from domain.reasons import DEFAULT_REASONS, ReasonRule, ReasonUse
from domain.vocabulary import ROUTE_OUTCOMES, Outcome, ReasonCode

BY_CODE = {rule.code: rule for rule in DEFAULT_REASONS}
EVERY = pytest.mark.parametrize("rule", DEFAULT_REASONS, ids=lambda rule: rule.code.value)


def test_every_code_is_explained_once_and_in_order() -> None:
    assert [rule.code for rule in DEFAULT_REASONS] == list(ReasonCode)


@EVERY
def test_every_text_is_in_two_languages(rule: ReasonRule) -> None:
    texts = [text for text in (rule.label, rule.public_text, rule.paper) if text is not None]

    assert all(text.id != text.en for text in texts)


@EVERY
def test_what_is_returned_can_be_mended_by_somebody(rule: ReasonRule) -> None:
    if rule.use.allows(Outcome.RETURN):
        assert rule.who_mends != "nobody"


@pytest.mark.parametrize(
    ("use", "outcomes"),
    [
        (ReasonUse.RETURN, {Outcome.RETURN}),
        (ReasonUse.REJECT, {Outcome.REJECT}),
        (ReasonUse.BOTH, {Outcome.RETURN, Outcome.REJECT}),
        (ReasonUse.ROLL_OVER, set[Outcome]()),
    ],
)
def test_a_use_allows_its_outcomes_and_never_a_forward(use: ReasonUse, outcomes: set[Outcome]) -> None:
    assert {outcome for outcome in ROUTE_OUTCOMES if use.allows(outcome)} == outcomes


def test_the_tracking_page_of_a_death_or_a_suspicion_only_says_whom_to_ask() -> None:
    for code in (ReasonCode.DECEASED, ReasonCode.SUSPECTED_FALSE_STATEMENT):
        assert BY_CODE[code].public_text.id == "Hubungi PUSKESOS."


def test_automatic_returns_and_blurred_photos_do_not_count_towards_a_conflict() -> None:
    assert {rule.code for rule in DEFAULT_REASONS if not rule.substantive} == {
        ReasonCode.IDENTITY_MISMATCH,
        ReasonCode.IDENTITY_NO_DOCUMENT,
        ReasonCode.IDENTITY_NOT_FOUND,
        ReasonCode.DECEASED,
        ReasonCode.UNCLEAR_PHOTO,
        ReasonCode.QUOTA,
        ReasonCode.AFTER_CUTOFF,
    }


def test_quota_and_cutoff_are_counted_apart_and_the_cutoff_rolls_over() -> None:
    apart = {rule.code: rule.use for rule in DEFAULT_REASONS if not rule.fault_of_data}

    assert apart == {
        ReasonCode.QUOTA: ReasonUse.REJECT,
        ReasonCode.AFTER_CUTOFF: ReasonUse.ROLL_OVER,
    }
