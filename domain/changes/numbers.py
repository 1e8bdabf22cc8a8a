"""The NIK and KK numbers that a change brings in, so that a duplicate is found wherever else the number stands."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from domain.changes.registry import Change

_PURPOSES = {"nik": "nik", "kk_number": "kk"}


def numbers_of(change: Change) -> dict[str, list[str]]:
    """The numbers by purpose, `nik` and `kk`, each once and in order."""
    found: dict[str, list[str]] = {"nik": [], "kk": []}
    for purpose, number in _walk(change.model_dump(mode="json")):
        if number not in found[purpose]:
            found[purpose].append(number)
    return found


def _walk(value: JsonValue) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, inner in value.items():
                if name in _PURPOSES and isinstance(inner, str):
                    yield _PURPOSES[name], inner
                else:
                    yield from _walk(inner)
        case list():
            for inner in value:
                yield from _walk(inner)
        case _:
            return
