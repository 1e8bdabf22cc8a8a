"""PDF: read by qpdf, looked through object by object, and written anew without what a paper does not need.

A PDF that carries an electronic signature is kept byte for byte, since writing it anew would break the signature that
makes it worth something. Only the examiner's process imports this.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final, NamedTuple

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from domain.evidence import ContentFault
from runtime.evidence.verdicts import Refused

MOST_PAGES: Final = 50

_ACTIVE_KEYS: Final = frozenset({"/JS", "/JavaScript", "/AA", "/EF", "/XFA", "/RichMediaContent", "/Launch"})
_ACTIVE_ACTIONS: Final = frozenset(
    {
        *("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition"),
        *("/Sound", "/Movie", "/RichMediaExecute", "/GoTo3DView", "/SetOCGState", "/Trans", "/Hide"),
    },
)
_ACTIVE_PARTS: Final = frozenset({"/RichMedia", "/Screen", "/Movie", "/Sound", "/3D", "/FileAttachment"})
_METADATA: Final = ("/Metadata", "/PieceInfo", "/LastModified")
_DEEPEST: Final = 100

_SOI: Final = b"\xff\xd8"
_START_OF_SCAN: Final = 0xDA
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_COMMENT: Final = 0xFE
_APPLICATION_SEGMENTS: Final = range(0xE0, 0xF0)
_KEPT_SEGMENTS: Final = frozenset({0xE0, 0xEE})
"""APP0 (JFIF) and APP14 (Adobe): without them the colours change."""


class Document(NamedTuple):
    """A PDF as it is to be kept."""

    content: bytes
    pages: int
    signed: bool


def examine_document(content: bytes) -> Document:
    """The document anew. Raises Refused for one that is protected, too long, damaged, or does things."""
    try:
        with Pdf.open(BytesIO(content), attempt_recovery=True) as pdf:
            return _examine(pdf, content)
    except pikepdf.PasswordError as fault:
        raise Refused(ContentFault.ENCRYPTED) from fault
    except (Refused, MemoryError):
        raise
    except Exception as fault:  # the parser meets anything: PdfError, ValueError, TypeError, RuntimeError, ...
        raise Refused(ContentFault.BROKEN) from fault


def _examine(pdf: Pdf, content: bytes) -> Document:
    if pdf.is_encrypted:
        raise Refused(ContentFault.ENCRYPTED)
    pages = len(pdf.pages)
    if pages == 0:
        raise Refused(ContentFault.BROKEN)
    if pages > MOST_PAGES:
        raise Refused(ContentFault.TOO_MANY_PAGES)
    signed = False
    for part in _dictionaries(pdf):
        if _is_active(part):
            raise Refused(ContentFault.ACTIVE_CONTENT)
        signed = signed or ("/ByteRange" in part and "/Contents" in part)
    return Document(content if signed else _written_anew(pdf), pages, signed)


def _dictionaries(pdf: Pdf) -> Iterator[Any]:
    """Every dictionary and stream of the document, those inside others too, reachable or not."""
    yield pdf.trailer
    for held in pdf.objects:
        yield from _inside(held, depth=0)


def _inside(held: Object, *, depth: int) -> Iterator[Any]:
    if depth > _DEEPEST:
        raise Refused(ContentFault.TOO_DEMANDING)
    if isinstance(held, Dictionary | Stream):
        yield held
        children: Any = [value for _, value in held.items()]
    elif isinstance(held, Array):
        children = list(held)
    else:
        return
    for child in children:
        if isinstance(child, Dictionary | Array) and not child.is_indirect:
            yield from _inside(child, depth=depth + 1)


def _is_active(part: Any) -> bool:
    if not _ACTIVE_KEYS.isdisjoint(part.keys()):
        return True
    return _name(part, "/S") in _ACTIVE_ACTIONS or _name(part, "/Subtype") in _ACTIVE_PARTS


def _name(part: Any, key: str) -> str | None:
    value = part.get(key)
    return str(value) if isinstance(value, Name) else None


def _written_anew(pdf: Pdf) -> bytes:
    """Without the names of authors and programs, and without what cameras wrote into embedded pictures."""
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    for part in _dictionaries(pdf):
        for key in _METADATA:
            if key in part:
                del part[key]
        if isinstance(part, Stream) and _filters(part) == ["/DCTDecode"]:
            _strip(part)
    out = BytesIO()
    pdf.save(out, deterministic_id=True, fix_metadata_version=False)
    return out.getvalue()


def _filters(stream: Any) -> list[str]:
    filters = stream.get("/Filter")
    return [str(each) for each in filters] if isinstance(filters, Array) else [str(filters)]


def _strip(stream: Any) -> None:
    parameters = stream.get("/DecodeParms")
    stream.write(without_metadata(stream.read_raw_bytes()), filter=Name.DCTDecode, decode_parms=parameters)


def without_metadata(jpeg: bytes) -> bytes:
    """A JPEG without comments and application segments, such as Exif, but those that colours depend on.

    Raises ValueError for what is no JPEG up to its picture.
    """
    if not jpeg.startswith(_SOI):
        raise ValueError("not a JPEG")
    kept, at = [_SOI], len(_SOI)
    while True:
        if jpeg[at] != 0xFF:  # noqa: PLR2004  every marker begins so
            raise ValueError("no marker where one belongs")
        marker = jpeg[at + 1]
        if marker == 0xFF:  # noqa: PLR2004  fill bytes may stand before a marker
            at += 1
            continue
        if marker == _START_OF_SCAN:
            return b"".join((*kept, jpeg[at:]))
        end = at + 2 if marker in _STANDALONE else at + 2 + int.from_bytes(jpeg[at + 2 : at + 4])
        if end > len(jpeg):
            raise ValueError("a segment is cut short")
        if not _is_metadata(marker):
            kept.append(jpeg[at:end])
        at = end


def _is_metadata(marker: int) -> bool:
    return marker == _COMMENT or (marker in _APPLICATION_SEGMENTS and marker not in _KEPT_SEGMENTS)
