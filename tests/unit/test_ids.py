"""Identifiers are made by one function and read by its twin."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import NotFound
from domain.ids import (
    act_update_id,
    new_id,
    new_tracking_code,
    normalise_tracking_code,
    push_key,
    update_id_of,
    workflow_id,
)


def test_ids_sort_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert {one.version for one in made} == {7}


@given(st.uuids())
def test_workflow_id_gives_its_update_back(update_id: UUID) -> None:
    assert update_id_of(workflow_id(update_id)) == update_id


@pytest.mark.parametrize("foreign", ["", "bulk/1", "household-update/", "household-update/not-a-uuid"])
def test_foreign_workflow_id_is_no_update(foreign: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        update_id_of(foreign)


def test_tracking_codes_are_four_groups_of_symbols_that_nobody_confuses() -> None:
    codes = {new_tracking_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)


def test_code_is_read_however_a_person_types_it() -> None:
    code = "A01B-C1D0-EFGH-JKMN"
    for written in (code, code.lower(), "AOIB CLDO EFGH JKMN", "a0lbcidoefghjkmn", " A01B-C1D0 EFGH-JKMN "):
        assert normalise_tracking_code(written) == code


@pytest.mark.parametrize("written", ["", "A01B", "A01B-C1D0-EFGH-JKMU", "A01B-C1D0-EFGH-JKMN-P", "A01B-C1D0-EFGH-JK!N"])
def test_what_cannot_be_a_code_is_not_found(written: str) -> None:
    with pytest.raises(NotFound):
        normalise_tracking_code(written)


def test_act_and_push_keep_their_name_however_often_they_are_tried() -> None:
    update_id, task_id = uuid4(), uuid4()
    assert act_update_id(update_id) == act_update_id(update_id)
    assert push_key(update_id, task_id=task_id) == push_key(update_id, task_id=task_id)
    assert push_key(update_id, task_id=task_id) != push_key(update_id, task_id=uuid4())
