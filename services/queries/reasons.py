"""A coded reason in words, as the policy of the case has them."""

from __future__ import annotations

from pydantic import Field

from domain.policy import Policy
from domain.provenance import Bilingual
from domain.reasons import Mender
from domain.vocabulary import ReasonCode
from services.queries.view import Text, View


class Reason(View):
    """Why a case was returned or rejected."""

    code: ReasonCode
    label: Text
    who_mends: Mender = Field(description="Who can put it right; `nobody` where only an appeal is left")
    paper: Text | None = Field(description="With which paper")


def text_of(words: Bilingual) -> Text:
    """A text of the policy, for an answer."""
    return Text(id=words.id, en=words.en)


def reason_of(code: str | None, policy: Policy) -> Reason | None:
    """The reason of this code; None for none."""
    if code is None:
        return None
    rule = policy.reason(ReasonCode(code))
    return Reason(
        code=rule.code,
        label=text_of(rule.label),
        who_mends=rule.who_mends,
        paper=None if rule.paper is None else text_of(rule.paper),
    )
