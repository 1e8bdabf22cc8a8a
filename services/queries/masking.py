"""Numbers of persons as officers may see them: four digits, dots, four digits; also where somebody typed them."""

from __future__ import annotations

import re

from domain.changes import CHANGE_ADAPTER, Change
from domain.changes.results import masked_value
from domain.evidence import EvidenceRef
from domain.household import Household
from domain.identity import mask

_NUMBER = re.compile(r"(?<![0-9])[0-9]{16}(?![0-9])")


def masked_household(household: Household) -> Household:
    """The household with its KK number and every NIK masked."""
    return Household.model_validate(masked_value("", household.model_dump(mode="json")))


def masked_change(change: Change) -> Change:
    """What is proposed, with every number masked."""
    return CHANGE_ADAPTER.validate_python(masked_value("", change.model_dump(mode="json")))


def masked_text(text: str) -> str:
    """A text with every number in it masked that has the length of a NIK or KK number."""
    return _NUMBER.sub(lambda found: mask(found.group()), text)


def masked_paper(paper: EvidenceRef) -> EvidenceRef:
    """A paper; the number of an identity card is a NIK."""
    note = None if paper.note is None else masked_text(paper.note)
    return paper.model_copy(update={"reference": masked_text(paper.reference), "note": note})
