from __future__ import annotations

from domain.changes import Applied, CircumstancesChange, Objection, apply_change, check_change, without_objector
from domain.changes.objection import Ground
from domain.circumstances import Floor
from domain.vocabulary import Kind
from tests.unit.changes.samples import SAMPLES
from tests.unit.families import TODAY, VILLAGE, context, family, ids


def test_an_objection_that_is_upheld_sets_the_facts_and_their_age() -> None:
    change = SAMPLES[Kind.OBJECTION]
    assert check_change(change, context(family())) == []
    result = apply_change(change, base=family(), current=family(), area_code=VILLAGE, new_ids=ids(), on=TODAY)
    assert isinstance(result, Applied)
    (after,) = result.households
    assert (after.circumstances.floor, after.circumstances.cars) == (Floor.CERAMIC, 2)
    assert (after.last_verified_on, after.members) == (TODAY, family().members)


def test_one_without_facts_changes_nothing_but_when_they_were_looked_at() -> None:
    change = Objection(ground=Ground.NOT_LIVING_HERE, statement="Rumah kosong sejak Lebaran.")
    result = apply_change(change, base=family(), current=family(), area_code=VILLAGE, new_ids=ids(), on=TODAY)
    assert isinstance(result, Applied)
    expected = family().model_copy(update={"version": family().version + 1, "last_verified_on": TODAY})
    assert result.households == (expected,)


def test_the_objector_is_left_out_and_nothing_else() -> None:
    change = SAMPLES[Kind.OBJECTION]
    assert isinstance(change, Objection)
    sealed = without_objector(change)
    assert sealed == change.model_copy(update={"objector": None})
    other = CircumstancesChange()
    assert without_objector(other) is other


def test_the_objector_does_not_appear_where_values_are_printed() -> None:
    assert "Yayat" not in repr(SAMPLES[Kind.OBJECTION])
