"""The glossary knows every word of the vocabulary, in both languages, and says the same as the code."""

from __future__ import annotations

from enum import Enum, StrEnum
from pathlib import Path

import pytest

from domain import vocabulary
from domain.evidence import EvidenceType
from domain.pauses import PauseCause
from domain.policy import Power, RungAction
from domain.public_words import KIND_LABELS
from domain.reasons import DEFAULT_REASONS

GLOSSARY = Path(__file__).resolve().parents[2] / "docs/glossary.md"
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in GLOSSARY.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| ---")
]
VOCABULARY = [kind for kind in vars(vocabulary).values() if isinstance(kind, type) and issubclass(kind, Enum)]


def values() -> list[str]:
    kinds = [kind for kind in VOCABULARY if issubclass(kind, StrEnum) and kind is not StrEnum]
    more = [EvidenceType, PauseCause, Power, RungAction]
    return sorted({word.value for kind in [*kinds, *more] for word in kind})


@pytest.mark.parametrize("value", values())
def test_every_value_has_its_indonesian_word(value: str) -> None:
    rows = [row for row in ROWS if row[0] == f"`{value}`"]

    assert rows
    assert all(len(row) == 3 and row[1] for row in rows)


def test_every_level_of_the_area_tree_has_a_word() -> None:
    for level in vocabulary.AreaLevel:
        assert next(row[2] for row in ROWS if row[0] == f"`{level.name.lower()}`").startswith(f"level {level.value}")


def test_no_value_stands_there_that_the_code_does_not_know() -> None:
    assert {row[0].strip("`") for row in ROWS if row[0].startswith("`")} == set(values())


def test_no_term_is_explained_twice_in_one_table() -> None:
    for section in GLOSSARY.read_text().split("\n## ")[1:]:
        terms = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
        assert len(terms) == len(set(terms))


def test_reasons_and_kinds_are_worded_as_officers_read_them() -> None:
    for reason in DEFAULT_REASONS:
        assert (f"`{reason.code.value}`", reason.label.id, reason.label.en) in ROWS
    for kind, label in KIND_LABELS.items():
        assert [row[1] for row in ROWS if row[0] == f"`{kind.value}`"] == [label.id]
