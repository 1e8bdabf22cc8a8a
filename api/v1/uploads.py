"""Uploading evidence over weak lines: begun once, resumed as often as the line breaks (tus 1.0.0)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field

from api.deps import ActorDep, FrontDep, KawalDep, OptionalIdempotencyKey, anyone, requires
from api.openapi import refusals
from api.resumable import (
    ABILITIES,
    BODY_TYPES,
    PREFIX,
    ChecksumDep,
    UploadOffset,
    WantedUpload,
    body_pieces,
    speaks_tus,
    upload_headers,
)
from domain.authority import Permission
from domain.errors import InvalidInput, Violation
from domain.evidence import ContentFault, EvidenceType
from domain.ids import new_id
from domain.uploads import Upload
from services.evidence.uploads import (
    add_to_upload,
    begin_upload,
    end_upload,
    list_uploads,
    read_upload,
    settled_upload,
)
from services.keyed import Call
from services.queries.evidence import FileFacts, read_file_facts

router = APIRouter(tags=["evidence"], prefix="/evidence/uploads")

_MAY_UPLOAD: Final = requires(Permission.EVIDENCE_UPLOAD)
_EMPTY: Final = 204
_BYTES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {each: {"schema": {"type": "string", "format": "binary"}} for each in BODY_TYPES},
    },
}

_OF_ONE: Final = refusals(410, 412)
_OF_BYTES: Final = refusals(410, 412, 423, 460)


class UploadState(StrEnum):
    """Where an upload stands."""

    RECEIVING = "receiving"
    RECEIVED = "received"
    KEPT = "kept"
    REFUSED = "refused"


class UploadFacts(BaseModel):
    """An upload of your own."""

    id: UUID = Field(description="Becomes the id of the evidence")
    area_code: str
    type: EvidenceType
    state: UploadState = Field(description="`received`: whole, and still to be looked at; ask with HEAD")
    offset: int = Field(description="Bytes that have arrived")
    length: int
    expires_at: datetime
    fault: ContentFault | None = Field(description="Why the content was refused")
    file: FileFacts | None = Field(description="The file as it is kept; null before, and in lists")


@router.options(
    "",
    status_code=_EMPTY,
    response_class=Response,
    dependencies=[anyone(because="says which protocol is spoken here, and nothing else")],
)
async def describe_uploads(front: FrontDep) -> Response:
    """What of the protocol is spoken here."""
    most = str(front.settings.evidence_max_bytes)
    return Response(status_code=_EMPTY, headers={**ABILITIES, "Tus-Max-Size": most})


@router.post(
    "", status_code=201, response_class=Response, responses=refusals(412, 413), dependencies=[_MAY_UPLOAD, speaks_tus]
)
async def begin(
    wanted: WantedUpload,
    actor: ActorDep,
    kawal: KawalDep,
    key: OptionalIdempotencyKey = None,
) -> Response:
    """Begin an upload; `Location` is where its bytes go. Sent again with its Idempotency-Key, it is the same upload."""
    upload = await begin_upload(kawal, Call(actor=actor, key=key or str(new_id()), at=kawal.now()), wanted)
    return Response(status_code=201, headers={**upload_headers(upload), "Location": f"{PREFIX}/{upload.id}"})


@router.get("", dependencies=[_MAY_UPLOAD])
async def list_own(actor: ActorDep, kawal: KawalDep) -> list[UploadFacts]:
    """Your uploads that have not expired, the newest first; a hundred at most."""
    return [_facts(upload, None) for upload in await list_uploads(kawal, actor)]


@router.get("/{upload_id}", responses=refusals(410), dependencies=[_MAY_UPLOAD])
async def read_own(upload_id: UUID, actor: ActorDep, kawal: KawalDep) -> UploadFacts:
    """Where one of your uploads stands, in words, and what became of the file."""
    upload = await read_upload(kawal, actor, upload_id)
    file = None if upload.finished_at is None else await read_file_facts(kawal, actor, upload_id)
    return _facts(upload, file)


@router.head(
    "/{upload_id}",
    response_class=Response,
    responses={**_OF_ONE, **refusals(423)},
    dependencies=[_MAY_UPLOAD, speaks_tus],
)
async def ask_offset(upload_id: UUID, actor: ActorDep, kawal: KawalDep) -> Response:
    """Where the next byte belongs (`Upload-Offset`). When it is the length, the file has been looked at and is kept."""
    upload = await settled_upload(kawal, actor, upload_id)
    return Response(status_code=200, headers=upload_headers(upload))


@router.patch(
    "/{upload_id}",
    status_code=_EMPTY,
    response_class=Response,
    dependencies=[_MAY_UPLOAD, speaks_tus],
    responses=_OF_BYTES,
    openapi_extra=_BYTES,
)
async def add_bytes(
    upload_id: UUID,
    request: Request,
    offset: UploadOffset,
    checksum: ChecksumDep,
    actor: ActorDep,
    kawal: KawalDep,
) -> Response:
    """Add bytes at `Upload-Offset`, as many as the line carries; the last one has the file looked at and kept."""
    pieces = body_pieces(request)
    upload = await add_to_upload(kawal, actor, upload_id, offset=offset, pieces=pieces, checksum=checksum)
    return Response(status_code=_EMPTY, headers=upload_headers(upload))


@router.delete("/{upload_id}", status_code=_EMPTY, responses=_OF_ONE, dependencies=[_MAY_UPLOAD, speaks_tus])
async def give_up(upload_id: UUID, actor: ActorDep, kawal: KawalDep) -> None:
    """Give an upload up, with what has arrived."""
    await end_upload(kawal, actor, upload_id)


@router.post(
    "/{upload_id}",
    status_code=_EMPTY,
    response_class=Response,
    dependencies=[_MAY_UPLOAD, speaks_tus],
    responses=_OF_BYTES,
    openapi_extra=_BYTES,
)
async def add_bytes_as_post(
    upload_id: UUID,
    request: Request,
    offset: UploadOffset,
    checksum: ChecksumDep,
    actor: ActorDep,
    kawal: KawalDep,
    method: Annotated[
        str | None,
        Header(alias="X-HTTP-Method-Override", max_length=10, json_schema_extra={"enum": ["PATCH"]}),
    ] = None,
) -> Response:
    """The same as PATCH, for lines whose proxies let only GET and POST pass; `X-HTTP-Method-Override: PATCH`."""
    if method != "PATCH":
        raise InvalidInput([_NOT_PATCH])
    return await add_bytes(upload_id, request, offset, checksum, actor, kawal)


_NOT_PATCH: Final = Violation(
    pointer="/header/x-http-method-override",
    code="value_refused",
    detail="Bytes are added with PATCH; a POST has to say that it stands for one.",
    remedy="Send `X-HTTP-Method-Override: PATCH`, or use PATCH itself.",
)


def _facts(upload: Upload, file: FileFacts | None) -> UploadFacts:
    return UploadFacts(
        id=upload.id,
        area_code=upload.area_code,
        type=upload.type,
        state=_state(upload),
        offset=upload.received,
        length=upload.length,
        expires_at=upload.expires_at,
        fault=upload.fault,
        file=file,
    )


def _state(upload: Upload) -> UploadState:
    if upload.fault is not None:
        return UploadState.REFUSED
    if upload.finished_at is not None:
        return UploadState.KEPT
    return UploadState.RECEIVED if upload.complete else UploadState.RECEIVING
