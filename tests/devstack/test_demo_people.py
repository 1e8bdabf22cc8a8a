"""The people of the demonstration: nobody who is there already, and households fit for their cases."""

from __future__ import annotations

from datetime import date

import pytest

from devstack.demo.partners import PartnerAdmin
from devstack.demo.people import Newcomers, adults_beside_head
from devstack.demo.programme import PROGRAMME
from devstack.demo_people import TARAJU
from devstack.partners.civil_registry import civil_registry
from devstack.partners.serve import serving
from devstack.partners.settings import PartnerSettings
from devstack.seed import invented
from domain.household import Relation, Sex
from domain.identity import check_kk, check_nik
from domain.vocabulary import Kind
from runtime.settings import ENV_PREFIX

TODAY = date(2026, 3, 2)
TOKEN = "token"


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("CIVIL_REGISTRY_TOKEN", "MINISTRY_TOKEN", "PARTNER_ADMIN_TOKEN"):
        monkeypatch.setenv(ENV_PREFIX + name, TOKEN)
    monkeypatch.setenv(f"{ENV_PREFIX}MINISTRY_WEBHOOK_SECRET", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    monkeypatch.setenv(f"{ENV_PREFIX}MINISTRY_URL", "http://127.0.0.1:1")
    return monkeypatch


def partner_settings(monkeypatch: pytest.MonkeyPatch, registry_url: str) -> PartnerSettings:
    monkeypatch.setenv(f"{ENV_PREFIX}CIVIL_REGISTRY_URL", registry_url)
    return PartnerSettings()  # pyright: ignore[reportCallIssue] - from the environment, which its signature hides


async def test_newcomers_have_sound_numbers_that_nobody_has(settings_of: pytest.MonkeyPatch) -> None:
    held = {member.nik for household in invented(TARAJU, count=400) for member in household.members}
    async with (
        serving(civil_registry(token=TOKEN, admin_token=TOKEN)) as url,
        PartnerAdmin(partner_settings(settings_of, url)) as admin,
    ):
        newcomers = Newcomers(admin, today=TODAY)
        for turn in range(30):
            person = await newcomers.person(Sex.FEMALE if turn % 2 else Sex.MALE, age=turn)
            birth_date, sex = person.birth_date, Sex(person.sex)
            assert check_nik(person.nik, birth_date=birth_date, sex=sex, today=TODAY, pointer="") == []
            assert check_kk(person.kk_number, pointer="") == []
            assert person.nik not in held
            assert not await admin.knows(person.nik)
            await admin.register(person)
            assert await admin.knows(person.nik)


def test_the_programme_plays_every_kind_of_update_under_titles_of_their_own() -> None:
    assert {scenario.kind for scenario in PROGRAMME} == set(Kind)
    assert len({scenario.title for scenario in PROGRAMME}) == len(PROGRAMME)


def test_whoever_leaves_a_household_in_a_case_is_grown_and_not_its_head() -> None:
    found = [member for household in invented(TARAJU) for member in adults_beside_head(household, today=TODAY)]
    assert found
    assert all(member.relation is not Relation.HEAD for member in found)
    assert max(member.birth_date for member in found) < date(2008, 3, 3)
