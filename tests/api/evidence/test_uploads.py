"""Uploads that are resumed, as a client of tus 1.0.0 meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from domain.errors import EvidenceUnavailable
from domain.evidence import ContentFault
from domain.uploads import PART
from runtime.evidence.verdicts import Refused
from services.evidence import keeping, uploads
from tests.api.conftest import until
from tests.api.evidence.conftest import MOST_BYTES, MOST_UPLOADS, TUS, UPLOADS, Counter, Desk, checksum, metadata
from tests.evidence.files import EICAR, LATITUDE, LONGITUDE, document, photo, written

pytestmark = pytest.mark.embedded

BIG = (2600, 1700)
"""A photo of about 900 kB: several parts."""


async def test_the_protocol_is_described_to_anybody(counter: Counter) -> None:
    response = await (await counter.office.visitor()).options(UPLOADS)
    assert response.status_code == 204
    assert response.headers["Tus-Version"] == response.headers["Tus-Resumable"] == "1.0.0"
    assert set(response.headers["Tus-Extension"].split(",")) == {"creation", "termination", "expiration", "checksum"}
    assert response.headers["Tus-Max-Size"] == str(MOST_BYTES)


async def test_a_photo_arrives_in_pieces_and_is_kept(counter: Counter, desk: Desk) -> None:
    content = photo(BIG)
    place, at = await desk.begun(len(content)), 0
    for size in (1, 99_999, 300_000, len(content)):
        response = await desk.add(place, at, content[at : at + size])
        at = min(at + size, len(content))
        assert (response.status_code, response.headers["Upload-Offset"]) == (204, str(at)), response.text
        assert await desk.offset(place) == at
    state = await desk.state(place)
    assert (state["state"], state["file"]["media_type"]) == ("kept", "image/jpeg")
    assert (state["file"]["width"], state["file"]["height"]) == (1700, 2600)
    assert state["file"]["scanned"]
    place_taken = state["file"]["coordinates"]
    assert place_taken == {"latitude": -7.36, "longitude": 108.1, "accuracy_m": 800, "source": "photo"}
    assert state["file"]["taken_at"] == "2026-11-20T09:15:00+07:00"
    assert counter.clamd.scanned == [len(content)]
    assert counter.files("uploads") == []
    assert len(counter.files("sha256")) == 2


async def test_nothing_lies_readable_in_the_store_or_in_the_rows(counter: Counter, desk: Desk) -> None:
    content = photo(BIG)
    place = await desk.begun(len(content), coordinates=f"{LATITUDE},{LONGITUDE}")
    await desk.add(place, 0, content[:500_000])
    in_parts = [(counter.folder / name).read_bytes() for name in counter.files()]
    await desk.add(place, 500_000, content[500_000:])
    kept = [(counter.folder / name).read_bytes() for name in counter.files()]
    assert (len(in_parts), len(kept)) == (1, 2)
    for sealed in in_parts + kept:
        assert b"\xff\xd8\xff" not in sealed[:200]
        assert b"JFIF" not in sealed
        assert content[2000:2032] not in sealed
    rows = await counter.office.scene.rows("SELECT to_jsonb(e)::text AS told FROM evidence e")
    rows += await counter.office.scene.rows("SELECT data::text AS told FROM audit_events")
    rows += await counter.office.scene.rows("SELECT to_jsonb(u)::text AS told FROM evidence_uploads u")
    assert not any("7.358" in row.told or "108.10" in row.told for row in rows)


async def test_a_line_that_breaks_leaves_what_has_arrived(desk: Desk) -> None:
    content = photo(BIG)
    place = await desk.begun(len(content))

    async def broken() -> AsyncIterator[bytes]:
        yield content[:100_000]
        yield content[100_000:400_000]
        raise ConnectionError

    await desk.add(place, 0, broken())
    at = await desk.offset(place)
    assert at == 400_000
    response = await desk.add(place, at, content[at:])
    assert response.status_code == 204, response.text
    assert (await desk.state(place))["state"] == "kept"


async def test_bytes_for_another_place_are_refused_and_told_where_they_belong(desk: Desk) -> None:
    place = await desk.begun(1000)
    await desk.add(place, 0, bytes(300))
    for offset in (0, 299, 301, 1000):
        response = await desk.add(place, offset, bytes(100))
        assert (response.status_code, response.json()["code"]) == (409, "upload_offset_conflict")
        assert response.headers["Upload-Offset"] == "300"
        assert response.headers["Tus-Resumable"] == "1.0.0"
    assert await desk.offset(place) == 300


async def test_of_two_who_write_at_once_one_counts_and_nothing_is_mixed(desk: Desk, counter: Counter) -> None:
    content = photo(BIG)
    place = await desk.begun(len(content))
    half = len(content) // 2
    answers = await asyncio.gather(*(desk.add(place, 0, content[:half]) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 409, 409, 409]
    assert await desk.offset(place) == half
    assert (await desk.add(place, half, content[half:])).status_code == 204
    assert (await desk.state(place))["state"] == "kept"
    assert counter.files("uploads") == []


async def test_small_pieces_stay_few_parts(desk: Desk, counter: Counter) -> None:
    place = await desk.begun(200_000)
    for start in range(0, 100_000, 2_000):
        assert (await desk.add(place, start, bytes(2_000))).status_code == 204
    assert len(counter.files("uploads")) == 2
    assert await desk.offset(place) == 100_000


async def test_a_piece_counts_with_its_checksum_alone(desk: Desk, counter: Counter) -> None:
    content = photo(BIG)
    place = await desk.begun(len(content))
    wrong = checksum(b"other")
    response = await desk.client.patch(
        place,
        headers={**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0", **wrong},
        content=content[: 2 * PART],
    )
    assert (response.status_code, response.json()["code"]) == (460, "checksum_mismatch")
    assert await desk.offset(place) == 0
    assert counter.files("uploads") == []
    for algorithm, start, stop in (("sha1", 0, 2 * PART + 5), ("sha256", 2 * PART + 5, len(content))):
        right = checksum(content[start:stop], algorithm)["Upload-Checksum"]
        response = await desk.add(place, start, content[start:stop], Upload_Checksum=right)
        assert response.status_code == 204, response.text
    assert (await desk.state(place))["state"] == "kept"


@pytest.mark.parametrize("header", ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha1", "sha256 !!", "sha1 aGVsbG8="])
async def test_a_checksum_that_is_none_is_named(desk: Desk, header: str) -> None:
    place = await desk.begun(10)
    response = await desk.add(place, 0, bytes(10), Upload_Checksum=header)
    assert (response.status_code, response.json()["violations"][0]["pointer"]) == (422, "/header/upload-checksum")


async def test_another_version_and_another_type_of_body_are_refused(desk: Desk) -> None:
    response = await desk.client.post(UPLOADS, headers={"Tus-Resumable": "0.2.2", "Upload-Length": "5"})
    assert response.status_code in {412, 422}
    place = await desk.begun(10)
    response = await desk.client.head(place, headers={"Tus-Resumable": "0.2.2"})
    assert (response.status_code, response.headers["Tus-Version"]) == (412, "1.0.0")
    assert (await desk.client.head(place)).status_code == 422
    response = await desk.add(place, 0, bytes(10), Content_Type="application/json")
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("length", "told", "status", "pointer"),
    [
        ("0", {}, 422, "/header/upload-length"),
        ("-5", {}, 422, "/header/upload-length"),
        ("99999999999999", {}, 422, "/header/upload-length"),
        (str(MOST_BYTES + 1), {}, 413, None),
        ("10", {"type": "selfie"}, 422, "/header/upload-metadata/type"),
        ("10", {"area_code": "32.06"}, 404, "/header/upload-metadata/area_code"),
        ("10", {"coordinates": "95,1"}, 422, "/header/upload-metadata/coordinates/latitude"),
        ("10", {"coordinates": "here"}, 422, "/header/upload-metadata/coordinates/latitude"),
        ("10", {"coordinates": "1,2,3,4"}, 201, None),
        ("10", {"filename": "../../etc/passwd", "filetype": "image/jpeg"}, 201, None),
    ],
)
async def test_what_is_announced_is_checked_by_name(
    desk: Desk, length: str, told: dict[str, str], status: int, pointer: str | None
) -> None:
    told = {"area_code": "32.06.13.2001", "type": "house_photo"} | told
    headers = {**TUS, "Upload-Length": length, "Upload-Metadata": metadata(**told)}
    response = await desk.client.post(UPLOADS, headers=headers)
    assert response.status_code == status, response.text
    if pointer is not None:
        assert response.json()["violations"][0]["pointer"] == pointer


async def test_more_bytes_than_announced_are_refused_and_those_before_stay(desk: Desk) -> None:
    place = await desk.begun(100)
    await desk.add(place, 0, bytes(60))
    response = await desk.add(place, 60, bytes(41))
    assert (response.status_code, response.json()["code"]) == (413, "upload_too_large")
    assert await desk.offset(place) == 60


async def test_the_same_key_begins_the_same_upload(desk: Desk) -> None:
    first, again = await desk.begin(10, key="k"), await desk.begin(10, key="k")
    assert first.headers["Location"] == again.headers["Location"]
    other = await desk.begin(11, key="k")
    assert other.json()["code"] == "idempotency_key_reused"
    assert len((await desk.client.get(UPLOADS)).json()) == 1


async def test_an_account_has_so_many_unfinished_uploads_and_no_more(desk: Desk, counter: Counter) -> None:
    answers = await asyncio.gather(*(desk.begin(10) for _ in range(MOST_UPLOADS + 3)))
    assert sorted(answer.status_code for answer in answers) == [201] * MOST_UPLOADS + [429] * 3
    assert (await (await counter.desk_of("serba.deudeul")).begin(10, area_code="32.06.13.2003")).status_code == 201
    place = next(answer.headers["Location"] for answer in answers if answer.status_code == 201)
    assert (await desk.client.delete(place, headers=TUS)).status_code == 204
    assert (await desk.client.head(place, headers=TUS)).status_code == 404
    assert (await desk.begin(10)).status_code == 201


async def test_an_upload_is_its_owners_alone_and_of_their_own_area(counter: Counter, desk: Desk) -> None:
    place = await desk.begun(10)
    for username in ("operator.cikubang", "puskesos.taraju"):
        other = await counter.desk_of(username)
        assert (await other.client.get(place)).status_code == 404
        assert (await other.client.head(place, headers=TUS)).status_code == 404
        assert (await other.add(place, 0, bytes(10))).status_code == 404
        assert (await other.client.delete(place, headers=TUS)).status_code == 404
        assert (await other.client.get(UPLOADS)).json() == []
    foreign = await (await counter.desk_of("operator.cikubang")).begin(10)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    assert (await (await counter.desk_of("verifikator")).begin(10)).status_code == 403
    assert (await (await counter.office.visitor()).post(UPLOADS, headers=TUS)).status_code == 401


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"GIF89a" + bytes(50), "unknown_type"),
        (photo()[:-3000], "broken"),
        (photo() + EICAR, "malware"),
        (written(document(60)), "too_many_pages"),
    ],
    ids=["gif", "broken", "virus", "long"],
)
async def test_a_refused_content_is_explained_again_and_again_and_nothing_of_it_is_kept(
    counter: Counter, desk: Desk, content: bytes, fault: str
) -> None:
    place = await desk.begun(len(content))
    response = await desk.add(place, 0, content)
    assert (response.status_code, response.json()["code"]) == (422, "content_refused")
    assert response.json()["data"] == {"fault": fault}
    assert response.json()["remedy"]
    assert (await desk.client.head(place, headers=TUS)).status_code == 422
    assert (await desk.add(place, 0, content)).json()["data"] == {"fault": fault}
    assert (await desk.state(place))["state"] == "refused"
    assert counter.files() == []
    (event,) = await _events(counter, place)
    assert (event.type, event.data["fault"]) == ("evidence.refused", fault)


async def test_no_scanner_no_file_and_it_is_kept_once_the_scanner_is_back(counter: Counter, desk: Desk) -> None:
    content = photo()
    place = await desk.begun(len(content))
    counter.clamd.reply = b"INSTREAM: cannot allocate. ERROR"
    response = await desk.add(place, 0, content)
    assert (response.status_code, response.json()["code"]) == (503, "evidence_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert (await desk.state(place))["state"] == "received"
    counter.clamd.reply = None
    assert await desk.offset(place) == len(content)
    assert (await desk.state(place))["state"] == "kept"


@pytest.mark.parametrize("step", ["before_examination", "after_store", "after_row"])
async def test_a_process_that_dies_while_it_keeps_a_file_is_made_up_for(
    counter: Counter, desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    content = photo()
    place = await desk.begun(len(content))

    class Dead(BaseException):
        """As kill -9: nothing of ours runs any more."""

    async def die(*_: Any, **__: Any) -> Any:
        raise Dead

    target = {
        "before_examination": (counter.office.app.state.front.kawal.evidence.examination, "examine"),
        "after_store": (keeping.evidence, "add_evidence"),
        "after_row": (keeping.uploads, "end_upload"),
    }[step]
    with monkeypatch.context() as patched:
        patched.setattr(*target, die)
        patched.setattr(keeping.uploads, "release_check", die)
        with pytest.raises(BaseException):  # noqa: B017, PT011  whatever the transport makes of it
            await desk.add(place, 0, content)
    busy = await desk.client.head(place, headers=TUS)
    assert (busy.status_code, "Retry-After" in busy.headers) == (423, True)
    await counter.office.scene.rows("UPDATE evidence_uploads SET checking_until = now() RETURNING 1")
    assert await desk.offset(place) == len(content)
    assert (await desk.state(place))["state"] == "kept"
    assert [event.type for event in await _events(counter, place)] == ["evidence.kept"]
    assert counter.files("uploads") == []
    assert (await desk.client.get(f"/v1/evidence/{place.rpartition('/')[2]}")).status_code == 200


class Examiner:
    """Looks at files when a test says so, in the order of the requests, and finds in them what a test says."""

    def __init__(self, counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
        examination = counter.office.app.state.front.kawal.evidence.examination
        self._real = examination.examine
        self._told: list[asyncio.Future[Exception | None]] = []
        monkeypatch.setattr(examination, "examine", self._examine)

    async def _examine(self, content: bytes) -> Any:
        told = asyncio.get_running_loop().create_future()
        self._told.append(told)
        fault = await told
        if fault is not None:
            raise fault
        return await self._real(content)

    @property
    def asked(self) -> int:
        """How many requests have asked it."""
        return len(self._told)

    async def has(self, count: int) -> None:
        """Wait until so many requests have asked it."""

        async def asked() -> bool:
            return self.asked == count

        await until(asked)

    def answer(self, number: int, fault: Exception | None = None) -> None:
        self._told[number].set_result(fault)


@pytest.fixture
def examiner(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> Examiner:
    return Examiner(counter, monkeypatch)


async def _overtaken(counter: Counter, desk: Desk, examiner: Examiner) -> tuple[str, Any, Any]:
    """An upload that a second request looks at, since the first took too long and is still at it."""
    content = photo()
    place = await desk.begun(len(content))
    first = asyncio.create_task(desk.add(place, 0, content))
    await examiner.has(1)
    await counter.office.scene.rows("UPDATE evidence_uploads SET checking_until = now() RETURNING 1")
    second = asyncio.create_task(desk.client.head(place, headers=TUS))
    await examiner.has(2)
    return place, first, second


async def test_an_upload_is_not_given_up_while_its_file_is_being_looked_at(desk: Desk, examiner: Examiner) -> None:
    content = photo()
    place = await desk.begun(len(content))
    adding = asyncio.create_task(desk.add(place, 0, content))
    await examiner.has(1)
    busy = await desk.client.delete(place, headers=TUS)
    assert (busy.status_code, busy.json()["code"]) == (423, "content_being_checked")
    examiner.answer(0)
    assert (await adding).status_code == 204
    assert (await desk.state(place))["state"] == "kept"
    assert (await desk.client.delete(place, headers=TUS)).json()["code"] == "not_possible_now"


async def test_a_request_that_was_overtaken_does_not_give_away_the_claim_of_the_next(
    counter: Counter, desk: Desk, examiner: Examiner
) -> None:
    place, first, second = await _overtaken(counter, desk, examiner)
    examiner.answer(0, EvidenceUnavailable("The scanner does not answer."))
    assert (await first).status_code == 503
    third = asyncio.create_task(desk.client.head(place, headers=TUS))

    async def is_answered_or_looks_too() -> bool:
        return third.done() or examiner.asked == 3

    await until(is_answered_or_looks_too)
    assert third.done()
    assert (await third).status_code == 423
    examiner.answer(1)
    assert (await second).status_code == 200


@pytest.mark.parametrize("late_verdict", [None, Refused(ContentFault.MALWARE)], ids=["fit", "unfit"])
async def test_the_verdict_of_a_request_that_was_overtaken_does_not_count(
    counter: Counter, desk: Desk, examiner: Examiner, late_verdict: Exception | None
) -> None:
    place, first, second = await _overtaken(counter, desk, examiner)
    examiner.answer(0, late_verdict)
    assert ((await first).status_code, (await first).json()["code"]) == (423, "content_being_checked")
    examiner.answer(1)
    assert (await second).status_code == 200
    assert (await desk.state(place))["state"] == "kept"
    assert [event.type for event in await _events(counter, place)] == ["evidence.kept"]


async def test_the_verdict_on_an_upload_that_was_given_up_meanwhile_does_not_count(
    counter: Counter, desk: Desk, examiner: Examiner
) -> None:
    content = photo()
    place = await desk.begun(len(content))
    adding = asyncio.create_task(desk.add(place, 0, content))
    await examiner.has(1)
    await counter.office.scene.rows("UPDATE evidence_uploads SET checking_until = now() RETURNING 1")
    assert (await desk.client.delete(place, headers=TUS)).status_code == 204
    examiner.answer(0)
    assert ((await adding).status_code, (await adding).json()["code"]) == (404, "not_found")
    assert await counter.office.scene.rows("SELECT id FROM evidence") == []


async def test_a_lost_answer_is_made_up_for_by_asking(desk: Desk) -> None:
    content = photo()
    place = await desk.begun(len(content))
    await desk.add(place, 0, content)
    assert await desk.offset(place) == len(content)
    assert (await desk.add(place, len(content), b"")).status_code == 204
    assert (await desk.client.delete(place, headers=TUS)).json()["code"] == "not_possible_now"


async def test_an_expired_upload_is_gone_and_swept_with_its_bytes(counter: Counter, desk: Desk) -> None:
    place = await desk.begun(1000)
    await desk.add(place, 0, bytes(500))
    assert len(counter.files("uploads")) == 1
    await counter.office.scene.rows("UPDATE evidence_uploads SET expires_at = now() RETURNING 1")
    assert (await desk.client.head(place, headers=TUS)).status_code == 410
    assert (await desk.client.get(UPLOADS)).json() == []
    assert (await desk.begin(10)).status_code == 201
    swept = await counter.sweep().sweep(counter.office.app.state.front.kawal.now())
    assert (swept.uploads, swept.leftovers) == (1, 1)
    assert counter.files() == []


async def test_where_the_proxy_lets_no_patch_pass_a_post_does(desk: Desk) -> None:
    content = photo()
    place = await desk.begun(len(content))
    headers = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    response = await desk.client.post(place, headers=headers, content=content)
    assert response.status_code == 422
    response = await desk.client.post(place, headers={**headers, "X-HTTP-Method-Override": "PATCH"}, content=content)
    assert response.status_code == 204, response.text
    assert (await desk.state(place))["state"] == "kept"


async def test_the_same_photo_twice_lies_in_the_store_once(counter: Counter, desk: Desk) -> None:
    content = photo()
    first, second = await desk.uploaded(content), await desk.uploaded(content, type="kk")
    assert first != second
    assert len(counter.files("sha256")) == 2


async def test_the_place_of_the_device_is_kept_where_the_picture_knows_none(desk: Desk) -> None:
    content = photo(place=False)
    place = await desk.begun(len(content), coordinates="-7.4,108.2,1500")
    await desk.add(place, 0, content)
    assert (await desk.state(place))["file"]["coordinates"] == {
        "latitude": -7.4,
        "longitude": 108.2,
        "accuracy_m": 1500,
        "source": "device",
    }


async def test_a_silent_line_is_given_up_and_what_arrived_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_SILENCE", 0.2)
    place = await desk.begun(1000)

    async def stalls() -> AsyncIterator[bytes]:
        yield bytes(400)
        await asyncio.sleep(3600)

    response = await desk.add(place, 0, stalls())
    assert (response.status_code, response.headers["Upload-Offset"]) == (204, "400")


async def _events(counter: Counter, place: str) -> list[Any]:
    evidence_id = UUID(place.rpartition("/")[2])
    return await counter.office.scene.rows(
        "SELECT type, data FROM audit_events WHERE stream = :stream ORDER BY seq", stream=f"evidence:{evidence_id}"
    )
