"""Where people moved to, or came from: another area of the country, or another country."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

from pydantic import StringConstraints

from domain.errors import Violation

AreaCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class Elsewhere(NamedTuple):
    """One end of a move, as a change names it: which end, and the area or country given for it."""

    end: str
    area: str | None
    country: str | None


_REMEDY_AT_HOME: Final = "Submit a circumstances change with the new address."


def check_elsewhere(place: Elsewhere, *, area_code: str) -> list[Violation]:
    """`{end}_unclear` unless one of area and country is given; `{end}_same_village` for the village of the case."""
    if (place.area is None) == (place.country is None):
        return [
            Violation(
                pointer=f"/change/{place.end}_area",
                code=f"{place.end}_unclear",
                detail="People move between areas, or from and to another country.",
                remedy=f"Give one of `{place.end}_area` (the regency is enough) and `{place.end}_country`.",
            ),
        ]
    if place.area == area_code:
        return [
            Violation(
                pointer=f"/change/{place.end}_area",
                code=f"{place.end}_same_village",
                detail="A move inside the village leads neither into it nor out of it.",
                remedy=_REMEDY_AT_HOME,
            ),
        ]
    return []
