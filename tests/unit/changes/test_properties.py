"""What holds of every change to every household, whatever the kinds and whoever was first."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, given

from domain.changes import (
    CHANGE_ADAPTER,
    Applied,
    Change,
    Conflicted,
    SplitHousehold,
    apply_change,
    check_change,
    diff_change,
)
from domain.circumstances import Address
from domain.household import Household, MemberStatus, check_household
from tests.unit.changes.strategies import changed_households, twice_changed_households
from tests.unit.families import TODAY, VILLAGE, context, ids


def apply(change: Change, base: Household, current: Household) -> Applied | Conflicted:
    return apply_change(
        change,
        base=base,
        current=current,
        area_code=VILLAGE,
        new_ids=ids(1000 * current.version),
        on=TODAY,
    )


def accepted(change: Change, household: Household) -> bool:
    return not check_change(change, context(household))


@given(changed_households())
def test_an_accepted_change_applies_and_leaves_sound_households(drawn: tuple[Household, Change]) -> None:
    household, change = drawn
    assume(accepted(change, household))
    result = apply(change, household, household)
    assert isinstance(result, Applied)
    assert all(check_household(h) == [] for h in result.households)
    assert result.households[0].version == household.version + 1
    assert result.households[0].desil == household.desil


@given(changed_households())
def test_nobody_is_lost_and_nobody_is_active_twice(drawn: tuple[Household, Change]) -> None:
    household, change = drawn
    assume(accepted(change, household))
    result = apply(change, household, household)
    assert isinstance(result, Applied)
    assert {m.id for m in household.members} <= {m.id for m in result.households[0].members}
    active = Counter(m.id for h in result.households for m in h.active_members)
    assert set(active.values()) <= {1}
    if isinstance(change, SplitHousehold):
        assert active.keys() == {m.id for m in household.active_members}


@given(changed_households())
def test_once_applied_nothing_differs_but_the_household_founded(drawn: tuple[Household, Change]) -> None:
    household, change = drawn
    assume(accepted(change, household))
    result = apply(change, household, household)
    assert isinstance(result, Applied)
    left = diff_change(change, result.households[0])
    assert all(d.pointer.startswith("/new_household/") for d in left)
    assert not left or isinstance(change, SplitHousehold)


@given(changed_households())
def test_reading_and_writing_change_neither_household_nor_change(drawn: tuple[Household, Change]) -> None:
    household, change = drawn
    assume(accepted(change, household))
    result = apply(change, household, household)
    assert isinstance(result, Applied)
    for written in result.households:
        assert Household.model_validate_json(written.model_dump_json()) == written
    assert CHANGE_ADAPTER.validate_json(CHANGE_ADAPTER.dump_json(change)) == change


@given(twice_changed_households())
def test_two_changes_of_one_version_merge_into_sound_households_or_say_why_not(
    drawn: tuple[Household, Change, Change],
) -> None:
    household, first, second = drawn
    assume(accepted(first, household) and accepted(second, household))
    earlier = apply(first, household, household)
    assert isinstance(earlier, Applied)
    later = apply(second, household, earlier.households[0])
    match later:
        case Applied(households=written):
            assert all(check_household(h) == [] for h in written)
        case Conflicted(conflicts=conflicts):
            assert conflicts


@given(twice_changed_households())
def test_changes_of_different_fields_come_to_the_same_in_either_order(drawn: tuple[Household, Change, Change]) -> None:
    household, first, second = drawn
    assume(accepted(first, household) and accepted(second, household))
    one, other = ({d.pointer for d in diff_change(c, household)} for c in (first, second))
    assume(not one & other)
    outcomes = [in_order(household, *pair) for pair in ((first, second), (second, first))]
    assert None in outcomes or outcomes[0] == outcomes[1]


def in_order(household: Household, first: Change, second: Change) -> object:
    """What both households hold, but for ids and order that applying hands out; None on conflict.

    The address of a household founded by a split is where the old one lived at that moment: it is left out.
    """
    earlier = apply(first, household, household)
    assert isinstance(earlier, Applied)
    later = apply(second, household, earlier.households[0])
    if isinstance(later, Conflicted):
        return None
    founded = [h.model_copy(update={"address": Address()}) for r in (earlier, later) for h in r.households[1:]]
    return [without_new_ids(h, household) for h in (later.households[0], *founded)]


def without_new_ids(household: Household, known: Household) -> object:
    ids_known = {m.id for m in known.members}
    members = sorted(
        (m.model_dump_json(exclude=set() if m.id in ids_known else {"id"}) for m in household.members),
    )
    return household.model_dump(exclude={"id", "members"}), members


@given(changed_households())
def test_a_change_never_revives_who_has_left(drawn: tuple[Household, Change]) -> None:
    household, change = drawn
    assume(accepted(change, household))
    result = apply(change, household, household)
    assert isinstance(result, Applied)
    gone = {m.id for m in result.households[0].members if m.status is not MemberStatus.ACTIVE}
    again = apply(change, result.households[0], result.households[0])
    if isinstance(again, Applied):
        assert gone <= {m.id for m in again.households[0].members if m.status is not MemberStatus.ACTIVE}
