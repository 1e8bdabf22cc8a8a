"""Area codes as people and machines write them: a node of the Kemendagri tree, or `*` where the nation is meant."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import Field

_CODE: Final = r"[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?"
AREA: Final = f"^{_CODE}$"
"""How a province, regency, district or village is written; Python, PostgreSQL and JSON Schema read it alike."""
REGENCY: Final = r"^[0-9]{2}\.[0-9]{2}$"
"""How a regency is written."""
VILLAGE: Final = r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}$"
"""How a village is written."""
AREA_OR_NATION: Final = rf"^(\*|{_CODE})$"

AreaCode = Annotated[str, Field(pattern=AREA, examples=["32.06.13"])]
"""The code of a province, regency, district or village. Whether there is such an area, the database knows."""
VillageCode = Annotated[str, Field(pattern=VILLAGE, examples=["32.06.13.2001"])]
AreaOrNation = Annotated[str, Field(pattern=AREA_OR_NATION, examples=["32.06.13"])]
"""The same, or `*` for the whole nation."""

_area_or_nation = re.compile(AREA_OR_NATION)


def is_area(code: str) -> bool:
    """Whether this is written as an area is, or as the nation."""
    return _area_or_nation.fullmatch(code) is not None
