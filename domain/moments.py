"""Moments that people write down: in this century, with their zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def _within_reach(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("is not a moment between the years 2000 and 2100")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_within_reach)]
"""A slip of the pen cannot make a deadline take minutes to count."""
