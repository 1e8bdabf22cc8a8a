"""Files handed out: to whom, how, from where the line broke, and that each reading is logged."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from api.ranges import asked_span
from domain.errors import RangeNotSatisfiable
from tests.api.evidence.conftest import Counter, Desk
from tests.api.evidence.test_naming import file, proposal, submit
from tests.evidence.files import LATITUDE, LONGITUDE, document, photo, written
from tests.scene import user

pytestmark = pytest.mark.embedded


async def _bound(desk: Desk, content: bytes | None = None) -> str:
    evidence_id = await desk.uploaded(content or photo(), type="kk")
    assert (await submit(desk, proposal(file(evidence_id)))).status_code == 201
    return evidence_id


async def test_a_file_is_handed_out_so_that_a_browser_can_do_nothing_with_it_but_show_it(desk: Desk) -> None:
    evidence_id = await _bound(desk)
    response = await desk.client.get(f"/v1/evidence/{evidence_id}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["Content-Length"] == str(len(response.content))
    assert response.headers["Content-Disposition"] == f'inline; filename="kk-{evidence_id}.jpg"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "private, no-store"
    with Image.open(BytesIO(response.content)) as image:
        assert (image.size, dict(image.getexif())) == ((400, 640), {})
    small = await desk.client.get(f"/v1/evidence/{evidence_id}/thumbnail")
    with Image.open(BytesIO(small.content)) as image:
        assert max(image.size) == 320
    assert len(small.content) < len(response.content)


async def test_a_pdf_is_offered_for_saving_and_has_no_small_picture(desk: Desk) -> None:
    evidence_id = await desk.uploaded(written(document()), type="birth_certificate")
    response = await desk.client.get(f"/v1/evidence/{evidence_id}")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/pdf")
    assert response.headers["Content-Disposition"].startswith("attachment; ")
    assert (await desk.client.get(f"/v1/evidence/{evidence_id}/thumbnail")).status_code == 404


async def test_a_download_goes_on_where_the_line_broke(desk: Desk) -> None:
    evidence_id = await desk.uploaded(photo((1600, 1000)))
    address = f"/v1/evidence/{evidence_id}"
    whole = await desk.client.get(address)
    content, tag = whole.content, whole.headers["ETag"]
    assert len(content) > 200_000
    for asked, start, stop in (("bytes=0-9", 0, 10), ("bytes=150000-", 150_000, None), ("bytes=-100", -100, None)):
        part = await desk.client.get(address, headers={"Range": asked, "If-Range": tag})
        assert (part.status_code, part.content) == (206, content[start:stop]), asked
        assert part.headers["Content-Range"].endswith(f"/{len(content)}")
    for ignored in ({"Range": "bytes=0-1,5-6"}, {"Range": "lines=1-"}, {"Range": "bytes=5-", "If-Range": '"other"'}):
        again = await desk.client.get(address, headers=ignored)
        assert (again.status_code, again.content) == (200, content), ignored
    beyond = await desk.client.get(address, headers={"Range": f"bytes={len(content)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{len(content)}"
    held = await desk.client.get(address, headers={"If-None-Match": tag})
    assert (held.status_code, held.content) == (304, b"")


async def test_a_list_tells_the_hamlet_of_a_picture_and_the_house_is_for_a_reading_that_is_written_down(
    counter: Counter, desk: Desk
) -> None:
    evidence_id = await desk.uploaded(photo(), type="kk")
    update_id = (await submit(desk, proposal(file(evidence_id)))).json()["id"]
    listed = await desk.client.get(f"/v1/updates/{update_id}/evidence")
    (picture,) = [item["file"] for item in listed.json()["items"] if item["file"]]
    assert picture["coordinates"] == {"latitude": -7.36, "longitude": 108.1, "accuracy_m": 800, "source": "photo"}
    assert str(LATITUDE) not in listed.text
    assert await _readings(counter) == []
    why = {"purpose": "field_visit", "explanation": "Mencari rumah keluarga untuk kunjungan"}
    shown = await desk.client.post(f"/v1/updates/{update_id}/unmask", json=why)
    exactly = {"latitude": LATITUDE, "longitude": LONGITUDE, "accuracy_m": 12.5, "source": "photo"}
    assert shown.json()["places"] == [{"evidence_id": evidence_id, "coordinates": exactly}]
    assert len(await _readings(counter)) == 1


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-0", (0, 1)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes = 3 - 4", (3, 5)),
    ],
)
def test_ranges_as_the_rfc_reads_them(header: str | None, span: tuple[int, int] | None) -> None:
    assert asked_span(header, size=100) == span


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        asked_span(header, size=100)


async def test_who_sees_a_file_is_who_works_on_its_case(counter: Counter, desk: Desk) -> None:
    unbound = await desk.uploaded(photo())
    bound = await _bound(desk)
    expected = {
        "operator.taraju": (200, 200),
        "puskesos.taraju": (404, 200),
        "verifikator": (404, 200),
        "operator.cikubang": (404, 404),
    }
    for username, statuses in expected.items():
        client = (await counter.desk_of(username)).client
        for ending in ("", "/thumbnail"):
            found = [(await client.get(f"/v1/evidence/{each}{ending}")).status_code for each in (unbound, bound)]
            assert tuple(found) == statuses, (username, ending)
    assert (await desk.client.get(f"/v1/evidence/{uuid4()}")).status_code == 404
    assert (await (await counter.office.visitor()).get(f"/v1/evidence/{bound}")).status_code == 401


async def test_each_reading_is_logged_before_a_byte_leaves(counter: Counter, desk: Desk) -> None:
    bound = await _bound(desk)
    verifier = (await counter.desk_of("verifikator")).client
    await verifier.get(f"/v1/evidence/{bound}")
    await verifier.get(f"/v1/evidence/{bound}/thumbnail", headers={"Range": "bytes=0-5"})
    await (await counter.desk_of("operator.cikubang")).client.get(f"/v1/evidence/{bound}")
    rows = await _readings(counter)
    assert [(row.subject, str(row.evidence_id), row.purpose) for row in rows] == [
        ("evidence", bound, "evidence_review")
    ] * 2
    assert {row.actor_id for row in rows} == {user("verifikator")}
    assert {row.actor_role for row in rows} == {"regency_verifier"}
    assert all(row.update_id is not None and row.household_id is not None for row in rows)
    async with counter.office.scene.migrator.engine.begin() as connection:
        await connection.exec_driver_sql("SET ROLE kawal_owner")
        await connection.exec_driver_sql("REVOKE INSERT ON read_log FROM kawal_app")
    unlogged = await verifier.get(f"/v1/evidence/{bound}")
    assert unlogged.status_code == 500
    assert b"\xff\xd8" not in unlogged.content


async def test_a_file_that_no_update_names_is_erased_in_time_and_told_so(counter: Counter, desk: Desk) -> None:
    content = photo()
    bound = await _bound(desk, content)
    orphan = await desk.uploaded(photo((500, 300)))
    same = await desk.uploaded(content, type="ktp")
    now = counter.office.app.state.front.kawal.now
    assert not any(await counter.sweep().sweep(now()))
    swept = await counter.sweep(orphan_ttl=timedelta(seconds=0)).sweep(now())
    assert (swept.files, swept.contents) == (2, 2)
    assert len(counter.files("sha256")) == 2
    for gone in (orphan, same):
        response = await desk.client.get(f"/v1/evidence/{gone}")
        assert (response.status_code, response.json()["code"]) == (410, "evidence_erased")
    assert (await desk.client.get(f"/v1/evidence/{bound}")).status_code == 200
    rows = await counter.office.scene.rows(
        "SELECT id, capture, erased_at FROM evidence WHERE id <> :id", id=UUID(bound)
    )
    assert all(row.capture is None and row.erased_at is not None for row in rows)
    told = await counter.office.scene.rows(
        "SELECT type, data FROM audit_events WHERE stream = :stream ORDER BY seq", stream=f"evidence:{orphan}"
    )
    assert [row.type for row in told] == ["evidence.kept", "evidence.erased"]


async def test_rows_of_evidence_are_erased_and_otherwise_never_changed(counter: Counter, desk: Desk) -> None:
    evidence_id = await desk.uploaded(photo())
    scene = counter.office.scene
    for change in ("size = 1", "area_code = '32.06.13.2002'", "erased_at = now()", "capture = NULL", "sha256 = ''"):
        with pytest.raises(Exception, match="only erased"):
            await scene.rows(f"UPDATE evidence SET {change} WHERE id = :id RETURNING 1", id=UUID(evidence_id))  # noqa: S608
    with pytest.raises(Exception, match="never changed or removed"):
        await scene.rows("DELETE FROM evidence RETURNING 1")
    erase = "UPDATE evidence SET erased_at = now(), capture = NULL WHERE id = :id RETURNING 1"
    assert await scene.rows(erase, id=UUID(evidence_id))
    with pytest.raises(Exception, match="only erased"):
        await scene.rows("UPDATE evidence SET erased_at = NULL RETURNING 1")


async def _readings(counter: Counter) -> list[Any]:
    return await counter.office.scene.rows("SELECT * FROM read_log ORDER BY id")
