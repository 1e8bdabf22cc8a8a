"""Where partners call back."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.deps import FrontDep, anyone
from domain.origins import Means, act_by
from runtime.connectors.ministry import verify_callback
from services.ministry import take_answer

router = APIRouter(tags=["partners"])


class Received(BaseModel):
    """That an answer has been taken in, and whether it had been before."""

    received: Literal["now", "before"]


@router.post("/callbacks/ministry", dependencies=[anyone(because="the Ministry signs what it sends")])
async def ministry_answers(request: Request, at_front: FrontDep) -> Received:
    """Take the Ministry's answer to a proposal, signed as Standard Webhooks describe. Sent again it changes nothing."""
    secret = at_front.settings.ministry_webhook_secret.get_secret_value()
    answer = verify_callback(secret, request.headers, await request.body())
    act_by(Means.PARTNER)
    first = await take_answer(at_front.kawal, answer)
    return Received(received="now" if first else "before")
