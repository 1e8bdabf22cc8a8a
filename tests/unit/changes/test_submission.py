from __future__ import annotations

import pytest
from pydantic import ValidationError

from domain.changes import (
    CHANGE_ADAPTER,
    AddMember,
    check_change,
    required_evidence,
    spec_of,
)
from domain.evidence import EvidenceRef, EvidenceType
from domain.household import HouseholdStatus, Relation
from domain.vocabulary import Kind
from tests.unit.changes.samples import SAMPLES
from tests.unit.families import EVERY_PAPER, context, family, person


def paper(kind: EvidenceType) -> EvidenceRef:
    return EvidenceRef(type=kind, reference="470/12")


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_parts_and_is_read_by_its_name(kind: Kind) -> None:
    spec = spec_of(kind)
    assert spec.kind is kind
    assert spec.model.model_fields["kind"].default is kind
    assert spec.model.__name__ in str(CHANGE_ADAPTER.json_schema()["discriminator"]["mapping"][kind])


@pytest.mark.parametrize("kind", Kind)
def test_unknown_fields_and_unknown_kinds_are_refused(kind: Kind) -> None:
    with pytest.raises(ValidationError) as refused:
        CHANGE_ADAPTER.validate_python({"kind": kind, "desil": 1})
    assert "extra_forbidden" in {e["type"] for e in refused.value.errors()}
    with pytest.raises(ValidationError):
        CHANGE_ADAPTER.validate_python({"kind": "graduation"})


def test_a_validation_error_does_not_repeat_a_number() -> None:
    with pytest.raises(ValidationError) as refused:
        CHANGE_ADAPTER.validate_python({"kind": "new_household", "kk_number": ["3206130101100007"]})
    assert "3206130101100007" not in str(refused.value)


@pytest.mark.parametrize("kind", Kind)
def test_each_missing_group_of_papers_is_named_and_nothing_else(kind: Kind) -> None:
    base = family() if spec_of(kind).needs_household else None
    assert check_change(SAMPLES[kind], context(base)) == []
    for group in required_evidence(kind):
        others = tuple(e for e in EVERY_PAPER if e.type not in group)
        (missing,) = check_change(SAMPLES[kind], context(base, evidence=others))
        assert (missing.pointer, missing.code) == ("/evidence", "evidence_missing")
        assert all(paper_type in missing.remedy for paper_type in group)


@pytest.mark.parametrize("kind", Kind)
def test_a_change_is_read_back_from_json_as_it_was_submitted(kind: Kind) -> None:
    assert CHANGE_ADAPTER.validate_json(CHANGE_ADAPTER.dump_json(SAMPLES[kind])) == SAMPLES[kind]


def test_any_one_paper_of_a_group_is_enough() -> None:
    change = AddMember(member=person("Neng Siti", Relation.CHILD_IN_LAW, serial=7))
    for kind in next(iter(required_evidence(Kind.ADD_MEMBER))):
        assert check_change(change, context(family(), evidence=(paper(kind),))) == []
    found = check_change(change, context(family(), evidence=(paper(EvidenceType.HOUSE_PHOTO),)))
    assert [v.code for v in found] == ["evidence_missing"]


def test_a_change_to_a_household_names_one_of_the_village_that_has_not_ended() -> None:
    elsewhere = family().model_copy(update={"area_code": "32.06.13.2002"})
    ended = family().model_copy(update={"status": HouseholdStatus.MOVED_OUT})
    for base, code in (
        (None, "household_required"),
        (elsewhere, "household_not_found"),
        (ended, "household_not_active"),
    ):
        found = check_change(SAMPLES[Kind.CIRCUMSTANCES], context(base, evidence=EVERY_PAPER))
        assert [(v.pointer, v.code) for v in found] == [("/household_id", code)]
