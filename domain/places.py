"""Places on the ground: where somebody stood, and how far that is from where a village is known to be."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

EARTH_RADIUS_M: Final = 6_371_008.8
"""The mean radius of the earth (IUGG). A sphere is off by half a per cent at most, less than a phone in a valley."""
SOUTH, NORTH = -11.1, 6.2
WEST, EAST = 94.9, 141.1
"""What Indonesia lies between, in degrees: Ndana and Rondo, Benggala and the border on New Guinea."""


class Place(BaseModel):
    """A place by WGS 84, in degrees."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]

    @property
    def in_indonesia(self) -> bool:
        """Whether it lies within the bounds of the country."""
        return SOUTH <= self.latitude <= NORTH and WEST <= self.longitude <= EAST


class Standpoint(Place):
    """Where somebody stood, and within how many metres the device was sure of it."""

    accuracy_m: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]


def distance_m(one: Place, other: Place) -> float:
    """Metres between two places along a great circle, by the haversine formula."""
    rise, turn = radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)
    chord = sin(rise / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(turn / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))
