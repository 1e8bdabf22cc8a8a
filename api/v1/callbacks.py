"""Where partners call back."""

from __future__ import annotations

from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.deps import FrontDep, anyone
from api.openapi import refusals
from domain.origins import Means, act_by
from runtime.connectors.ministry import verify_callback
from services.ministry import take_answer

router = APIRouter(tags=["partners"])

_SIGNED: Final[dict[str, Any]] = {
    "parameters": [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": words}
        for name, words in (
            ("webhook-id", "Names the delivery, and is the same when it is sent again"),
            ("webhook-timestamp", "When it was sent, in seconds since 1970; at most five minutes from now"),
            (
                "webhook-signature",
                "`v1,` and the base64 of an HMAC-SHA256 under the shared secret; several, with blanks",
            ),
        )
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ProposalAnswered"}}},
    },
}


class Received(BaseModel):
    """That an answer has been taken in, and whether it had been before."""

    received: Literal["now", "before"]


@router.post(
    "/callbacks/ministry",
    responses=refusals(401),
    openapi_extra=_SIGNED,
    dependencies=[anyone(because="the Ministry signs what it sends")],
)
async def ministry_answers(request: Request, at_front: FrontDep) -> Received:
    """Take the Ministry's answer to a proposal, signed as Standard Webhooks describe. Sent again it changes nothing."""
    secret = at_front.settings.ministry_webhook_secret.get_secret_value()
    answer = verify_callback(secret, request.headers, await request.body())
    act_by(Means.PARTNER)
    first = await take_answer(at_front.kawal, answer)
    return Received(received="now" if first else "before")
