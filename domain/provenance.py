"""Where a rule comes from, and the two languages it is told in: the ground of everything that is policy."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.text import ShortText
from domain.vocabulary import Strength


class Datum(BaseModel):
    """A piece of a policy: immutable, and refusing unknown fields, so that a misspelt one is noticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Bilingual(Datum):
    """A text for officers and citizens, Indonesian first because that is the one they read."""

    id: ShortText
    en: ShortText


class Provenance(Datum):
    """What a rule rests on: `source` is shown with it, `strength` keeps a proposal from passing as law."""

    source: ShortText
    strength: Strength
