"""The remote codec of the workflow engine's pages and command line: sealed payloads in, clear ones out.

`temporal workflow show --codec-endpoint URL/codec --codec-auth "Bearer TOKEN"` asks it, and so do the engine's web
pages from the browser of whoever looks at them. The form is that of Temporal: `Payloads` as protobuf's JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from temporalio.api.common.v1 import Payload, Payloads

from api.deps import ActorDep, KawalDep, requires
from domain.authority import Permission
from domain.errors import InvalidInput, Violation
from services.engine_reading import read_payloads

_MOST: Final = 1000
_PREFIX: Final = "/codec"

_LONGEST: Final = 3_000_000
"""Characters of base64: the engine takes no payload above two megabytes."""

Encoded = Annotated[str, StringConstraints(max_length=_LONGEST, pattern=r"^[A-Za-z0-9+/_-]*={0,2}$")]

router = APIRouter(prefix=_PREFIX, tags=["operations"])


class SealedPayload(BaseModel):
    """A payload as protobuf's JSON has it: metadata and data in base64."""

    model_config = ConfigDict(extra="ignore")

    metadata: dict[str, Encoded] = Field(default_factory=dict, max_length=50)
    data: Encoded = ""


class PayloadList(BaseModel):
    """Payloads, in an order that the answer keeps."""

    model_config = ConfigDict(extra="ignore")

    payloads: list[SealedPayload] = Field(default_factory=list, max_length=_MOST)


@router.post("/decode", dependencies=[requires(Permission.ENGINE_READ)])
async def decode_payloads(sealed: PayloadList, actor: ActorDep, kawal: KawalDep) -> PayloadList:
    """Open payloads of the engine. Every use is in the read log; one that does not open says so in its metadata."""
    opened = await read_payloads(kawal, actor, [_payload(i, each) for i, each in enumerate(sealed.payloads)])
    return PayloadList.model_validate(MessageToDict(Payloads(payloads=opened)))


def _payload(place: int, sealed: SealedPayload) -> Payload:
    try:
        return ParseDict(sealed.model_dump(), Payload())
    except (ParseError, ValueError):
        raise InvalidInput(
            [
                Violation(
                    pointer=f"/payloads/{place}",
                    code="payload_malformed",
                    detail="This is no payload: its metadata and data are base64.",
                    remedy="Send it as the engine gave it.",
                ),
            ],
        ) from None


class CodecCors:
    """Lets the engine's web pages, of the origins given, ask the codec from a browser, and nothing else."""

    def __init__(self, app: ASGIApp, *, origins: tuple[str, ...]) -> None:
        self._app = app
        self._shared: Any = CORSMiddleware(
            app,
            allow_origins=list(origins),
            allow_methods=["POST"],
            allow_headers=["Authorization", "Content-Type", "X-Namespace"],
            allow_credentials=True,
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        of_codec = scope["type"] == "http" and scope["path"].startswith(f"{_PREFIX}/")
        await (self._shared if of_codec else self._app)(scope, receive, send)
