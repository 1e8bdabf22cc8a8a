"""How invented households live: the poorer the rank, the plainer the house. Plausible shares, measured nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final, Generic, TypeVar

from devstack.chances import Chances
from domain.circumstances import (
    Circumstances,
    CookingFuel,
    Floor,
    Lighting,
    Ownership,
    Roof,
    Sewage,
    Toilet,
    Wall,
    WaterSource,
)

T = TypeVar("T")

HIGHEST_RANK: Final = 5


class Shares(Generic[T]):
    """Values with their weights among the poorest (desil 1) and at desil 5; ranks between lie between."""

    def __init__(self, weights: Mapping[T, tuple[float, float]]) -> None:
        self._by_rank = {rank: Chances(_at(rank, weights)) for rank in range(1, HIGHEST_RANK + 1)}

    def draw(self, rng: Random, *, rank: int) -> T:
        """One value, as likely as it is at this rank."""
        return self._by_rank[rank].draw(rng)


def _at(rank: int, weights: Mapping[T, tuple[float, float]]) -> dict[T, float]:
    share = (rank - 1) / (HIGHEST_RANK - 1)
    return {value: poorest * (1 - share) + better * share for value, (poorest, better) in weights.items()}


OWNERSHIP = Shares({Ownership.OWNED: (80, 88), Ownership.RENT_FREE: (18, 8), Ownership.RENTED: (2, 4)})
FLOOR = Shares(
    {
        Floor.EARTH: (8, 0.5),
        Floor.BAMBOO: (12, 1),
        Floor.WOOD: (30, 12),
        Floor.CEMENT: (32, 25),
        Floor.TILE_TERRAZZO: (6, 10),
        Floor.CERAMIC: (12, 51.5),
    },
)
WALL = Shares(
    {
        Wall.WOVEN_BAMBOO: (38, 6),
        Wall.BAMBOO: (6, 1),
        Wall.WOOD: (22, 10),
        Wall.PLASTERED_BAMBOO: (8, 5),
        Wall.MASONRY: (26, 78),
    },
)
ROOF = Shares({Roof.TILE: (82, 88), Roof.ASBESTOS: (8, 7), Roof.ZINC: (5, 3), Roof.THATCH: (5, 0.2)})
WATER = Shares(
    {
        WaterSource.UNPROTECTED_SPRING: (18, 5),
        WaterSource.PROTECTED_SPRING: (34, 28),
        WaterSource.UNPROTECTED_WELL: (12, 3),
        WaterSource.PROTECTED_WELL: (24, 26),
        WaterSource.BOREHOLE: (6, 16),
        WaterSource.REFILL: (4, 16),
        WaterSource.PIPED: (2, 6),
    },
)
POWER_VA = Shares({0: (14, 1), 450: (66, 40), 900: (19, 48), 1300: (1, 11)})
FUEL = Shares({CookingFuel.FIREWOOD: (48, 8), CookingFuel.LPG_3KG: (52, 91), CookingFuel.LPG_LARGE: (0, 1)})
TOILET = Shares({Toilet.PRIVATE: (52, 90), Toilet.SHARED: (20, 6), Toilet.PUBLIC: (22, 3.5), Toilet.NONE: (6, 0.5)})
SEWAGE = Shares(
    {Sewage.SEPTIC_TANK: (24, 66), Sewage.PIT: (20, 14), Sewage.WATER_BODY: (54, 19.5), Sewage.OPEN_GROUND: (2, 0.5)},
)
MOTORCYCLES = Shares({0: (72, 20), 1: (26, 62), 2: (2, 18)})
TELEVISIONS = Shares({0: (40, 12), 1: (60, 88)})
REFRIGERATORS = Shares({0: (88, 38), 1: (12, 62)})
SMARTPHONES = Shares({0: (34, 8), 1: (44, 30), 2: (20, 42), 3: (2, 20)})
GOATS = Shares({0: (86, 90), 1: (5, 2), 2: (6, 4), 4: (3, 4)})
FARMLAND_M2 = Shares({0: (74, 52), 350: (12, 14), 700: (9, 16), 1400: (4, 12), 2800: (1, 6)})
BANK_ACCOUNT = Shares({False: (46, 34), True: (54, 66)})


def circumstances(rng: Random, *, rank: int, members: int) -> Circumstances:
    """The living conditions of a household of this desil and size."""
    power = POWER_VA.draw(rng, rank=rank)
    return Circumstances(
        ownership=OWNERSHIP.draw(rng, rank=rank),
        floor_area_m2=18 + 5 * rank + 4 * members + rng.randrange(20),
        floor=FLOOR.draw(rng, rank=rank),
        wall=WALL.draw(rng, rank=rank),
        roof=ROOF.draw(rng, rank=rank),
        water_source=WATER.draw(rng, rank=rank),
        lighting=Lighting.GRID_METERED if power else Lighting.GRID_SHARED,
        power_va=power,
        cooking_fuel=FUEL.draw(rng, rank=rank),
        toilet=TOILET.draw(rng, rank=rank),
        sewage=SEWAGE.draw(rng, rank=rank),
        motorcycles=MOTORCYCLES.draw(rng, rank=rank),
        televisions=TELEVISIONS.draw(rng, rank=rank),
        refrigerators=REFRIGERATORS.draw(rng, rank=rank),
        smartphones=SMARTPHONES.draw(rng, rank=rank),
        goats_sheep=GOATS.draw(rng, rank=rank),
        farmland_m2=FARMLAND_M2.draw(rng, rank=rank),
        bank_account=BANK_ACCOUNT.draw(rng, rank=rank),
        monthly_income_idr=50_000 * round((8 + 6 * rank + 3 * members) * rng.uniform(0.7, 1.4)),
    )
