"""Uploads through the death of the process that takes them, and through two processes at once."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

from devstack.demo_people import TARAJU
from tests.evidence.files import picture
from tests.faults.offices import Offices
from tests.faults.stack import Stack
from tests.faults.watch import Watch

_PIECE = 64 * 1024
_SENT = 10 * _PIECE
_CERTAIN = _SENT - 4 * _PIECE
"""Less than one part is still on its way when a line falls silent."""
UPLOADS = "/v1/evidence/uploads"


class Village:
    """An operator's client on whichever process."""

    def __init__(self, offices: Offices, content: bytes) -> None:
        self._client = offices.client
        self._headers = {"Authorization": f"Bearer {offices.tokens['operator.taraju']}", "Tus-Resumable": "1.0.0"}
        self.content = content
        self.place = ""

    async def begin(self, url: str) -> None:
        told = {"area_code": TARAJU, "type": "house_photo"}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
        headers = {**self._headers, "Upload-Length": str(len(self.content)), "Upload-Metadata": metadata}
        self.place = (await self._client.post(f"{url}{UPLOADS}", headers=headers)).headers["Location"]

    async def offset(self, url: str) -> int:
        response = await self._client.head(f"{url}{self.place}", headers=self._headers)
        assert response.status_code == 200, response.status_code
        return int(response.headers["Upload-Offset"])

    async def add(self, url: str, start: int, body: bytes | AsyncIterator[bytes]) -> int:
        headers = {**self._headers, "Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
        return (await self._client.patch(f"{url}{self.place}", headers=headers, content=body)).status_code

    async def kept(self, url: str) -> str:
        return (await self._client.get(f"{url}{self.place}", headers=self._headers)).json()["state"]

    async def slowly(self, until: int, sent: asyncio.Event) -> AsyncIterator[bytes]:
        """The content up to a place, and then a line that delivers nothing more."""
        for start in range(0, until, _PIECE):
            yield self.content[start : min(start + _PIECE, until)]
        sent.set()
        await asyncio.Event().wait()


def _photo() -> bytes:
    content = picture((3000, 2000))
    assert len(content) > 16 * _PIECE
    return content


async def test_what_was_put_away_outlives_the_process_that_took_it(stack: Stack, offices: Offices) -> None:
    village, sent = Village(offices, _photo()), asyncio.Event()
    await village.begin(stack.api_url)
    adding = asyncio.create_task(village.add(stack.api_url, 0, village.slowly(_SENT, sent)))
    await sent.wait()
    await _put_away(stack, at_least=_CERTAIN)
    stack.api.kill()
    await stack.api.ended()
    adding.cancel()
    await asyncio.wait([adding])
    await stack.api.start()
    at = await village.offset(stack.api_url)
    assert _CERTAIN <= at <= _SENT
    assert await village.add(stack.api_url, at, village.content[at:]) == 204
    assert await village.kept(stack.api_url) == "kept"


async def test_two_processes_take_one_upload_in_turns_and_never_both(
    stack: Stack, offices: Offices, watch: Watch
) -> None:
    await stack.second_api.start()
    await watch.serves(stack.second_api_url)
    urls = (stack.api_url, stack.second_api_url)
    village = Village(offices, _photo())
    await village.begin(urls[0])
    for turn in range(4):
        at = turn * 4 * _PIECE
        answers = await asyncio.gather(
            *(village.add(url, at, village.content[at : at + 4 * _PIECE]) for url in urls * 2)
        )
        assert sorted(answers) == [204, 409, 409, 409]
        assert [await village.offset(url) for url in urls] == [at + 4 * _PIECE] * 2
    at = 16 * _PIECE
    assert await village.add(urls[1], at, village.content[at:]) == 204
    assert [await village.kept(url) for url in urls] == ["kept", "kept"]


async def _put_away(stack: Stack, *, at_least: int) -> None:
    async with asyncio.timeout(20):
        while True:
            async with stack.database.transaction() as connection:
                found = await connection.exec_driver_sql("SELECT parts FROM evidence_uploads ORDER BY id DESC LIMIT 1")
                parts = found.scalar_one()
            if parts and parts[-1][1] + parts[-1][2] >= at_least:
                return
            await asyncio.sleep(0.05)
