"""Uploads that are resumed, as tus 1.0.0 speaks of them over HTTP: headers read, headers written.

https://tus.io/protocols/resumable-upload: core, creation, termination, expiration and checksum.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from pydantic import ValidationError
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.validation import violations_of
from domain.errors import InvalidInput, NotFound, UploadProtocolUnsupported, Violation, WrongContentType
from domain.uploads import Upload, UploadInput
from services.evidence.checksum import ALGORITHMS, Checksum

VERSION: Final = "1.0.0"
PREFIX: Final = "/v1/evidence/uploads"
BODY_TYPE: Final = "application/offset+octet-stream"
BODY_TYPES: Final = (BODY_TYPE, "application/octet-stream")
"""The protocol's own, and bytes by their plain name, for clients that know no other."""
ABILITIES: Final = {
    "Tus-Version": VERSION,
    "Tus-Extension": "creation,termination,expiration,checksum",
    "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
}

_BASE64: Final = r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"
_PAIR: Final = rf"[a-zA-Z0-9_.-]{{1,40}} {_BASE64}"

_DIGEST_BYTES: Final = {"sha1": 20, "sha256": 32}
_COORDINATES: Final = ("latitude", "longitude", "accuracy_m")


class Resumable:
    """Says the version of the protocol in every answer below its addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return

        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Tus-Resumable"] = VERSION
            await send(message)

        await self._app(scope, receive, send_with_version)


async def _speaks(
    tus_resumable: Annotated[
        str,
        Header(
            max_length=20,
            pattern=r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$",
            json_schema_extra={"enum": [VERSION]},
            description="The version of the protocol that the client speaks",
        ),
    ],
) -> None:
    if tus_resumable != VERSION:
        raise UploadProtocolUnsupported("The request speaks another version of the protocol.")


speaks_tus = Depends(_speaks)
"""For `dependencies=[...]`: the request is one of the protocol."""


async def _wanted(
    upload_length: Annotated[
        int, Header(json_schema_extra={"minimum": 1, "maximum": 2**31 - 1}, description="Bytes of the file")
    ],
    upload_metadata: Annotated[
        str,
        Header(
            max_length=2000,
            json_schema_extra={"pattern": rf"^(?:{_PAIR},)*area_code {_BASE64}(?:,{_PAIR})*$"},
            description="`key base64(value)`, separated by commas: `area_code` of the village, `type` of the evidence, "
            "and `coordinates` (`latitude,longitude` or `latitude,longitude,accuracy in metres`) if the device knows "
            "where it is. Other keys, such as `filename`, are not kept.",
        ),
    ],
) -> UploadInput:
    """What the client is about to send. Raises InvalidInput, NotFound for what is the code of no village."""
    told = _metadata(upload_metadata)
    if "area_code" not in told:
        raise InvalidInput([_bad("upload-metadata", "Name the village as `area_code`.")])
    document: dict[str, object] = {key: told[key] for key in ("area_code", "type") if key in told}
    if not _is_village(document.get("area_code")):
        raise NotFound("There is no such village for you.", pointer="/header/upload-metadata/area_code")
    document["length"] = upload_length
    if "coordinates" in told:
        document["coordinates"] = _coordinates(told["coordinates"])
    try:
        return UploadInput.model_validate(document)
    except ValidationError as invalid:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in invalid.errors()]
        raise InvalidInput([_in_header(each) for each in violations_of(faults, body=document)]) from None


WantedUpload = Annotated[UploadInput, Depends(_wanted)]

UploadOffset = Annotated[
    int, Header(alias="Upload-Offset", ge=0, description="Where the first byte of the body belongs")
]


async def _announced_checksum(
    upload_checksum: Annotated[
        str | None,
        Header(
            max_length=200,
            json_schema_extra={"pattern": r"^(?:sha1 [A-Za-z0-9+/]{27}=|sha256 [A-Za-z0-9+/]{43}=)$"},
            description="`sha1` or `sha256`, a blank, and the digest of the body in base64",
        ),
    ] = None,
) -> Checksum | None:
    if upload_checksum is None:
        return None
    algorithm, _, encoded = upload_checksum.partition(" ")
    digest = _decoded(encoded)
    if digest is None or _DIGEST_BYTES.get(algorithm) != len(digest):
        raise InvalidInput([_bad("upload-checksum", f"Use one of {', '.join(ALGORITHMS)}, a blank, and base64.")])
    return Checksum(algorithm, digest)


ChecksumDep = Annotated[Checksum | None, Depends(_announced_checksum)]


async def body_pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises WrongContentType before, ConnectionAbortedError where the line breaks."""
    if request.headers.get("content-type") not in BODY_TYPES:
        raise WrongContentType("The body did not come as bytes at an offset.", remedy=f"Send it as `{BODY_TYPE}`.")
    try:
        async for piece in request.stream():
            if piece:
                yield piece
    except ClientDisconnect:
        raise ConnectionAbortedError from None


def upload_headers(upload: Upload) -> dict[str, str]:
    """Where the upload stands, and until when it waits."""
    return {
        "Upload-Offset": str(upload.received),
        "Upload-Length": str(upload.length),
        "Upload-Expires": format_datetime(upload.expires_at.replace(microsecond=0), usegmt=True),
    }


def _metadata(header: str) -> dict[str, str]:
    """The values by their keys; raises InvalidInput for what is not written as the protocol has it."""
    told: dict[str, str] = {}
    for pair in header.split(","):
        key, _, encoded = pair.strip().partition(" ")
        value = _decoded(encoded)
        if not key or value is None or key in told:
            raise InvalidInput([_bad("upload-metadata", "Write `key base64(value)`, each key once, with commas.")])
        told[key] = value.decode(errors="replace")
    return told


def _is_village(code: object) -> bool:
    return isinstance(code, str) and re.fullmatch(r"[0-9]{2}(\.[0-9]{2}){2}\.[0-9]{4}", code) is not None


def _coordinates(written: str) -> dict[str, object]:
    values = dict(zip(_COORDINATES, written.split(","), strict=False))
    return {**values, "source": "device"}


def _decoded(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _in_header(violation: Violation) -> Violation:
    """A fault of what headers said: the length stands in one of its own, the rest in the metadata."""
    header = "upload-length" if violation.pointer == "/length" else f"upload-metadata{violation.pointer}"
    return violation.model_copy(update={"pointer": f"/header/{header}"})


def _bad(header: str, remedy: str) -> Violation:
    return Violation(
        pointer=f"/header/{header}",
        code="value_refused",
        detail=f"The header `{header}` is not written as the protocol has it.",
        remedy=remedy,
    )
