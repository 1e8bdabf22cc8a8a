"""The Ministry's gateway (SIKS-NG, Pusdatin): proposals go out, signed answers come back."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator
from standardwebhooks import Webhook, WebhookVerificationError

from domain.errors import InvalidInput, PartnerUnavailable, Unauthenticated, Violation
from domain.vocabulary import Kind, ReasonCode
from runtime.connectors.http import PartnerHttp

PARTNER = "ministry"


class Proposal(BaseModel):
    """One approved update as the Ministry receives it; `decided` lists who decided what, stage by stage."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    update_id: str = Field(min_length=1, max_length=100)
    kind: Kind
    area_code: str
    household_version: int | None = None
    change: dict[str, Any] = Field(repr=False)
    decided: list[dict[str, Any]] = Field(repr=False)
    submitted_at: AwareDatetime


class Receipt(BaseModel):
    """The Ministry has the proposal; the answer follows by callback under the same `receipt_no`."""

    model_config = ConfigDict(frozen=True)

    receipt_no: str = Field(min_length=1, max_length=100)
    update_id: str


class MinistryVerdict(StrEnum):
    """What the Ministry makes of a proposal. A return goes back to approval, a rejection closes the case."""

    ACCEPTED = "accepted"
    RETURNED = "returned"
    REJECTED = "rejected"


class MinistryAnswer(BaseModel):
    """A verified answer. `webhook_id` is the same in every delivery of it: the key to record it once by."""

    model_config = ConfigDict(frozen=True)

    webhook_id: str
    update_id: str
    receipt_no: str
    answer: MinistryVerdict
    reason: ReasonCode | None
    note: str


class _AnsweredProposal(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    update_id: str = Field(min_length=1, max_length=100)
    receipt_no: str = Field(min_length=1, max_length=100)
    answer: MinistryVerdict
    reason: ReasonCode | None = None
    note: str = Field(default="", max_length=4000)

    @model_validator(mode="after")
    def _refusal_has_a_reason(self) -> Self:
        if (self.reason is None) != (self.answer is MinistryVerdict.ACCEPTED):
            raise ValueError("A return or a rejection names its reason, an acceptance has none.")
        return self


class ProposalAnswered(BaseModel):
    """What the gateway calls back with."""

    type: Literal["proposal.answered"]
    proposal: _AnsweredProposal


class MinistryClient:
    """A client of the gateway, for one event loop; `timeout` in seconds bounds one whole call."""

    def __init__(self, url: str, token: str, *, timeout: float = 15.0) -> None:
        self._http = PartnerHttp(url, token, partner=PARTNER, timeout=timeout)

    async def push(self, proposal: Proposal, *, idempotency_key: str) -> Receipt:
        """Hand a proposal over. The same key with the same proposal gives the same receipt, however often.

        Raises `PartnerUnavailable` when it is not known whether the gateway has it (repeat with the same
        key); `PartnerContractError` when it refuses, status 422 when the key served another proposal.
        """
        receipt = await self._http.post(
            "/v1/proposals",
            body=proposal,
            answer=Receipt,
            headers={"Idempotency-Key": idempotency_key},
        )
        if receipt.update_id != proposal.update_id:
            raise PartnerUnavailable(
                "The Ministry's gateway sent the receipt of another proposal.",
                data={"partner": PARTNER, "cause": "foreign_receipt", "retry_after": None},
            )
        return receipt

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._http.aclose()


def verify_callback(secret: str, headers: Mapping[str, str], body: bytes) -> MinistryAnswer:
    """Check the signature of a callback (Standard Webhooks, https://www.standardwebhooks.com) and read it.

    Raises `Unauthenticated` when a header is missing, no signature fits the secret or the time stamp is more
    than five minutes away from now; `InvalidInput` when a rightly signed body is not an answer. A repeated
    delivery is no error here: within five minutes it verifies again, with the same `webhook_id`.
    """
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:  # ValueError: garbled base64, UTF-8 or header
        raise Unauthenticated(
            "The callback does not carry a valid signature.",
            remedy="Sign it with the shared secret at the time of sending, within five minutes of true time.",
        ) from error
    try:
        proposal = ProposalAnswered.model_validate_json(body).proposal
    except ValidationError as error:
        raise InvalidInput(_violations(error), detail="The callback is not an answered proposal.") from None
    webhook_id = next(value for name, value in headers.items() if name.lower() == "webhook-id")
    return MinistryAnswer(webhook_id=webhook_id, **proposal.model_dump())


def _violations(error: ValidationError) -> list[Violation]:
    return [
        Violation(
            pointer="".join(f"/{step}" for step in problem["loc"]),
            code=problem["type"],
            detail=problem["msg"],
            remedy="Send the callback as its contract describes it.",
        )
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
