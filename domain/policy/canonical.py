"""One text for one policy, and where in that text each piece stands."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import BaseModel

from domain.policy.model import Policy


def canonical_json(policy: Policy) -> str:
    """The policy as JSON with sorted keys, sorted sets and no spaces: equal policies give equal text.

    Reading it back gives an equal policy, so a hash of this text names a version for good.
    """
    return json.dumps(policy.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def pieces(value: object, *, pointer: str = "") -> Iterator[tuple[str, BaseModel]]:
    """Every model inside a value, outermost first, with its JSON Pointer (RFC 6901) relative to the value."""
    match value:
        case BaseModel():
            yield pointer, value
            for name in type(value).model_fields:
                yield from pieces(getattr(value, name), pointer=f"{pointer}/{name}")
        case tuple():
            for index, item in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # items of any tuple
                yield from pieces(item, pointer=f"{pointer}/{index}")  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return
