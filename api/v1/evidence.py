"""Reading evidence: what stands behind an update, and the files themselves, whole or from where the line broke."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse

from api.deps import ActorDep, KawalDep, requires
from api.openapi import refusals
from api.ranges import Span, asked_span
from domain.authority import Actor, Permission
from domain.evidence import MediaType
from services.kawal import Kawal
from services.queries.evidence import Download, EvidenceOfCase, list_evidence, open_evidence

router = APIRouter(tags=["evidence"], dependencies=[requires(Permission.EVIDENCE_READ)])

_BYTES: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file", "content": {each.value: _BYTES for each in MediaType}},
    206: {"description": "The range of it", "content": {each.value: _BYTES for each in MediaType}},
    304: {"description": "You hold this file already."},
    **refusals(410, 416),
}
_SANDBOX: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""A file that a browser opens may load nothing, run nothing, and is of no origin."""

Range = Annotated[str | None, Header(alias="Range", max_length=100, description="`bytes=START-`, to go on")]
IfRange = Annotated[str | None, Header(max_length=200, description="The ETag of what you hold a part of")]
IfNoneMatch = Annotated[str | None, Header(max_length=1000, description="The ETag of what you hold")]


@router.get("/updates/{update_id}/evidence")
async def list_evidence_of_update(update_id: UUID, actor: ActorDep, kawal: KawalDep) -> EvidenceOfCase:
    """What stands behind an update: files with when and about where they were taken, and papers by their number."""
    return await list_evidence(kawal, actor, update_id)


@router.get("/evidence/{evidence_id}", response_class=Response, responses=_FILES)
async def download(
    evidence_id: UUID,
    actor: ActorDep,
    kawal: KawalDep,
    wanted: Range = None,
    if_range: IfRange = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A file, written anew without what its camera noted in it. That you read it is written down."""
    return await _hand_out(kawal, actor, evidence_id, wanted, if_range, if_none_match, thumbnail=False)


@router.get("/evidence/{evidence_id}/thumbnail", response_class=Response, responses=_FILES)
async def download_thumbnail(
    evidence_id: UUID,
    actor: ActorDep,
    kawal: KawalDep,
    wanted: Range = None,
    if_range: IfRange = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A small JPEG of a picture, for lists on weak lines. That you read it is written down."""
    return await _hand_out(kawal, actor, evidence_id, wanted, if_range, if_none_match, thumbnail=True)


async def _hand_out(
    kawal: Kawal,
    actor: Actor,
    evidence_id: UUID,
    wanted: str | None,
    if_range: str | None,
    if_none_match: str | None,
    *,
    thumbnail: bool,
) -> Response:
    found = await open_evidence(kawal, actor, evidence_id, thumbnail=thumbnail)
    headers = _headers(found)
    if headers["ETag"] in {tag.strip() for tag in (if_none_match or "").split(",")}:
        return Response(status_code=304, headers=headers)
    current = if_range is None or if_range.strip() == headers["ETag"]
    span = asked_span(wanted, size=found.size) if current else None
    if span is None:
        return _streamed(found, Span(0, found.size), 200, headers)
    headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{found.size}"
    return _streamed(found, span, 206, headers)


def _streamed(found: Download, span: Span, status: int, headers: dict[str, str]) -> Response:
    headers["Content-Length"] = str(span.stop - span.start)
    body = found.read(span.start, span.stop)
    return StreamingResponse(body, status, headers, media_type=found.media_type.value)


def _headers(found: Download) -> dict[str, str]:
    shown = "attachment" if found.media_type is MediaType.PDF else "inline"
    name = f"{found.type.value}-{found.id}.{found.media_type.suffix}"
    return {
        "ETag": f'"{found.sha256}"',
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'{shown}; filename="{name}"',
        "Content-Security-Policy": _SANDBOX,
        "Cache-Control": "private, no-store",
    }
