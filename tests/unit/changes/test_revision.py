from __future__ import annotations

from datetime import date

import pytest

from domain.changes import AddMember, Change, Death, FieldGroup, NewHousehold, revised, touched
from domain.circumstances import Circumstances, Floor
from domain.household import Relation
from domain.lifecycle import DECIDES_ON
from domain.vocabulary import Kind
from tests.unit.changes.samples import SAMPLES
from tests.unit.families import CHILD, person

IDENTITY, MEMBERS, CIRCUMSTANCES, ADDRESS, EVENT, PROGRAMMES = FieldGroup


def proposal(**fields: object) -> NewHousehold:
    sample = SAMPLES[Kind.NEW_HOUSEHOLD]
    assert isinstance(sample, NewHousehold)
    return sample.model_copy(update=fields)


@pytest.mark.parametrize(
    ("kind", "groups"),
    [
        (Kind.NEW_HOUSEHOLD, {IDENTITY, MEMBERS, CIRCUMSTANCES, ADDRESS}),
        (Kind.CIRCUMSTANCES, {CIRCUMSTANCES, ADDRESS}),
        (Kind.IDENTITY_CORRECTION, {IDENTITY, MEMBERS}),
        (Kind.ADD_MEMBER, {IDENTITY, MEMBERS}),
        (Kind.DEATH, {IDENTITY, MEMBERS, EVENT}),
        (Kind.MOVE_OUT, {IDENTITY, MEMBERS, EVENT}),
        (Kind.SPLIT_HOUSEHOLD, {IDENTITY, MEMBERS}),
        (Kind.MOVE_IN, {IDENTITY, MEMBERS, CIRCUMSTANCES, ADDRESS, EVENT}),
        (Kind.CHANGE_HEAD, {IDENTITY, MEMBERS}),
        (Kind.MERGE_DUPLICATES, {IDENTITY, MEMBERS}),
        (Kind.GRADUATION, {PROGRAMMES, EVENT, CIRCUMSTANCES}),
        (Kind.SELF_WITHDRAWAL, {PROGRAMMES, EVENT, IDENTITY, MEMBERS}),
        (Kind.PROGRAMME_PROPOSAL, {PROGRAMMES, IDENTITY, MEMBERS}),
        (Kind.PBI_REACTIVATION, {IDENTITY, MEMBERS, EVENT}),
        (Kind.OBJECTION, {EVENT, CIRCUMSTANCES}),
    ],
)
def test_each_kind_touches_the_groups_it_is_about(kind: Kind, groups: set[FieldGroup]) -> None:
    assert touched(SAMPLES[kind]) == groups


def test_a_repair_that_says_the_same_alters_nothing() -> None:
    for change in SAMPLES.values():
        assert revised(change, change.model_copy()) == frozenset()


@pytest.mark.parametrize(
    ("after", "groups"),
    [
        (proposal(kk_number="3206130203260003"), {IDENTITY}),
        (proposal(circumstances=Circumstances(floor=Floor.WOOD)), {CIRCUMSTANCES}),
        (proposal(circumstances=Circumstances()), {CIRCUMSTANCES}),
        (proposal(address=proposal().address.model_copy(update={"rt": "004"})), {ADDRESS}),
        (proposal(members=(*proposal().members, person("Cep Iwan", Relation.CHILD))), {IDENTITY, MEMBERS}),
    ],
)
def test_a_repair_alters_the_groups_of_the_fields_that_differ(after: Change, groups: set[FieldGroup]) -> None:
    assert revised(proposal(), after) == groups
    assert revised(after, proposal()) == groups


def test_a_mended_name_leaves_the_musdes_alone_and_another_date_of_death_the_identity() -> None:
    sample = SAMPLES[Kind.ADD_MEMBER]
    assert isinstance(sample, AddMember)
    renamed = AddMember(member=sample.member.model_copy(update={"name": "Neng Siti Nurjanah"}))
    assert revised(sample, renamed) == {IDENTITY}
    death = SAMPLES[Kind.DEATH]
    assert isinstance(death, Death)
    assert revised(death, death.model_copy(update={"died_on": date(2026, 2, 26)})) == {EVENT}
    assert revised(death, death.model_copy(update={"member_id": CHILD.id})) == {IDENTITY, MEMBERS}


def test_every_group_is_judged_by_some_stage_and_no_stage_judges_an_unknown_one() -> None:
    assert frozenset[str]().union(*DECIDES_ON.values()) == set(FieldGroup)
