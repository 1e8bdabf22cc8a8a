"""Bytes that no client sends: whatever comes to what anybody may reach is refused, and the server lives on.

Bounded and the same in every run; `KAWAL_FUZZ_EXAMPLES` asks for more.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import values_for
from tests.conformance.wire import Wire, on_the_wire, request, statuses
from tests.scene import Scene

pytestmark = pytest.mark.embedded

EXAMPLES = int(os.environ.get("KAWAL_FUZZ_EXAMPLES", "100"))
GROWTH_MIB = 96
MIB = 1024 * 1024
FORM = (b"Content-Type", b"application/x-www-form-urlencoded")
JSON = (b"Content-Type", b"application/json")

TARGETS = [
    b"/public/track/ABCD-EFGH-JKMN-PQRS",
    b"/v1/auth/token",
    b"/v1/auth/revoke",
    b"/v1/callbacks/ministry",
    b"/v1/evidence/uploads",
    b"/v1/evidence/uploads/01890a5d-ac96-774b-bcce-b302099a8057",
    b"/problems/not_found",
]


@pytest.fixture
async def wire(scene: Scene, tmp_path: Path) -> AsyncIterator[Wire]:
    rates = dict.fromkeys(("rate_address", "rate_account", "rate_public", "rate_auth", "rate_machine"), "off")
    told = values_for(scene) | rates | {"evidence_store": str(tmp_path / "files")}
    async with on_the_wire(told) as wire:
        yield wire


def _below(start: bytes, end: bytes) -> bytes:
    return start + b"/" + end


_any_bytes = st.binary(max_size=300)
_line = st.binary(max_size=80).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
_methods = st.one_of(
    st.sampled_from([b"GET", b"POST", b"HEAD", b"PATCH", b"OPTIONS", b"TRACE", b"CONNECT", b"get", b"P\xd6ST"]), _line
)
_targets = st.one_of(
    st.sampled_from(TARGETS),
    st.builds(
        _below,
        st.sampled_from([b"/public/track", b"/v1/auth", b"/v1/evidence/uploads", b"/problems", b""]),
        st.one_of(
            st.sampled_from(
                [b"%00", b"%ff%fe", b"%ed%a0%80", b"..%2f..", b"%", b"%2", b"?q=%00&q=%00", b"9" * 400, b"//x", b"#"]
            ),
            st.binary(max_size=30).map(lambda raw: b"".join(b"%%%02x" % byte for byte in raw)),
        ),
    ),
    _line,
)
_named = st.sampled_from(
    [
        b"Content-Type", b"Content-Length", b"Transfer-Encoding", b"Content-Encoding", b"Authorization", b"Expect",
        b"Accept", b"Tus-Resumable", b"Upload-Length", b"Upload-Offset", b"Upload-Metadata", b"Upload-Checksum",
        b"X-HTTP-Method-Override", b"X-Forwarded-For", b"X-Request-Id", b"Idempotency-Key", b"If-Match", b"Range",
        b"Upgrade", b"webhook-id", b"webhook-timestamp", b"webhook-signature", b"Host", b"Cookie",
    ]
)  # fmt: skip
_values = st.one_of(
    st.sampled_from(
        [
            b"application/json", b"application/json; charset=utf-16", b"multipart/form-data", b"text/plain", b"gzip",
            b"multipart/form-data; boundary=x", b"chunked", b"chunked, chunked", b"identity", b"-1", b"0", b"+5",
            b"99999999999999999999", b"0x10", b"1.0.0", b"Bearer ", b"Bearer \xff", b"Basic Og==", b"100-continue",
            b"h2c", b"websocket", b"*/*;q=2", b'W/"v1"', b"bytes=-0", b"\xc3\x28", b"a" * 5000, b"PATCH",
        ]
    ),
    _line,
)  # fmt: skip
_headers = st.lists(st.tuples(st.one_of(_named, _line), _values), max_size=6)


async def _holds(wire: Wire, *pieces: bytes) -> None:
    answered = statuses(await wire.send(*pieces))
    assert [status for status in answered if status >= 500] == [], pieces


async def test_no_bytes_make_the_server_fail_or_hang(wire: Wire) -> None:
    """Requests of every shape, half of them broken; a `Content-Length` that promises more ends with the sender."""
    before = wire.memory()
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(_methods, _targets, _headers, _any_bytes)
    def play(method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        sent = request(method, target, headers, body)
        asyncio.run_coroutine_threadsafe(_holds(wire, sent), loop).result()

    await asyncio.to_thread(play)
    assert await wire.alive()
    assert wire.memory() - before < GROWTH_MIB


NO_REQUESTS = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET\r\n\r\n",
    b"\r\n" * 50,
    b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    request(b"POST", b"/v1/auth/token", [FORM, (b"Content-Length", b"4"), (b"Content-Length", b"9")], b"a=1&b=2&c"),
    request(b"POST", b"/v1/auth/token", [FORM, (b"Content-Length", b"-4")], b"a=1"),
    request(b"POST", b"/v1/auth/token", [FORM, (b"Transfer-Encoding", b"chunked")], b"zz\r\nabc\r\n0\r\n\r\n"),
    request(b"POST", b"/v1/auth/token", [FORM, (b"Transfer-Encoding", b"chunked")], b"5\r\nabc\r\n0\r\n\r\n"),
    request(b"POST", b"/v1/auth/token", [FORM, (b"Transfer-Encoding", b"chunked")], b"FFFFFFFFFFFFFFFF0\r\nabc"),
    request(b"POST", b"/v1/auth/token", [FORM, (b"Content-Length", b"100")], b"grant_type=password"),
]


async def test_what_is_no_request_is_refused_or_dropped(wire: Wire) -> None:
    for sent in NO_REQUESTS:
        answered = statuses(await wire.send(sent))
        assert all(400 <= status < 500 for status in answered), (sent[:60], answered)
        assert await wire.alive()


async def test_no_second_request_is_smuggled_in_a_body(wire: Wire) -> None:
    """Where the two lengths disagree, a proxy and the server would see different requests."""
    smuggled = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    headers = [
        FORM,
        (b"Content-Length", str(len(smuggled)).encode()),
        (b"Transfer-Encoding", b"chunked"),
    ]
    answered = statuses(await wire.send(request(b"POST", b"/v1/auth/token", headers, smuggled)))
    assert 200 not in answered
    twice = [FORM, (b"Transfer-Encoding", b"chunked, identity")]
    assert 200 not in statuses(await wire.send(request(b"POST", b"/v1/auth/token", twice, smuggled)))


async def test_bodies_without_end_are_cut_and_take_no_memory(wire: Wire) -> None:
    before = wire.memory()
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    for target, kind in ((b"/v1/auth/token", FORM), (b"/v1/callbacks/ministry", JSON), (b"/v1/auth/revoke", FORM)):
        head = request(b"POST", target, [kind, (b"Transfer-Encoding", b"chunked")])
        answered = statuses(await wire.send(head, *[piece] * 160, b"0\r\n\r\n"))
        assert answered in ([413], [401], []), (target, answered)  # who sends on after the refusal may miss it
    announced = request(b"POST", b"/v1/auth/token", [FORM, (b"Content-Length", b"999999999999")])
    assert statuses(await wire.send(announced)) == [413]
    assert wire.memory() - before < GROWTH_MIB


async def test_a_compressed_bomb_is_not_blown_up(wire: Wire) -> None:
    before = wire.memory()
    bomb = gzip.compress(b"{" + b" " * 200 * MIB + b"}", 9)
    assert len(bomb) < MIB
    headers = [JSON, (b"Content-Encoding", b"gzip"), (b"Content-Length", str(len(bomb)).encode())]
    answered = statuses(await wire.send(request(b"POST", b"/v1/callbacks/ministry", headers, bomb)))
    assert answered == [401]
    assert wire.memory() - before < GROWTH_MIB


async def test_slow_senders_keep_nobody_waiting(wire: Wire) -> None:
    """Forty that send a byte now and then, and one in between who is answered at once."""
    head = request(b"POST", b"/v1/auth/token", [FORM, (b"Content-Length", b"30")])
    slow = [asyncio.create_task(wire.send(head, *[b"a"] * 20, pause=0.2)) for _ in range(40)]
    try:
        async with asyncio.timeout(10):
            assert await wire.alive()
    finally:
        answers = await asyncio.gather(*slow)
    assert all(status < 500 for answer in answers for status in statuses(answer))
    assert await wire.alive()


async def test_whatever_an_upload_is_said_to_be_nobody_unknown_begins_one(wire: Wire) -> None:
    bad = [
        b"",
        b"area_code",
        b"area_code \xff",
        b"area_code " + base64.b64encode(bytes(30)),
        b"," * 1900,
        b"\xe2\x80\xae",
    ]
    for told in bad:
        headers = [(b"Tus-Resumable", b"1.0.0"), (b"Upload-Length", b"5"), (b"Upload-Metadata", told)]
        assert statuses(await wire.send(request(b"POST", b"/v1/evidence/uploads", headers))) == [401], told
