"""What a village is sent back for, as whoever trains its operators reads it."""

from __future__ import annotations

from typing import Any

import pytest

from devstack.demo_people import REGENCY, TARAJU
from tests.api.reads.casebook import Casebook, known_household

PATH = "/v1/coaching"


@pytest.fixture
async def sent_back(book: Casebook) -> Casebook:
    """Three cases of a village: one is returned for a mismatch, one for a missing paper, one goes on."""
    for place, reason in enumerate(("identity_mismatch", "identity_no_document")):
        update_id = await book.in_verification(household=known_household(place=place))
        await book.decide(update_id, "puskesos.taraju", "return", reason=reason, note="Mohon dilengkapi.")
    await book.in_verification(household=known_household(place=2))
    book.clock.advance(hours=1)
    return book


async def read(book: Casebook, by: str = "kabid", **query: Any) -> list[dict[str, Any]]:
    return (await book.read(by, PATH, **query))["items"]


async def test_a_village_is_shown_with_its_reasons_the_most_frequent_first(sent_back: Casebook) -> None:
    again = await sent_back.in_verification(household=known_household(place=3))
    await sent_back.decide(again, "puskesos.taraju", "return", reason="identity_no_document", note="Belum lengkap.")
    (village,) = await read(sent_back, area=REGENCY)
    assert village["area"]["code"] == TARAJU
    assert (village["submitted"], village["returned"]) == (4, 3)
    first, second = village["reasons"]
    assert (first["reason"]["code"], first["returns"], first["cases"]) == ("identity_no_document", 2, 2)
    assert first["kinds"] == {"circumstances": 2}
    assert first["stages"] == {"verification": 2}
    assert first["reason"]["label"]["id"]
    assert (second["reason"]["code"], second["returns"]) == ("identity_mismatch", 1)


async def test_only_cases_of_the_time_and_the_area_count(sent_back: Casebook) -> None:
    assert await read(sent_back, until="2026-01-01T00:00:00Z") == []
    assert await read(sent_back, area="32.06.01") == []
    (village,) = await read(sent_back, area=TARAJU, since="2026-01-01T00:00:00Z")
    assert (village["submitted"], village["returned"]) == (3, 2)


async def test_a_village_reads_of_itself_and_of_no_other(sent_back: Casebook) -> None:
    assert len(await read(sent_back, by="operator.taraju")) == 1
    assert await read(sent_back, by="puskesos.cikubang") == []
    foreign = await sent_back.get("puskesos.cikubang", PATH, area=TARAJU)
    assert foreign.status_code == 404
