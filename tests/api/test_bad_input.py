"""Every bad submission: the status, the stable code, the place, and that nothing of it was stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devstack.demo_people import CIKUBANG, TARAJU
from domain.policy import default_policy
from domain.vocabulary import Kind
from tests.api.conftest import Office
from tests.api.proposals import NIK_OF_UJANG, death, new_household, newborn
from tests.api.test_submit import counts, submit
from tests.scene import household_of

pytestmark = pytest.mark.embedded

Body = dict[str, Any]
Spoil = Callable[[Body], None]
NOBODY = "00000000-0000-4000-8000-000000000000"


def tomorrow() -> str:
    return (datetime.now(UTC).date() + timedelta(days=2)).isoformat()


def _member(body: Body, place: int) -> Body:
    return body["change"]["members"][place]


def malformed_nik(body: Body) -> None:
    _member(body, 0)["nik"] = "3206-13"


def malformed_kk(body: Body) -> None:
    body["change"]["kk_number"] = "32061312031500711"


def nik_with_a_nul(body: Body) -> None:
    _member(body, 0)["nik"] = NIK_OF_UJANG[:15] + "\0"


def nik_of_another_birth_date(body: Body) -> None:
    _member(body, 0)["birth_date"] = "1982-04-10"


def same_nik_twice(body: Body) -> None:
    _member(body, 1).update(nik=NIK_OF_UJANG, birth_date="1982-04-09", sex="male")


def two_heads(body: Body) -> None:
    _member(body, 1)["relation"] = "head"


def no_evidence(body: Body) -> None:
    body["evidence"] = []


def born_in_the_future(body: Body) -> None:
    _member(body, 1)["birth_date"] = tomorrow()


def household_named_for_a_new_one(body: Body) -> None:
    body["household_id"] = str(household_of().id)


def version_without_a_household(body: Body) -> None:
    body["household_version"] = 1


def nul_in_a_name(body: Body) -> None:
    _member(body, 0)["name"] = "Ujang\0"


def lone_surrogate(body: Body) -> None:
    _member(body, 0)["name"] = "Ujang \ud83d"


def unknown_kind(body: Body) -> None:
    body["change"]["kind"] = "resurrection"


def no_kind(body: Body) -> None:
    del body["change"]["kind"]


def unknown_field(body: Body) -> None:
    body["change"]["desil"] = 1


def thirty_one_members(body: Body) -> None:
    body["change"]["members"] *= 16


NEW_HOUSEHOLDS: list[tuple[Spoil, str, str]] = [
    (malformed_nik, "/change/members/0/nik", "nik_malformed"),
    (nik_with_a_nul, "/change/members/0/nik", "nik_malformed"),
    (malformed_kk, "/change/kk_number", "kk_malformed"),
    (nik_of_another_birth_date, "/change/members/0/nik", "nik_birth_date_differs"),
    (same_nik_twice, "/change/members/1/nik", "nik_duplicate"),
    (two_heads, "/change/members/1/relation", "one_head_required"),
    (no_evidence, "/evidence", "evidence_missing"),
    (born_in_the_future, "/change/members/1/birth_date", "date_in_future"),
    (household_named_for_a_new_one, "/household_id", "household_not_expected"),
    (version_without_a_household, "/household_version", "household_version_not_expected"),
    (nul_in_a_name, "/change/members/0/name", "value_refused"),
    (lone_surrogate, "/change/members/0/name", "wrong_type"),
    (unknown_kind, "/change/kind", "value_unknown"),
    (no_kind, "/change/kind", "field_missing"),
    (unknown_field, "/change/desil", "field_unknown"),
    (thirty_one_members, "/change/members", "value_refused"),
]


@pytest.mark.parametrize(("spoil", "pointer", "code"), NEW_HOUSEHOLDS, ids=lambda value: getattr(value, "__name__", ""))
async def test_a_bad_new_household_is_refused_at_its_place(
    office: Office,
    spoil: Spoil,
    pointer: str,
    code: str,
) -> None:
    body = new_household()
    spoil(body)
    await _refused(office, body, pointer=pointer, code=code)


def death_in_the_future(body: Body) -> None:
    body["change"]["died_on"] = tomorrow()


def death_of_a_stranger(body: Body) -> None:
    body["change"]["member_id"] = NOBODY


def version_to_come(body: Body) -> None:
    body["household_version"] = 7


def no_household(body: Body) -> None:
    del body["household_id"]


def date_as_a_number(body: Body) -> None:
    body["change"]["died_on"] = 20000


DEATHS: list[tuple[Spoil, str, str]] = [
    (death_in_the_future, "/change/died_on", "date_in_future"),
    (death_of_a_stranger, "/change/member_id", "member_unknown"),
    (version_to_come, "/household_version", "household_version_unknown"),
    (no_household, "/household_id", "household_required"),
    (no_evidence, "/evidence", "evidence_missing"),
    (date_as_a_number, "/change/died_on", "value_refused"),
]


@pytest.mark.parametrize(("spoil", "pointer", "code"), DEATHS, ids=lambda value: getattr(value, "__name__", ""))
async def test_a_bad_death_is_refused_at_its_place(office: Office, spoil: Spoil, pointer: str, code: str) -> None:
    body = death()
    spoil(body)
    await _refused(office, body, pointer=pointer, code=code)


async def test_a_split_that_forgets_a_member_is_refused(office: Office) -> None:
    household = next(h for h in map(household_of, range(8)) if len(h.active_members) >= 4)
    head, leaving, *rest = household.active_members
    body: Body = {
        "area_code": household.area_code,
        "household_id": str(household.id),
        "change": {
            "kind": "split_household",
            "kk_number": "3206131203150099",
            "circumstances": {},
            "leaving": [{"member_id": str(leaving.id), "relation": "head"}],
            "staying": [{"member_id": str(m.id), "relation": m.relation} for m in (head, *rest[1:])],
        },
        "evidence": [{"type": "kk", "reference": "1"}],
    }
    await _refused(office, body, pointer="/change/staying", code="member_forgotten")


@pytest.mark.parametrize(
    ("village", "version"),
    [(CIKUBANG, 1), (TARAJU, 9)],
    ids=["of_another_village", "in_a_version_that_never_was"],
)
async def test_a_double_entry_that_is_not_to_be_seen_is_refused_at_its_place(
    office: Office,
    village: str,
    version: int,
) -> None:
    household, other = household_of(), household_of(1, village=village)
    entry = {"member_id": str(other.members[0].id), "relation": "other_relative"}
    body: Body = {
        "area_code": household.area_code,
        "household_id": str(household.id),
        "change": {
            "kind": "merge_duplicates",
            "duplicate_id": str(other.id),
            "duplicate_version": version,
            "members": [entry],
        },
        "evidence": [{"type": "kk", "reference": "1"}],
    }
    await _refused(office, body, pointer="/change/duplicate_id", code="household_not_found")


async def test_a_kind_that_an_older_policy_has_no_route_for_is_not_offered(office: Office) -> None:
    policy = default_policy()
    older = tuple(r.model_copy(update={"kinds": r.kinds - {Kind.ADD_MEMBER}}) for r in policy.routes)
    await office.scene.publish(policy.model_copy(update={"routes": older}))
    await _refused(office, newborn(), pointer="/change/kind", code="kind_not_offered")
    desk = await office.desk_of("operator.taraju")
    schema = await desk.get("/v1/kinds/add_member/schema", params={"area_code": TARAJU})
    assert (schema.status_code, schema.json()["code"]) == (404, "not_found")


async def test_every_fault_is_named_at_once(office: Office) -> None:
    body = new_household()
    for spoil in (malformed_nik, malformed_kk, two_heads, no_evidence):
        spoil(body)
    desk = await office.desk_of("operator.taraju")
    problem = (await submit(desk, body)).json()
    assert {violation["pointer"] for violation in problem["violations"]} == {
        "/change/members/0/nik",
        "/change/kk_number",
        "/change/members/1/relation",
        "/evidence",
    }
    assert all(violation["remedy"] for violation in problem["violations"])


@pytest.mark.parametrize("area_code", [CIKUBANG, "32.06.13.2999", "11.01.01.2001"])
async def test_a_village_outside_the_operators_area_is_not_found_whether_it_exists_or_not(
    office: Office,
    area_code: str,
) -> None:
    desk = await office.desk_of("operator.taraju")
    response = await submit(desk, newborn() | {"area_code": area_code})
    problem = response.json()
    assert (response.status_code, problem["code"]) == (404, "not_found")
    assert problem["violations"][0]["pointer"] == "/area_code"
    assert set((await counts(office.scene)).values()) - {await _seeded_digests(office)} == {0}


@pytest.mark.parametrize("household_id", [str(household_of(village=CIKUBANG).id), NOBODY])
async def test_a_household_of_another_village_is_not_found_whether_it_exists_or_not(
    office: Office,
    household_id: str,
) -> None:
    desk = await office.desk_of("operator.taraju")
    response = await submit(desk, newborn() | {"household_id": household_id})
    problem = response.json()
    assert (response.status_code, problem["violations"][0]["pointer"]) == (404, "/household_id")


async def test_who_only_reads_may_not_submit(office: Office) -> None:
    for username in ("kades.taraju", "verifikator", "bupati", "admin"):
        response = await submit(await office.desk_of(username), newborn())
        assert (response.status_code, response.json()["code"]) == (403, "forbidden"), username


@pytest.mark.parametrize("key", [None, "", "k" * 201, "two words", "kunci\u00e9"])
async def test_a_submission_needs_a_key_of_visible_ascii(office: Office, key: str | None) -> None:
    desk = await office.desk_of("operator.taraju")
    headers = [] if key is None else [(b"Idempotency-Key", key.encode())]
    response = await desk.post("/v1/updates", json=newborn(), headers=headers)
    told = (400, "idempotency_key_missing") if key is None else (422, "invalid_input")
    assert (response.status_code, response.json()["code"]) == told
    assert response.json()["violations"][0]["pointer"] == "/header/Idempotency-Key"
    assert (await counts(office.scene))["updates"] == 0


async def _refused(office: Office, body: Body, *, pointer: str, code: str) -> None:
    before = await counts(office.scene)
    desk = await office.desk_of("operator.taraju")
    response = await submit(desk, body)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid_input"), problem
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (pointer, code) in {(v["pointer"], v["code"]) for v in problem["violations"]}
    assert NIK_OF_UJANG not in response.text
    assert await counts(office.scene) == before
    assert await office.scene.rows("SELECT 1 FROM audit_events WHERE type = 'update.submitted'") == []


async def _seeded_digests(office: Office) -> int:
    return (await office.scene.one("SELECT count(*) AS n FROM identity_digests WHERE household_id IS NOT NULL")).n
