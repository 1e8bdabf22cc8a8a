"""Numbers of persons as officers may see them: four digits, dots, four digits; also where somebody typed them."""

from __future__ import annotations

import re
from typing import Annotated, cast

from pydantic import Field, JsonValue

from domain.changes import Change, without_objector
from domain.changes.results import masked_value
from domain.evidence import EvidenceRef
from domain.household import Household
from domain.identity import mask

_NUMBER = re.compile(r"(?<![0-9])[0-9]{16}(?![0-9])")


Masked = Annotated[
    dict[str, JsonValue],
    Field(description="NIK and KK numbers as `3206••••••••0001`, birth dates as `1982-••-••`; else as it was sent"),
]
"""A household or a change as lists and cases show it. No longer one by its types: a masked date is none."""


def masked_household(household: Household) -> Masked:
    """The household with what tells its people apart masked."""
    return cast("Masked", masked_value("", household.model_dump(mode="json")))


def masked_change(change: Change, *, objector: bool) -> Masked:
    """What is proposed, with what tells people apart masked, and without who objected unless `objector` says so."""
    shown = change if objector else without_objector(change)
    return cast("Masked", masked_value("", shown.model_dump(mode="json")))


def masked_text(text: str) -> str:
    """A text with every number in it masked that has the length of a NIK or KK number."""
    return _NUMBER.sub(lambda found: mask(found.group()), text)


def masked_paper(paper: EvidenceRef) -> EvidenceRef:
    """A paper; the number of an identity card is a NIK."""
    told = {"reference": paper.reference, "note": paper.note}
    return paper.model_copy(update={name: text and masked_text(text) for name, text in told.items()})
