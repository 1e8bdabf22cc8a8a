from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from starlette.datastructures import Headers

from domain.errors import InvalidInput, Unauthenticated
from domain.vocabulary import ReasonCode
from runtime.connectors.ministry import MinistryVerdict, verify_callback
from tests.partners.conftest import SECRET

OTHER_SECRET = "whsec_YW5vdGhlciBzZWNyZXQgb2YgbW9yZSB0aGFuIDI0IGJ5dGVz"


def body(**changes: Any) -> bytes:
    answered = {"update_id": "u1", "receipt_no": "r1", "answer": "returned", "reason": "unclear_photo", "note": "x"}
    return json.dumps({"type": "proposal.answered", "proposal": {**answered, **changes}}).encode()


def signed(content: bytes, *, secret: str = SECRET, age: timedelta = timedelta()) -> dict[str, str]:
    at = datetime.now(UTC) - age
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, content.decode()),
    }


def test_signed_answer_is_read() -> None:
    answer = verify_callback(SECRET, signed(body()), body())
    assert (answer.webhook_id, answer.update_id, answer.receipt_no) == ("msg_1", "u1", "r1")
    assert (answer.answer, answer.reason, answer.note) == (MinistryVerdict.RETURNED, ReasonCode.UNCLEAR_PHOTO, "x")


def test_header_names_are_read_in_any_case() -> None:
    shouting = {name.title(): value for name, value in signed(body()).items()}
    assert verify_callback(SECRET, shouting, body()) == verify_callback(SECRET, Headers(shouting), body())


def test_one_of_several_signatures_is_enough_while_a_secret_is_rotated() -> None:
    headers = signed(body())
    foreign = signed(body(), secret=OTHER_SECRET)["webhook-signature"]
    headers["webhook-signature"] = f"{foreign} {headers['webhook-signature']}"
    assert verify_callback(SECRET, headers, body()).update_id == "u1"


def test_signature_by_another_secret_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        verify_callback(SECRET, signed(body(), secret=OTHER_SECRET), body())


def test_body_changed_after_signing_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        verify_callback(SECRET, signed(body()), body(answer="rejected"))


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_is_needed_and_covered_by_the_signature(header: str) -> None:
    headers = signed(body())
    removed = {name: value for name, value in headers.items() if name != header}
    with pytest.raises(Unauthenticated):
        verify_callback(SECRET, removed, body())
    with pytest.raises(Unauthenticated):
        verify_callback(SECRET, {**headers, header: "1" + headers[header]}, body())


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(days=1), timedelta(minutes=-6)])
def test_stamp_more_than_five_minutes_away_is_refused(age: timedelta) -> None:
    with pytest.raises(Unauthenticated):
        verify_callback(SECRET, signed(body(), age=age), body())


def test_replay_within_five_minutes_is_the_same_answer_under_the_same_id() -> None:
    headers = signed(body(), age=timedelta(minutes=4))
    assert verify_callback(SECRET, headers, body()) == verify_callback(SECRET, headers, body())


@pytest.mark.parametrize("signature", ["", "v1", "v1,", "v1,§", "v1,a", "v1a,AAAA", "nonsense", "a,b,c"])
def test_garbled_signature_is_refused_and_breaks_nothing(signature: str) -> None:
    with pytest.raises(Unauthenticated):
        verify_callback(SECRET, {**signed(body()), "webhook-signature": signature}, body())


@pytest.mark.parametrize("stamp", ["", "soon", "nan", "inf", "1e400", "-1"])
def test_garbled_time_stamp_is_refused_and_breaks_nothing(stamp: str) -> None:
    with pytest.raises(Unauthenticated):
        verify_callback(SECRET, {**signed(body()), "webhook-timestamp": stamp}, body())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Unauthenticated):
        verify_callback(SECRET, signed(body()), b"\xff\xfe")


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (b"[]", ""),
        (b"{", ""),
        (body(answer="postponed"), "/proposal/answer"),
        (body(reason="other"), "/proposal/reason"),
        (body(reason=None), "/proposal"),
        (body(answer="accepted"), "/proposal"),
        (body().replace(b"answered", b"noticed"), "/type"),
    ],
)
def test_signed_body_that_is_no_answer_is_invalid_input(content: bytes, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        verify_callback(SECRET, signed(content), content)
    assert [violation.pointer for violation in caught.value.violations] == [pointer]
