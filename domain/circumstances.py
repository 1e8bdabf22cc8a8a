"""How a household lives: address, housing, assets. Every field may be unknown, so that a proposal may be partial.

The fields follow the ground-check form of the social registry: 26 household variables on house, water, energy,
assets and livestock. `None` means unknown in a stored household and "not proposed" in a change: a fact once
known is replaced, never unlearned.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from domain.text import ShortText

RtRw = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,3}$"),
    AfterValidator(lambda number: number.zfill(3)),
]
"""Number of a neighbourhood unit, kept as three digits: `1` and `001` are the same RT."""


class Address(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """Where the household lives inside its village."""

    street: ShortText | None = Field(default=None, description="Jalan or kampung and house number")
    hamlet: ShortText | None = Field(default=None, description="Dusun")
    rt: RtRw | None = Field(default=None, description="Rukun tetangga, three digits")
    rw: RtRw | None = Field(default=None, description="Rukun warga, three digits")
    landmark: ShortText | None = Field(default=None, description="What the house is found by")


class Ownership(StrEnum):
    """On what right the house is lived in (status penguasaan bangunan)."""

    OWNED = "owned"
    RENTED = "rented"
    RENT_FREE = "rent_free"
    OFFICIAL = "official"
    OTHER = "other"


class Floor(StrEnum):
    """Main material of the floor (jenis lantai terluas)."""

    MARBLE_GRANITE = "marble_granite"
    CERAMIC = "ceramic"
    VINYL_CARPET = "vinyl_carpet"
    TILE_TERRAZZO = "tile_terrazzo"
    WOOD = "wood"
    CEMENT = "cement"
    BAMBOO = "bamboo"
    EARTH = "earth"
    OTHER = "other"


class Wall(StrEnum):
    """Main material of the walls (jenis dinding terluas)."""

    MASONRY = "masonry"
    PLASTERED_BAMBOO = "plastered_bamboo"
    WOOD = "wood"
    WOVEN_BAMBOO = "woven_bamboo"
    LOGS = "logs"
    BAMBOO = "bamboo"
    OTHER = "other"


class Roof(StrEnum):
    """Main material of the roof (jenis atap terluas)."""

    CONCRETE = "concrete"
    TILE = "tile"
    ZINC = "zinc"
    ASBESTOS = "asbestos"
    BAMBOO = "bamboo"
    SHINGLE = "shingle"
    THATCH = "thatch"
    OTHER = "other"


class WaterSource(StrEnum):
    """Main source of drinking water (sumber air minum)."""

    BOTTLED = "bottled"
    REFILL = "refill"
    PIPED = "piped"
    BOREHOLE = "borehole"
    PROTECTED_WELL = "protected_well"
    UNPROTECTED_WELL = "unprotected_well"
    PROTECTED_SPRING = "protected_spring"
    UNPROTECTED_SPRING = "unprotected_spring"
    SURFACE = "surface"
    RAIN = "rain"
    OTHER = "other"


class Lighting(StrEnum):
    """Main source of light (sumber penerangan)."""

    GRID_METERED = "grid_metered"
    GRID_SHARED = "grid_shared"
    OTHER_ELECTRIC = "other_electric"
    NONE_ELECTRIC = "none_electric"


class CookingFuel(StrEnum):
    """Main energy for cooking (bahan bakar memasak)."""

    ELECTRICITY = "electricity"
    LPG_LARGE = "lpg_large"
    LPG_3KG = "lpg_3kg"
    CITY_GAS = "city_gas"
    BIOGAS = "biogas"
    KEROSENE = "kerosene"
    CHARCOAL = "charcoal"
    FIREWOOD = "firewood"
    NO_COOKING = "no_cooking"
    OTHER = "other"


class Toilet(StrEnum):
    """Who uses the toilet (fasilitas buang air besar)."""

    PRIVATE = "private"
    SHARED = "shared"
    PUBLIC = "public"
    NONE = "none"


class Sewage(StrEnum):
    """Where the toilet drains to (tempat pembuangan akhir tinja)."""

    SEPTIC_TANK = "septic_tank"
    TREATMENT_PLANT = "treatment_plant"
    WATER_BODY = "water_body"
    PIT = "pit"
    OPEN_GROUND = "open_ground"
    OTHER = "other"


Count = Annotated[int, Field(ge=0, le=999)]


class Circumstances(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """Housing, energy, assets and income. Areas in square metres, power in volt-ampere, money in whole rupiah."""

    ownership: Ownership | None = None
    floor_area_m2: Annotated[int, Field(ge=1, le=5_000)] | None = None
    floor: Floor | None = None
    wall: Wall | None = None
    roof: Roof | None = None
    water_source: WaterSource | None = None
    lighting: Lighting | None = None
    power_va: Annotated[int, Field(ge=0, le=200_000)] | None = Field(
        default=None,
        description="Installed electric power: 450, 900, 1300, 2200 or more; 0 without a meter",
    )
    cooking_fuel: CookingFuel | None = None
    toilet: Toilet | None = None
    sewage: Sewage | None = None
    refrigerators: Count | None = None
    televisions: Count | None = None
    air_conditioners: Count | None = None
    computers: Count | None = None
    smartphones: Count | None = None
    bicycles: Count | None = None
    motorcycles: Count | None = None
    cars: Count | None = None
    boats: Count | None = None
    gold_grams: Annotated[int, Field(ge=0, le=100_000)] | None = None
    farmland_m2: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    other_houses: Count | None = None
    cattle: Count | None = None
    buffaloes: Count | None = None
    horses: Count | None = None
    goats_sheep: Count | None = None
    bank_account: bool | None = None
    internet: bool | None = None
    monthly_income_idr: Annotated[int, Field(ge=0, le=10_000_000_000)] | None = None
