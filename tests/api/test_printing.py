"""Minutes as pages to be printed: what a village has recorded, and the form of one that writes by hand."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from api.print.words import day_in_words
from tests.api.conftest import Office
from tests.api.villages import SIGNED, carried_out, in_deliberation, paper, record, scanned, today

pytestmark = pytest.mark.embedded

FORM = "/v1/minutes/form?area=32.06.13.2001"


async def recorded(office: Office, body: dict[str, Any]) -> str:
    answer = await record(office, body)
    assert answer.status_code == 201, answer.text
    return (await carried_out(office, answer.json()["id"]))["id"]


async def shown(office: Office, path: str, *, by: str = "kades.taraju") -> httpx2.Response:
    return await (await office.desk_of(by)).get(path)


def text_of(page: httpx2.Response) -> str:
    """What a reader sees of a page."""
    assert page.status_code == 200, page.text
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    words = re.sub(r"<[^>]+>", " ", page.text.split("</style>")[1])
    return re.sub(r"\s+", " ", words)


async def test_recorded_minutes_are_printed_as_the_paper_says(staffed: Office) -> None:
    agreed, returned = await in_deliberation(staffed, 2)
    body = await paper(
        staffed.scene,
        (agreed, "forward"),
        (returned, "return", "incomplete_documents"),
        place="Balai <Desa> & sawah",
    )
    minutes_id = await recorded(staffed, body)
    page = await shown(staffed, f"/v1/minutes/{minutes_id}/print")
    text = text_of(page)
    for words in (
        "Kecamatan Taraju",
        "Nomor: 140/BA-Musdes/2026",
        day_in_words(date.fromisoformat(today())),
        "bertempat di Balai &lt;Desa&gt; &amp; sawah",
        "Ketua RT dan RW 3 1",
        "Setuju",
        "Perbaiki Dokumen tidak lengkap",
        *(each["name"] for each in SIGNED),
    ):
        assert words in text, words
    assert re.search(r"style-src 'sha256-[^']+='", page.headers["Content-Security-Policy"])
    assert "<script" not in page.text


def test_days_are_written_out_in_indonesian() -> None:
    assert day_in_words(date(2026, 1, 5)) == "Senin, 5 Januari 2026"
    assert day_in_words(date(2026, 8, 16)) == "Minggu, 16 Agustus 2026"


async def test_a_record_that_was_corrected_says_so_on_paper(staffed: Office) -> None:
    (case,) = await in_deliberation(staffed, 1)
    body = await paper(staffed.scene, (case, "forward"))
    first = await recorded(staffed, body)
    other = {**body, "number": "9/BA", "scan": await scanned(staffed.scene), "correction": "Nomor salah tulis."}
    second = await recorded(staffed, {**other, "supersedes": first})
    assert f"digantikan oleh catatan {second}" in text_of(await shown(staffed, f"/v1/minutes/{first}/print"))
    assert "Nomor salah tulis." in text_of(await shown(staffed, f"/v1/minutes/{second}/print"))


async def test_a_statement_of_responsibility_says_why_no_musdes_was_held(staffed: Office) -> None:
    (case,) = await in_deliberation(staffed, 1)
    sptjm: dict[str, Any] = {"type": "sptjm", "place": None, "attendance": [], "why_none_held": "Jalan putus."}
    scan = await scanned(staffed.scene, kind="sptjm")
    body = await paper(staffed.scene, (case, "forward"), **sptjm, scan=scan)
    answer = await record(staffed, body)
    assert answer.status_code == 201, answer.text
    text = text_of(await shown(staffed, f"/v1/minutes/{answer.json()['id']}/print"))
    assert "Surat Pernyataan Tanggung Jawab Mutlak" in text
    assert "Jalan putus." in text


async def test_the_empty_form_lists_what_waits_for_the_village_and_no_name(staffed: Office) -> None:
    cases = await in_deliberation(staffed, 2)
    desk = await staffed.desk_of("kades.taraju")
    codes = [(await desk.get(f"/v1/updates/{case}")).json()["tracking_code"] for case in cases]
    page = await shown(staffed, FORM)
    text = text_of(page)
    assert all(code in text for code in codes)
    assert text.count("Setuju / Perbaiki / Tolak") == len(codes) + 4
    assert "Penambahan anggota keluarga" in text
    assert not re.search(r"[0-9]{16}", text), "no number of a person or family"
    await recorded(staffed, await paper(staffed.scene, (cases[0], "forward")))
    later = text_of(await shown(staffed, FORM))
    assert codes[0] not in later
    assert codes[1] in later


async def test_nothing_is_printed_for_who_may_not_read_it(staffed: Office) -> None:
    (case,) = await in_deliberation(staffed, 1)
    minutes_id = await recorded(staffed, await paper(staffed.scene, (case, "forward")))
    for path in (FORM, f"/v1/minutes/{minutes_id}/print"):
        answer = await shown(staffed, path, by="kades.cikubang")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert (await shown(staffed, f"/v1/minutes/{uuid4()}/print")).status_code == 404
    assert (await shown(staffed, "/v1/minutes/form?area=32.06")).status_code == 422
