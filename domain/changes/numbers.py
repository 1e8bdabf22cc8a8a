"""The NIK and KK numbers that a change brings in, so that a duplicate is found wherever else the number stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import JsonValue

from domain.changes.registry import Change

_PURPOSES = {"nik": "nik", "kk_number": "kk"}


class PlacedNumber(NamedTuple):
    """A number, what it is (`nik` or `kk`), and where in the request it stands."""

    purpose: str
    number: str
    pointer: str


def placed_numbers(change: Change) -> list[PlacedNumber]:
    """Every number of the change, in order; pointers are those of the request, `/change/members/0/nik`."""
    return list(_walk(change.model_dump(mode="json"), pointer="/change"))


def numbers_of(change: Change) -> dict[str, list[str]]:
    """The numbers by purpose, `nik` and `kk`, each once and in order."""
    return by_purpose(placed_numbers(change))


def by_purpose(placed: list[PlacedNumber]) -> dict[str, list[str]]:
    """These numbers by purpose, `nik` and `kk`, each once and in order."""
    return {
        purpose: list(dict.fromkeys(held.number for held in placed if held.purpose == purpose))
        for purpose in _PURPOSES.values()
    }


def _walk(value: JsonValue, *, pointer: str) -> Iterator[PlacedNumber]:
    match value:
        case dict():
            for name, inner in value.items():
                if name in _PURPOSES and isinstance(inner, str):
                    yield PlacedNumber(_PURPOSES[name], inner, f"{pointer}/{name}")
                else:
                    yield from _walk(inner, pointer=f"{pointer}/{name}")
        case list():
            for position, inner in enumerate(value):
                yield from _walk(inner, pointer=f"{pointer}/{position}")
        case _:
            return
