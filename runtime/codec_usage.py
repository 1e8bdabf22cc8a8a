"""Which codec keys the engine still keeps payloads under: histories cannot be sealed anew, only be forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import cast

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from runtime.codec import KEY_ID_METADATA


async def keys_of_histories(client: Client) -> AsyncIterator[frozenset[str]]:
    """Of each run that the engine keeps, the keys that its events are sealed under.

    All of them: while processes are replaced, an older one still seals under the older key what comes later in a
    history. The client must be one without a codec.
    """
    async for execution in client.list_workflows():
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        found: set[str] = set()
        async for event in handle.fetch_history_events():
            found.update(_key_ids(event))
        yield frozenset(found)


def _key_ids(message: Message) -> Iterator[str]:
    if isinstance(message, Payload):
        named = message.metadata.get(KEY_ID_METADATA)
        if named:
            yield named.decode()
        return
    for _, value in message.ListFields():
        for part in _parts(value):
            if isinstance(part, Message):
                yield from _key_ids(part)


def _parts(value: object) -> Iterable[object]:
    match value:
        case Mapping():
            return cast("Mapping[str, object]", value).values()
        case Message() | str() | bytes() | int() | float():
            return (value,)
        case _:
            return cast("Iterable[object]", value)
