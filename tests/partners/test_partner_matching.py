from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from devstack.partners.serve import serving
from domain.vocabulary import MatchResult
from runtime.connectors.civil_registry import CivilRegistryClient, PersonMatch
from runtime.connectors.http import PartnerContractError
from tests.partners.conftest import SITI, TOKEN, Admin, query, registry_partner


async def test_person_declared_as_registered_matches(registry: CivilRegistryClient) -> None:
    assert await registry.match(query()) == PersonMatch(result=MatchResult.MATCHED)


@pytest.mark.parametrize("name", ["SITI NURHASANAH", "  siti   nurhasanah ", "Ｓｉｔｉ Nurhasanah"])
async def test_case_spaces_and_unicode_form_of_a_name_do_not_matter(registry: CivilRegistryClient, name: str) -> None:
    assert (await registry.match(query(name=name))).result is MatchResult.MATCHED


@pytest.mark.parametrize("name", ["Siti Nurhasana", "Siti Nurhasanan", "SitiNurhasanah", "Siti"])
async def test_one_letter_is_a_mismatch_that_names_the_field(registry: CivilRegistryClient, name: str) -> None:
    assert await registry.match(query(name=name)) == PersonMatch(result=MatchResult.MISMATCHED, fields=("name",))


async def test_every_differing_field_is_named(registry: CivilRegistryClient) -> None:
    answer = await registry.match(
        query(kk_number="3206130101109999", name="Wati", birth_date=date(1985, 8, 18), sex="male"),
    )
    assert answer.fields == ("kk_number", "name", "birth_date", "sex")


async def test_kk_number_is_compared_only_when_it_is_given(registry: CivilRegistryClient) -> None:
    assert (await registry.match(query(kk_number=None))).result is MatchResult.MATCHED


async def test_unregistered_nik_is_not_found(registry: CivilRegistryClient) -> None:
    assert await registry.match(query(nik="3206135708850002")) == PersonMatch(result=MatchResult.NOT_FOUND)


async def test_death_is_told_only_of_the_person_meant(registry: CivilRegistryClient, registry_admin: Admin) -> None:
    await registry_admin("PATCH", f"/persons/{SITI['nik']}", {"deceased_on": "2025-05-01"})
    assert (await registry.match(query())).result is MatchResult.DECEASED
    assert (await registry.match(query(name="Wati"))).result is MatchResult.MISMATCHED
    await registry_admin("PATCH", f"/persons/{SITI['nik']}", {"deceased_on": None})
    assert (await registry.match(query())).result is MatchResult.MATCHED


async def test_wrong_token_is_a_defect_and_not_a_passing_fault(registry_admin: Admin) -> None:
    client = CivilRegistryClient(registry_admin.url, "another-token")
    with pytest.raises(PartnerContractError) as caught:
        await client.match(query())
    await client.aclose()
    assert caught.value.status == 401


@pytest.mark.parametrize("path", ["/admin/persons", "/admin/faults"])
async def test_token_of_the_caller_does_not_open_the_admin_api(registry_admin: Admin, path: str) -> None:
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as caller:
        answer = await caller.get(f"{registry_admin.url}{path}")
    assert answer.status_code == 401


async def test_tens_of_thousands_of_persons_load_in_one_request(
    registry: CivilRegistryClient,
    registry_admin: Admin,
) -> None:
    everyone = [_villager(number) for number in range(30_000)]
    assert await registry_admin("PUT", "/persons", everyone) == {"persons": 30_001}
    last = await registry.match(query(**everyone[-1]))
    assert last.result is MatchResult.MATCHED


async def test_list_with_one_wrong_person_stores_nobody(registry_admin: Admin) -> None:
    with pytest.raises(AssertionError, match="invalid_input") as caught:
        await registry_admin("PUT", "/persons", [_villager(1), {**_villager(2), "nik": "3206130000"}])
    assert "3206130000" not in str(caught.value)
    assert await registry_admin("GET", "/persons") == {"persons": 1}


async def test_patch_cannot_make_a_person_impossible(registry_admin: Admin) -> None:
    for change in ({"sex": "unknown"}, {"name": None}, {"nik": "3206135708850002"}):
        with pytest.raises(AssertionError, match="invalid_input"):
            await registry_admin("PATCH", f"/persons/{SITI['nik']}", change)
    assert await registry_admin("GET", f"/persons/{SITI['nik']}") == {**SITI, "deceased_on": None}


async def test_persons_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "civil_registry.sqlite"
    async with serving(registry_partner(path=path)) as url:
        await Admin(url)("PUT", "/persons", [SITI])
        await Admin(url)("PATCH", f"/persons/{SITI['nik']}", {"name": "Siti Aminah"})
    async with serving(registry_partner(path=path)) as url:
        client = CivilRegistryClient(url, TOKEN)
        assert (await client.match(query(name="Siti Aminah"))).result is MatchResult.MATCHED
        await client.aclose()


def _villager(number: int) -> dict[str, Any]:
    return {
        "nik": f"320613{number:010d}",
        "kk_number": f"320613{number // 4:010d}",
        "name": f"Warga {number}",
        "birth_date": (date(1950, 1, 1) + timedelta(days=number % 20_000)).isoformat(),
        "sex": "male",
    }
