"""Which files may stand behind which case, over every way in which they may differ."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.evidence import (
    FAULT_TEXTS,
    ContentFault,
    Coordinates,
    EvidenceRef,
    EvidenceType,
    HeldEvidence,
    MediaType,
    Naming,
    check_named,
    evidence_ids,
)

FILE, ME, OTHER, CASE, ELSEWHERE = (UUID(int=n) for n in range(5))
HERE, NEXT_DOOR = "32.06.13.2001", "32.06.13.2002"


def named(kind: EvidenceType = EvidenceType.KK) -> EvidenceRef:
    return EvidenceRef(type=kind, evidence_id=FILE)


@pytest.mark.parametrize(
    ("owner", "area", "bound_to", "erased", "case"),
    list(product((ME, OTHER), (HERE, NEXT_DOOR), (None, CASE, ELSEWHERE), (False, True), (None, CASE))),
)
def test_a_file_is_named_by_its_uploader_in_its_area_for_one_case(
    owner: UUID, area: str, bound_to: UUID | None, *, erased: bool, case: UUID | None
) -> None:
    gone = datetime(2026, 11, 1, tzinfo=UTC) if erased else None
    held = HeldEvidence(FILE, area, EvidenceType.KK, owner, bound_to, gone)
    found = [each.code for each in check_named([named()], {FILE: held}, Naming(ME, HERE, case))]
    has_it_already = bound_to is not None and bound_to == case
    if erased or area != HERE or (owner != ME and not has_it_already):
        assert found == ["evidence_unknown"]
    elif bound_to is not None and not has_it_already:
        assert found == ["evidence_in_other_case"]
    else:
        assert found == []


def test_papers_by_number_are_nobodys_files() -> None:
    paper = EvidenceRef(type=EvidenceType.KK, reference="KK")
    assert evidence_ids([paper, named(), named()]) == [FILE]
    assert check_named([paper, paper], {}, Naming(ME, HERE, None)) == []


def test_either_a_file_or_a_number_is_needed_and_an_old_request_reads_as_before() -> None:
    with pytest.raises(ValidationError, match="evidence_id"):
        EvidenceRef(type=EvidenceType.KK)
    old = EvidenceRef(type=EvidenceType.KK, reference="x")
    assert old.model_dump_json() == '{"type":"kk","reference":"x","note":null}'


def test_every_fault_is_explained_and_every_type_has_an_ending() -> None:
    assert set(FAULT_TEXTS) == set(ContentFault)
    assert {each.suffix for each in MediaType} == {"jpg", "png", "webp", "pdf"}


@pytest.mark.parametrize("value", [90.1, -91, float("nan"), float("inf")])
def test_no_such_latitude(value: float) -> None:
    with pytest.raises(ValidationError):
        Coordinates(latitude=value, longitude=0, source="photo")
