"""What the engine stores: nothing that can be read there, and everything that comes back as it went in."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from domain.keyring import KeyRing, SealError, UnknownKeyError, generate
from domain.vocabulary import Stage
from runtime.codec import SEALED_ENCODING, data_converter

OLD, NEW = generate(key_id="k1"), generate(key_id="k2")
SECRET = "3206130101010001"


class Step(BaseModel):
    """A message like those between workflow and activity."""

    update_id: UUID
    stage: Stage
    due_at: datetime
    note: str


def converter(keys: str | None) -> DataConverter:
    return data_converter(None if keys is None else KeyRing.parse(keys, setting="KAWAL_CODEC_KEYS"))


def a_step() -> Step:
    due = datetime(2026, 3, 2, tzinfo=UTC)
    return Step(update_id=uuid4(), stage=Stage.APPROVAL, due_at=due, note=SECRET)


async def test_a_model_comes_back_whole_and_was_unreadable_on_the_way() -> None:
    step = a_step()
    payloads = await converter(NEW).encode([step, "plain text", None])
    assert all(payload.metadata["encoding"] == SEALED_ENCODING for payload in payloads)
    assert all(payload.metadata["encryption-key-id"] == b"k2" for payload in payloads)
    assert not any(SECRET.encode() in payload.SerializeToString() for payload in payloads)
    # The hint of the third is not the type of None: the null converter does not ask for one.
    assert await converter(NEW).decode(payloads, [Step, str, str]) == [step, "plain text", None]


async def test_a_failure_comes_back_with_its_details_and_cause_and_leaks_neither() -> None:
    error = ApplicationError(f"no member {SECRET}", a_step(), type="not_found", non_retryable=True)
    error.__cause__ = ValueError(f"cause {SECRET}")
    failure = Failure()
    await converter(NEW).encode_failure(error, failure)
    assert SECRET.encode() not in failure.SerializeToString()
    assert failure.application_failure_info.type == "not_found"

    read = await converter(NEW).decode_failure(failure)
    assert isinstance(read, ApplicationError)
    assert (read.message, read.type, read.non_retryable) == (f"no member {SECRET}", "not_found", True)
    assert read.details[0]["note"] == SECRET
    assert isinstance(read.__cause__, ApplicationError)
    assert read.__cause__.message == f"cause {SECRET}"


async def test_a_failure_passed_on_through_several_hands_never_lies_open() -> None:
    cause = ApplicationError(f"first {SECRET}", type="first")
    failure = Failure()
    await converter(NEW).encode_failure(cause, failure)
    for _ in range(2):
        outer = ApplicationError(f"outer {SECRET}", type="outer")
        outer.__cause__ = await converter(NEW).decode_failure(failure)
        failure = Failure()
        await converter(NEW).encode_failure(outer, failure)
        assert SECRET.encode() not in failure.SerializeToString()
    read = await converter(NEW).decode_failure(failure)
    assert isinstance(read, ApplicationError)
    assert read.message == f"outer {SECRET}"


async def test_payloads_of_an_older_key_are_read_after_rotation() -> None:
    payloads = await converter(OLD).encode(["before"])
    assert await converter(f"{NEW},{OLD}").decode(payloads) == ["before"]


async def test_a_key_that_is_gone_is_named_and_the_payload_left_alone() -> None:
    payloads = await converter(OLD).encode(["before"])
    kept = payloads[0].SerializeToString()
    with pytest.raises(UnknownKeyError, match="'k1'"):
        await converter(NEW).decode(payloads)
    assert payloads[0].SerializeToString() == kept


async def test_payloads_that_were_never_sealed_pass_untouched() -> None:
    plain = (await converter(None).encode(["plain"]))[0]
    foreign = Payload(metadata={"encoding": b"binary/somebody-elses"}, data=b"\x00\x01")
    codec = converter(NEW).payload_codec
    assert codec is not None
    opened = await codec.decode([plain, foreign])
    assert opened[0] is plain
    assert opened[1] is foreign
    assert await converter(NEW).decode([plain]) == ["plain"]


async def test_an_altered_payload_is_refused() -> None:
    payload = (await converter(NEW).encode(["value"]))[0]
    payload.data = payload.data[:-1] + bytes([payload.data[-1] ^ 1])
    with pytest.raises(SealError):
        await converter(NEW).decode([payload])


async def test_an_envelope_of_a_database_column_does_not_pass_for_a_payload() -> None:
    ring = KeyRing.parse(NEW, setting="KAWAL_CODEC_KEYS")
    column = ring.seal(Payload(data=b"{}").SerializeToString(), context="households.kk:1")
    with pytest.raises(SealError):
        await converter(NEW).decode([Payload(metadata={"encoding": SEALED_ENCODING}, data=column)])


async def test_without_a_ring_the_payload_is_plain_json() -> None:
    payload = (await converter(None).encode([{"a": 1}]))[0]
    assert (payload.metadata["encoding"], payload.data) == (b"json/plain", b'{"a":1}')
