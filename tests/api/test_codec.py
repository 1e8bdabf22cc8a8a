"""The remote codec: payloads of the engine in the clear for who may see them, and written down."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import Payload, Payloads

from domain.keyring import KeyRing, generate
from runtime.codec import SealingCodec
from tests.api.conftest import CODEC_KEYS, NOBODY_LISTENS, Office, opened, settings_for
from tests.scene import Scene

pytestmark = pytest.mark.embedded

PAGES = "http://127.0.0.1:8233"
CLEAR = Payload(metadata={"encoding": b"json/plain"}, data=b'{"update_id": "01a2"}')


async def sealed_under(keys: str) -> dict[str, Any]:
    ring = KeyRing.parse(keys, setting="codec")
    return MessageToDict(Payloads(payloads=await SealingCodec(ring).encode([CLEAR])))


async def decode(office: Office, username: str, body: dict[str, Any], **headers: str) -> Any:
    return await (await office.desk_of(username)).post("/codec/decode", json=body, headers=headers)


async def test_an_administrator_of_the_nation_sees_what_a_history_holds_and_is_written_down(office: Office) -> None:
    answer = await decode(office, "admin", await sealed_under(CODEC_KEYS))
    assert answer.status_code == 200, answer.text
    opened_payloads = ParseDict(answer.json(), Payloads()).payloads
    assert list(opened_payloads) == [CLEAR]
    (read,) = await office.scene.rows("SELECT subject, purpose, items FROM read_log")
    assert (read.subject, read.purpose, read.items) == ("engine", "engine_diagnosis", 1)
    (event,) = await office.scene.rows("SELECT data FROM audit_events WHERE type = 'engine.read'")
    assert event.data["payloads"] == 1


async def test_what_does_not_open_comes_back_marked_and_the_rest_opened(office: Office) -> None:
    ours, others = await sealed_under(CODEC_KEYS), await sealed_under(generate(key_id="x9"))
    body = {"payloads": [*others["payloads"], *ours["payloads"], MessageToDict(CLEAR)]}
    answer = await decode(office, "admin", body)
    first, *rest = ParseDict(answer.json(), Payloads()).payloads
    assert b"x9" in first.metadata["not-opened"]
    assert rest == [CLEAR, CLEAR]


@pytest.mark.parametrize("username", ["operator.taraju", "kabid", "inspektorat", "kemensos"])
async def test_nobody_else_does(office: Office, username: str) -> None:
    answer = await decode(office, username, await sealed_under(CODEC_KEYS))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert await office.scene.rows("SELECT 1 FROM read_log") == []


@pytest.mark.parametrize(
    "body",
    [{"payloads": [{"data": "%%%"}]}, {"payloads": [{"metadata": {"encoding": "?"}}]}, {"payloads": "x"}],
)
async def test_what_is_no_payload_is_refused_at_its_place(office: Office, body: dict[str, Any]) -> None:
    answer = await decode(office, "admin", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_only_the_pages_that_are_named_may_ask_from_a_browser(scene: Scene) -> None:
    settings = settings_for(scene, temporal_address=NOBODY_LISTENS)
    named = settings.model_copy(update={"temporal_ui_origins": (PAGES,)})
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    async with opened(scene, named) as office:
        visitor = await office.visitor()
        allowed = await visitor.options("/codec/decode", headers=asked | {"Origin": PAGES})
        strange = await visitor.options("/codec/decode", headers=asked | {"Origin": "https://evil.example"})
        elsewhere = await visitor.options("/v1/updates", headers=asked | {"Origin": PAGES})
        answer = await decode(office, "admin", await sealed_under(CODEC_KEYS), Origin=PAGES)
    assert allowed.headers["access-control-allow-origin"] == PAGES
    assert "access-control-allow-origin" not in strange.headers
    assert "access-control-allow-origin" not in elsewhere.headers
    assert answer.headers["access-control-allow-origin"] == PAGES
