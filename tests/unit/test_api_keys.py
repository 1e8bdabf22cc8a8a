"""How a key is written, and what of an account it carries."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.api_keys import KEY_PATTERN, check_scopes, key_id_of, new_api_key
from domain.authority import PERMISSIONS, Actor, Grant, Permission, Seat, deciding_seat
from domain.errors import Forbidden, NotFound
from domain.ids import new_id
from domain.policy import Power
from domain.vocabulary import Role, Stage

VILLAGE, DISTRICT, REGENCY, ELSEWHERE = "32.06.13.2001", "32.06.13", "32.06", "32.07"


def machine(*seats: tuple[Role, str]) -> Actor:
    held = tuple(Seat(role=role, office_id=new_id(), area_code=area) for role, area in seats)
    return Actor(user_id=new_id(), display_name="SIKS connector", seats=held)


@given(st.uuids())
def test_key_says_of_which_id_it_is(key_id: UUID) -> None:
    secret = new_api_key(key_id)
    assert re.fullmatch(KEY_PATTERN, secret)
    assert key_id_of(secret) == key_id
    assert new_api_key(key_id) != secret


@given(st.integers(min_value=6, max_value=77), st.sampled_from("0Az_-é\n"))
def test_one_wrong_character_is_seen_without_asking_anybody(place: int, character: str) -> None:
    secret = new_api_key(new_id())
    spoiled = secret[:place] + character + secret[place + 1 :]
    assert key_id_of(spoiled) is None or spoiled == secret


def test_what_is_cut_off_is_no_key() -> None:
    secret = new_api_key(new_id())
    for written in ("", "kawal_", "kawal_x_y", secret[:-1], secret + "0", secret + "\n", f" {secret}"):
        assert key_id_of(written) is None


@pytest.mark.parametrize(
    ("held", "of_key", "carried"),
    [
        (REGENCY, DISTRICT, DISTRICT),
        (DISTRICT, REGENCY, DISTRICT),
        (DISTRICT, DISTRICT, DISTRICT),
        ("*", VILLAGE, VILLAGE),
        (VILLAGE, "*", VILLAGE),
        (REGENCY, ELSEWHERE, None),
    ],
)
def test_key_carries_where_its_area_and_the_seats_meet(held: str, of_key: str, carried: str | None) -> None:
    asking = machine((Role.SERVICE, held)).by_key(new_id(), scopes=[Permission.UPDATES_READ], area_code=of_key)
    assert asking.areas == (() if carried is None else (carried,))
    assert asking.areas_with(Permission.UPDATES_READ) == asking.areas


@pytest.mark.parametrize("permission", list(Permission))
def test_key_carries_what_scope_and_role_both_allow(permission: Permission) -> None:
    asking = machine((Role.SERVICE, REGENCY)).by_key(new_id(), scopes=[permission], area_code=REGENCY)
    able = permission in PERMISSIONS[Role.SERVICE]
    assert asking.may_anywhere(permission) is able
    assert not any(asking.may_anywhere(other) for other in Permission if other is not permission)
    assert (check_scopes([permission]) == []) is able


def test_what_the_account_is_besides_comes_through_no_key() -> None:
    account = machine((Role.SERVICE, VILLAGE), (Role.ADMINISTRATOR, REGENCY), (Role.VILLAGE_OPERATOR, VILLAGE))
    asking = account.by_key(new_id(), scopes=Permission, area_code="*")
    assert asking.areas == (VILLAGE,)
    assert not asking.may_anywhere(Permission.PEOPLE_MANAGE)
    assert not asking.may_anywhere(Permission.UPDATES_REPAIR)


def test_machine_decides_nothing_whatever_a_task_grants() -> None:
    asking = machine((Role.SERVICE, REGENCY), (Role.REGENCY_VERIFIER, REGENCY)).by_key(
        new_id(), scopes=Permission, area_code=REGENCY
    )
    grants = [Grant(role=Role.REGENCY_VERIFIER, power=Power.DECIDE)]
    with pytest.raises(Forbidden):
        deciding_seat(asking, area_code=VILLAGE, stage=Stage.VERIFICATION, grants=grants, involvements=[])
    with pytest.raises(NotFound):
        deciding_seat(asking, area_code=ELSEWHERE, stage=Stage.VERIFICATION, grants=grants, involvements=[])
