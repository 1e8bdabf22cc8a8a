"""Aid programmes, and what was last settled here about a household or a person and each of them.

Three facts stay three: the data decision, the rank, and the enrolment, which is the programme's own. What stands here
is what the regency has told a programme, never that somebody receives aid.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel


class Programme(StrEnum):
    """A programme that households are proposed for through the registry."""

    PKH = "pkh"
    SEMBAKO = "sembako"
    PBI_JK = "pbi_jk"


class Standing(StrEnum):
    """Proposed, or proposed anew after the programme had ended it; left because no longer needed, or by wish."""

    PROPOSED = "proposed"
    REACTIVATION_PROPOSED = "reactivation_proposed"
    GRADUATED = "graduated"
    WITHDRAWN = "withdrawn"


class Programmes(BaseModel, frozen=True, extra="forbid"):
    """The standing of a household in the programmes for households; None where nothing was ever settled."""

    pkh: Standing | None = None
    sembako: Standing | None = None
