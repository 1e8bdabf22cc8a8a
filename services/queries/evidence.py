"""Reading evidence: what stands behind a case, and the files themselves, each reading of which is written down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Evidence, MinutesRecord, Revision, Update, UpdateEvidence
from db.repositories.cases import open_papers, papers_context
from db.repositories.disclosure import Read, Reader, log_readings
from db.session import Viewer
from db.vault import Vault
from domain.authority import Actor, Permission
from domain.disclosure import Purpose
from domain.errors import EvidenceErased, NotFound
from domain.evidence import Capture, Coordinates, EvidenceRef, EvidenceType, MediaType, capture_context
from runtime.evidence.archive import OpenFile
from runtime.evidence.objects import MissingObjectError
from services.kawal import Kawal
from services.queries.case import read_scoped_case
from services.queries.masking import masked_paper
from services.queries.view import PersonRef, View
from services.queries.who import read_who


class FileFacts(View):
    """An uploaded file as it is kept."""

    id: UUID
    media_type: MediaType
    size: int = Field(description="Bytes")
    sha256: str = Field(description="Of the content as it is handed out")
    received_sha256: str = Field(description="Of the file as it was sent, before it was written anew")
    width: int | None
    height: int | None
    pages: int | None
    signed: bool = Field(description="A PDF with an electronic signature, which is kept as it came")
    scanned: bool = Field(description="Whether a virus scanner let it pass")
    coordinates: Coordinates | None = Field(
        description="About where it was taken, within `accuracy_m`; exactly by `POST /v1/updates/{id}/unmask`",
    )
    taken_at: datetime | None
    uploaded_by: PersonRef | None
    kept_at: datetime
    erased_at: datetime | None
    links: dict[str, str] = Field(description="`content`, and `thumbnail` of a picture; none of an erased file")


class PaperOfCase(View):
    """One piece of evidence of a case: a file, a paper that the village keeps, or both."""

    type: EvidenceType
    reference: str | None
    note: str | None
    revisions: tuple[int, ...] = Field(
        description="The revisions of the update that name it; none of a file that came for a repair which waits, "
        "nor of a photo of a ground check"
    )
    file: FileFacts | None


class EvidenceOfCase(View):
    """Everything that stands behind a case, in the order in which it was first named."""

    items: tuple[PaperOfCase, ...]


@dataclass(frozen=True, slots=True)
class Download:
    """A file about to be handed out."""

    id: UUID
    type: EvidenceType
    media_type: MediaType
    size: int
    sha256: str
    file: OpenFile

    def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `stop`."""
        return self.file.read(start, stop)


async def list_evidence(kawal: Kawal, actor: Actor, update_id: UUID) -> EvidenceOfCase:
    """The evidence of a case, in all its revisions, with about where its pictures were taken.

    Raises NotFound or Forbidden.
    """
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        await read_scoped_case(connection, actor, update_id, permission=Permission.EVIDENCE_READ)
        named = await _named(connection, update_id, vault=kawal.vault)
        rows = {row.id: row for row in await connection.execute(_files_of(update_id))}
        who = await read_who(connection, people=(row.uploaded_by for row in rows.values()))
    kept = {row.id for row in rows.values() if row.erased_at is None}
    unnamed = kept - {paper.evidence_id for paper in named}
    named |= {EvidenceRef(type=rows[each].type, evidence_id=each): () for each in sorted(unnamed)}
    return EvidenceOfCase(
        items=tuple(
            PaperOfCase(
                type=paper.type,
                reference=paper.reference,
                note=paper.note,
                revisions=revisions,
                file=None if row is None else _facts(kawal, row, who.person(row.uploaded_by)),
            )
            for paper, revisions in named.items()
            for row in (rows.get(paper.evidence_id) if paper.evidence_id is not None else None,)
        ),
    )


async def open_evidence(kawal: Kawal, actor: Actor, evidence_id: UUID, *, thumbnail: bool) -> Download:
    """A file, or its small picture, for somebody with authority over it; that they read it is logged first.

    A file that stands behind no case is its uploader's alone, but for the scan of recorded minutes. Raises NotFound,
    Forbidden, EvidenceErased, EvidenceUnavailable.
    """
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        row = (await connection.execute(_ONE.where(Evidence.id == evidence_id))).one_or_none()
        if row is None or not (row.update_id or row.of_minutes or row.uploaded_by == actor.user_id):
            raise NotFound(f"There is no file {evidence_id} for you.")
        seat = actor.seat_for(Permission.EVIDENCE_READ, area_code=row.area_code)
        if row.erased_at is not None:
            raise EvidenceErased(f"The file was erased on {row.erased_at:%Y-%m-%d}.")
        if thumbnail and row.thumbnail_sha256 is None:
            raise NotFound("There is no small picture of a PDF.", remedy="Read the file itself.")
        reader = Reader(
            user_id=actor.user_id,
            seat=seat,
            purpose=Purpose.EVIDENCE_REVIEW,
            explanation=f"{row.type}, {'its small picture' if thumbnail else 'the file'}",
        )
        await log_readings(connection, reader, [_reading(row)], at=kawal.now(), vault=kawal.vault)
    digest = (row.thumbnail_sha256 if thumbnail else row.sha256).hex()
    size = row.thumbnail_size if thumbnail else row.size
    try:
        file = await kawal.evidence.archive.open(digest, size=size)
    except MissingObjectError:
        raise RuntimeError(f"the content of evidence {evidence_id} is not in the store") from None
    media_type = MediaType.JPEG if thumbnail else MediaType(row.media_type)
    return Download(evidence_id, EvidenceType(row.type), media_type, size, digest, file)


async def read_file_facts(kawal: Kawal, actor: Actor, evidence_id: UUID) -> FileFacts:
    """What is known of a file of the actor's own. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        wanted = _FILES.where(Evidence.id == evidence_id, Evidence.uploaded_by == actor.user_id)
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no file {evidence_id} for you.")
        who = await read_who(connection, people=(row.uploaded_by,))
    return _facts(kawal, row, who.person(row.uploaded_by))


def _reading(row: Row[*tuple[Any, ...]]) -> Read:
    return Read(
        subject="evidence",
        area_code=row.area_code,
        household_id=row.household_id,
        update_id=row.update_id,
        evidence_id=row.id,
    )


_FILES = select(Evidence.__table__)
_ONE = (
    select(
        Evidence.__table__,
        UpdateEvidence.update_id,
        Update.household_id,
        exists().where(MinutesRecord.scan_id == Evidence.id).label("of_minutes"),
    )
    .outerjoin(UpdateEvidence, UpdateEvidence.evidence_id == Evidence.id)
    .outerjoin(Update, Update.id == UpdateEvidence.update_id)
)


def _files_of(update_id: UUID) -> Any:
    return _FILES.join(UpdateEvidence, UpdateEvidence.evidence_id == Evidence.id).where(
        UpdateEvidence.update_id == update_id,
    )


async def _named(connection: AsyncConnection, update_id: UUID, *, vault: Vault) -> dict[EvidenceRef, tuple[int, ...]]:
    """What the revisions name, masked, each with the numbers of the revisions that do."""
    rows = await connection.execute(
        select(Revision.revision, Revision.evidence, Revision.papers)
        .where(Revision.update_id == update_id)
        .order_by(Revision.revision),
    )
    named: dict[EvidenceRef, tuple[int, ...]] = {}
    for row in rows:
        for item in open_papers(row, context=papers_context(update_id, row.revision), vault=vault):
            paper = masked_paper(item)
            named[paper] = (*named.get(paper, ()), row.revision)
    return named


def _facts(kawal: Kawal, row: Row[*tuple[Any, ...]], uploader: PersonRef | None) -> FileFacts:
    capture = Capture()
    if row.capture is not None:
        capture = kawal.vault.open(row.capture, Capture, context=capture_context(row.id))
    address = f"/v1/evidence/{row.id}"
    small = {} if row.thumbnail_sha256 is None else {"thumbnail": f"{address}/thumbnail"}
    return FileFacts(
        id=row.id,
        media_type=MediaType(row.media_type),
        size=row.size,
        sha256=row.sha256.hex(),
        received_sha256=row.received_sha256.hex(),
        width=row.width,
        height=row.height,
        pages=row.pages,
        signed=row.signed,
        scanned=row.scanned,
        coordinates=capture.coordinates and capture.coordinates.blurred(),
        taken_at=capture.taken_at,
        uploaded_by=uploader,
        kept_at=row.kept_at,
        erased_at=row.erased_at,
        links={} if row.erased_at is not None else {"content": address, **small},
    )
