"""Who objected is known from the regency upwards and to nobody beside the village; both households of a merger show."""

from __future__ import annotations

from typing import Any

import pytest

from devstack.demo_people import TARAJU
from domain.changes import DoubleEntry, MergeDuplicates, Objection, Objector
from domain.changes.objection import Ground
from domain.household import Relation
from tests.api.reads.casebook import Casebook, known_household

pytestmark = pytest.mark.embedded

OBJECTION = Objection(
    ground=Ground.BETTER_OFF,
    statement="Sudah punya dua mobil.",
    objector=Objector(name="Yayat Supriatna", contact="0812-0000-1111"),
)
PURPOSE = {"purpose": "inspection", "explanation": "Pemeriksaan sanggahan"}


async def case_as(book: Casebook, username: str, update_id: object) -> dict[str, Any]:
    return (await book.read(username, f"/v1/updates/{update_id}"))["change"]


@pytest.mark.parametrize("username", ["operator.taraju", "puskesos.taraju", "kades.taraju"])
async def test_the_objector_is_sealed_in_the_village_and_the_district(book: Casebook, username: str) -> None:
    update_id = await book.in_verification(change=OBJECTION, household=known_household())
    shown = await book.get(username, f"/v1/updates/{update_id}")
    assert shown.json()["change"] == {**OBJECTION.model_dump(mode="json"), "objector": None}
    assert "Yayat" not in shown.text


async def test_the_regency_knows_whom_to_ask(book: Casebook) -> None:
    update_id = await book.in_verification(change=OBJECTION, household=known_household())
    assert (await case_as(book, "verifikator", update_id))["objector"]["name"] == "Yayat Supriatna"


async def test_a_reading_in_the_clear_does_not_unseal_the_objector(book: Casebook) -> None:
    update_id = await book.in_verification(change=OBJECTION, household=known_household())
    path = f"/v1/updates/{update_id}/unmask"
    for username, objector in (("puskesos.taraju", None), ("verifikator", OBJECTION.objector)):
        answer = await book.post(username, path, PURPOSE)
        assert answer.status_code == 200, answer.text
        assert answer.json()["change"]["objector"] == (objector and objector.model_dump(mode="json"))


async def test_a_merger_is_compared_in_both_households(book: Casebook) -> None:
    kept, other = known_household(), known_household(place=1)
    entries = tuple(DoubleEntry(member_id=m.id, relation=Relation.OTHER_RELATIVE) for m in other.members)
    merger = MergeDuplicates(duplicate_id=other.id, duplicate_version=other.version, members=entries)
    update_id = await book.submit(merger, household=kept, area_code=TARAJU)
    compared = await book.read("puskesos.taraju", f"/v1/updates/{update_id}/diff")
    pointers = {field["pointer"] for field in compared["fields"]}
    assert pointers == {f"/members/{m.id}" for m in other.members} | {
        f"/duplicate/members/{m.id}/status" for m in other.members
    }
    assert not any(field["moved"] for field in compared["fields"])
    numbers = [m.nik for m in other.members if m.nik is not None]
    assert numbers
    assert not any(number in str(compared) for number in numbers)
