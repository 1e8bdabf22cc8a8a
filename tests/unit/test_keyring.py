"""Sealing and finding again: whole round trips, every single altered byte, rotation, and settings that are wrong."""

from __future__ import annotations

import base64
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.keyring import (
    IndexRing,
    KeyRing,
    KeyRingError,
    SealError,
    UnknownKeyError,
    generate,
    key_id_of,
)

SETTING = "KAWAL_FIELD_KEYS"
CONTEXT = "household_members.identity:0198a7a2"
OLD, NEW = generate(key_id="k1"), generate(key_id="k2")


def ring(text: str) -> KeyRing:
    return KeyRing.parse(text, setting=SETTING)


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


@given(plaintext=st.binary(max_size=300), context=st.text(max_size=60))
def test_what_is_sealed_opens_again_in_the_same_context(plaintext: bytes, context: str) -> None:
    keys = ring(NEW)
    assert keys.open(keys.seal(plaintext, context=context), context=context) == plaintext


@given(data=st.data(), plaintext=st.binary(max_size=40))
def test_no_altered_byte_goes_unnoticed(data: st.DataObject, plaintext: bytes) -> None:
    keys = ring(f"{NEW},{OLD}")
    envelope = bytearray(keys.seal(plaintext, context=CONTEXT))
    place = data.draw(st.integers(0, len(envelope) - 1))
    envelope[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError):
        keys.open(bytes(envelope), context=CONTEXT)


@given(data=st.data())
def test_no_cut_envelope_opens(data: st.DataObject) -> None:
    keys = ring(NEW)
    envelope = keys.seal(b"3206130101010001", context=CONTEXT)
    length = data.draw(st.integers(0, len(envelope) - 1))
    with pytest.raises(SealError):
        keys.open(envelope[:length], context=CONTEXT)


@given(envelope=st.binary(max_size=80))
def test_bytes_that_were_never_sealed_are_refused_and_nothing_else_happens(envelope: bytes) -> None:
    with pytest.raises(SealError):
        ring(NEW).open(envelope, context=CONTEXT)


def test_an_envelope_moved_to_another_row_does_not_open() -> None:
    keys = ring(NEW)
    envelope = keys.seal(b"Siti Aminah", context="household_members.identity:1")
    with pytest.raises(SealError, match="belongs elsewhere"):
        keys.open(envelope, context="household_members.identity:2")


def test_the_same_value_is_sealed_differently_each_time() -> None:
    keys = ring(NEW)
    assert len({keys.seal(b"same", context=CONTEXT) for _ in range(50)}) == 50


def test_after_rotation_old_values_open_and_ask_to_be_sealed_anew() -> None:
    before, after = ring(OLD), ring(f"{NEW},{OLD}")
    old, new = before.seal(b"value", context=CONTEXT), after.seal(b"value", context=CONTEXT)
    assert after.open(old, context=CONTEXT) == b"value"
    assert (key_id_of(old), key_id_of(new)) == ("k1", "k2")
    assert after.needs_rotation(old)
    assert not after.needs_rotation(new)


def test_a_retired_key_is_named_when_a_value_still_needs_it() -> None:
    envelope = ring(OLD).seal(b"value", context=CONTEXT)
    with pytest.raises(UnknownKeyError, match="'k1'") as refusal:
        ring(NEW).open(envelope, context=CONTEXT)
    assert refusal.value.key_id == "k1"


def test_another_key_under_the_same_id_does_not_open() -> None:
    envelope = ring(generate(key_id="k1")).seal(b"value", context=CONTEXT)
    with pytest.raises(SealError, match="altered"):
        ring(generate(key_id="k1")).open(envelope, context=CONTEXT)


GOOD = encoded(bytes(range(32)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "entry 1 is not of the form"),
        (GOOD, "entry 1 is not of the form"),
        (f"k1:{GOOD},", "entry 2 is not of the form"),
        (f"K 1:{GOOD}", "entry 1 is not of the form"),
        (f"{'k' * 33}:{GOOD}", "entry 1 is not of the form"),
        (f"k1:{GOOD},k1:{encoded(bytes(range(1, 33)))}", "'k1' stands there twice"),
        (f"k2:{GOOD},k1:{GOOD}", "'k1' is the same key as another one"),
        (f"k1:{GOOD[:-2]}!!", "'k1' is not standard base64"),
        (f"k1:{GOOD}é", "'k1' is not standard base64"),
        (f"k1:{encoded(bytes(range(16)))}", "'k1' has 16 bytes, not 32"),
        (f"k1:{encoded(bytes(32))}", "'k1' is a placeholder"),
    ],
)
@pytest.mark.parametrize("kind", [KeyRing, IndexRing])
def test_a_wrong_setting_is_named_and_its_keys_are_not(
    kind: type[KeyRing | IndexRing],
    text: str,
    says: str,
) -> None:
    with pytest.raises(KeyRingError) as refusal:
        kind.parse(text, setting=SETTING)
    assert SETTING in str(refusal.value)
    assert says in str(refusal.value)
    assert GOOD[:8] not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_spaces_around_the_entries_of_a_setting_do_no_harm() -> None:
    assert ring(f" {NEW} , {OLD} ").key_ids == ("k2", "k1")


def test_nobody_sees_a_key_by_printing_a_ring() -> None:
    text = f"{NEW},{OLD}"
    shown = repr(ring(text)) + repr(IndexRing.parse(text, setting=SETTING))
    assert "k2" in shown
    for entry in text.split(","):
        secret = entry.partition(":")[2]
        assert secret not in shown
        assert repr(base64.b64decode(secret)) not in shown


def test_a_number_is_found_under_the_old_key_while_keys_are_rotated() -> None:
    before = IndexRing.parse(OLD, setting=SETTING)
    after = IndexRing.parse(f"{NEW},{OLD}", setting=SETTING)
    stored = before.digest("3206130101010001", purpose="nik")
    tried = after.digests("3206130101010001", purpose="nik")
    assert stored in tried
    assert [index.key_id for index in tried] == ["k2", "k1"]
    assert after.digest("3206130101010001", purpose="nik") == tried[0]


@given(
    one=st.tuples(st.text(max_size=8), st.text(max_size=8)),
    other=st.tuples(st.text(max_size=8), st.text(max_size=8)),
)
def test_a_digest_tells_purpose_and_value_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    keys = IndexRing.parse(NEW, setting=SETTING)
    same = one[0] == other[0] and unicodedata.normalize("NFC", one[1]) == unicodedata.normalize("NFC", other[1])
    digests = [keys.digest(value, purpose=purpose) for purpose, value in (one, other)]
    assert (digests[0] == digests[1]) is same
