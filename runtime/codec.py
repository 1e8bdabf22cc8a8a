"""How values travel through the workflow engine: pydantic JSON, sealed so that its store cannot read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

from domain.keyring import KeyRing, SealError, key_id_of

SEALED_ENCODING: Final = b"binary/encrypted"
KEY_ID_METADATA: Final = "encryption-key-id"
NOT_OPENED_METADATA: Final = "not-opened"

# Bound into every payload, so that an envelope of a database column cannot pass for a payload, nor the reverse.
# Not the workflow's id: the engine's web pages ask for payloads to be opened without saying whose they are.
_CONTEXT: Final = "temporal.payload.v1"


class SealingCodec(PayloadCodec):
    """Seals whole payloads, metadata included, with the ring's active key; opens those of every key it holds.

    The key id stands in the metadata for operators; the envelope's own is the one that counts. Payloads that
    are not sealed pass through untouched, so that a history begun without a ring can still be read. One that is
    sealed and does not open raises `SealError`: the workflow task fails and is tried again, nothing is lost.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal each payload."""
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open each payload that is sealed; raises `SealError`."""
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        envelope = self._ring.seal(payload.SerializeToString(), context=_CONTEXT)
        metadata = {"encoding": SEALED_ENCODING, KEY_ID_METADATA: key_id_of(envelope).encode()}
        return Payload(metadata=metadata, data=envelope)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != SEALED_ENCODING:
            return payload
        try:
            return Payload.FromString(self._ring.open(payload.data, context=_CONTEXT))
        except DecodeError:
            raise SealError("the envelope holds no payload") from None


async def open_each(codec: PayloadCodec | None, payloads: Sequence[Payload]) -> list[Payload]:
    """The payloads opened, for eyes: one that does not open stays as it is, with `not-opened` in its metadata."""
    return [await _shown(codec, payload) for payload in payloads]


async def _shown(codec: PayloadCodec | None, payload: Payload) -> Payload:
    if codec is None:
        return payload
    try:
        (opened,) = await codec.decode([payload])
    except SealError as fault:
        marked = Payload()
        marked.CopyFrom(payload)
        marked.metadata[NOT_OPENED_METADATA] = str(fault).encode()
        return marked
    return opened


def data_converter(ring: KeyRing | None) -> DataConverter:
    """The converter that every client and worker uses; without a ring, payloads stay readable in the engine.

    Messages and stack traces of failures are payloads too, so that they are sealed like everything else.
    """
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=None if ring is None else SealingCodec(ring),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
