from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.text import IsoDate, PersonName, clean

NAME = TypeAdapter[str](PersonName)
DAY = TypeAdapter[object](IsoDate)


def test_decomposed_and_composed_spelling_are_one_name() -> None:
    assert NAME.validate_python("Cécé  Suhéndar ") == NAME.validate_python(
        unicodedata.normalize("NFD", "Cécé Suhéndar")
    )


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "Asep\x00", "Asep\u202e", "Asep\u200b", "\ud800", "12345", "a" * 101],
)
def test_empty_invisible_letterless_or_overlong_names_are_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(typed)


@given(st.text(min_size=1, max_size=60))
def test_cleaning_twice_changes_nothing(typed: str) -> None:
    try:
        once = clean(typed)
    except ValueError:
        return
    assert clean(once) == once
    assert len(once) <= len(typed)


@pytest.mark.parametrize("typed", [0, 1.5, True, "17-05-1980", "kemarin"])
def test_a_number_is_never_read_as_a_date(typed: object) -> None:
    with pytest.raises(ValidationError):
        DAY.validate_python(typed)
