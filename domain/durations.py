"""How long a stage may take, and when a rung of its ladder comes, as a policy writes it.

Four forms of a duration, told apart by their key:

    {"working_days": 5}
    {"calendar_days": 60}
    {"elapsed": "PT20S"}
    {"window_close": "musdes", "at_least": {"working_days": 3}}

Three forms of a rung's offset: {"share": 0.5} of the deadline, or {"working_days": 2} or {"elapsed": "PT5S"} past it.
What they mean on a calendar is said in `domain/deadlines.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Strict, Tag

MAX_WORKING_DAYS: Final = 1_000
MAX_CALENDAR_DAYS: Final = 3_660
MAX_ELAPSED: Final = timedelta(days=MAX_CALENDAR_DAYS)
"""Nothing here waits for more than ten years, so a slip of the pen cannot make a deadline take minutes to count."""


_SECONDS: Final = r"(?:[1-9][0-9]{0,4}(?:\.[0-9]{1,6})?|0\.[0-9]{0,5}[1-9])S"
_TIME: Final = (
    rf"T(?:[1-9][0-9]{{0,3}}H(?:[1-9][0-9]{{0,4}}M)?(?:{_SECONDS})?|[1-9][0-9]{{0,4}}M(?:{_SECONDS})?|{_SECONDS})"
)
_DAYS: Final = rf"[1-9][0-9]{{0,2}}D(?:{_TIME})?"
_ELAPSED: Final = rf"^P(?:[1-9]Y(?:{_DAYS}|{_TIME})?|10Y(?:10?D)?|{_DAYS}|{_TIME})$"
"""Durations of up to ten years as they are written out; what is read may also be written in other ways of ISO 8601."""


def _iso_8601_only(value: object) -> object:
    """Refuse what pydantic would also read as a timedelta: bare numbers of seconds, `00:20`, signs."""
    if isinstance(value, timedelta) or (isinstance(value, str) and value.startswith("P")):
        return value
    msg = 'an ISO 8601 duration is expected, such as "PT20S", "PT8H" or "P2D"'
    raise ValueError(msg)


def _integral(value: object) -> object:
    """What JSON writes as 811.0 is the integer 811 (JSON Schema 2020-12, validation, 6.1.1); 811.5 stays as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


INTEGRAL: Final = BeforeValidator(_integral)
"""For a strict integer, after its bounds: it may be written as JSON writes numbers."""


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkingDays(_Form):
    """Days on which the regency's offices are open (hari kerja)."""

    working_days: Annotated[int, Strict(), Field(ge=1, le=MAX_WORKING_DAYS), INTEGRAL]


class CalendarDays(_Form):
    """Days of the calendar, weekends and holidays included (hari kalender)."""

    calendar_days: Annotated[int, Strict(), Field(ge=1, le=MAX_CALENDAR_DAYS), INTEGRAL]


class Elapsed(_Form):
    """Time by the clock, in JSON an ISO 8601 duration; for machines and for policies that a person watches."""

    elapsed: Annotated[
        timedelta,
        BeforeValidator(_iso_8601_only),
        Field(gt=timedelta(0), le=MAX_ELAPSED, json_schema_extra={"pattern": _ELAPSED}),
    ]


class WindowClose(_Form):
    """The close of the next window of this name that opens at least so many working days later."""

    window_close: Literal["musdes"]
    at_least: WorkingDays


class Share(_Form):
    """A part of the deadline itself: 0.5 is half-way, 1 the deadline."""

    share: Annotated[float, Strict(), Field(gt=0, le=1)]


def _form_of(*keys: str) -> Callable[[Any], str | None]:
    """Tell the form by the one key among `keys` that is there; none or several is no form."""

    def form(value: object) -> str | None:
        if isinstance(value, Mapping):
            names = set(cast("Mapping[object, object]", value))
        elif isinstance(value, BaseModel):
            names = set(type(value).model_fields)
        else:
            return None
        found = [key for key in keys if key in names]
        return found[0] if len(found) == 1 else None

    return form


Duration: TypeAlias = Annotated[
    Annotated[WorkingDays, Tag("working_days")]
    | Annotated[CalendarDays, Tag("calendar_days")]
    | Annotated[Elapsed, Tag("elapsed")]
    | Annotated[WindowClose, Tag("window_close")],
    Discriminator(
        _form_of("working_days", "calendar_days", "elapsed", "window_close"),
        custom_error_type="duration_form",
        custom_error_message=(
            'a duration is exactly one of {"working_days": 5}, {"calendar_days": 60}, {"elapsed": "PT20S"} '
            'and {"window_close": "musdes", "at_least": {"working_days": 3}}'
        ),
    ),
]

After: TypeAlias = Annotated[
    Annotated[Share, Tag("share")] | Annotated[WorkingDays, Tag("working_days")] | Annotated[Elapsed, Tag("elapsed")],
    Discriminator(
        _form_of("share", "working_days", "elapsed"),
        custom_error_type="after_form",
        custom_error_message=(
            'a rung comes after exactly one of {"share": 0.5} of the deadline, {"working_days": 2} past it '
            'and {"elapsed": "PT5S"} past it'
        ),
    ),
]
