"""The process that looks at one file: the file on standard input, the verdict on standard output, and its end.

What strangers send is decoded here, without any secret or connection, and under limits of memory and time, so that a
fault in a decoder costs one upload and nothing else.
"""

from __future__ import annotations

import resource
import sys
from typing import Final

from domain.evidence import ContentFault, MediaType
from runtime.evidence.verdicts import Facts, Refusal, Refused

MEMORY: Final = 1024 * 1024 * 1024
"""Bytes of address space. A picture of fifty million pixels takes 150 MB, and is in memory twice for a moment."""
CPU_SECONDS: Final = 20

_RIFF, _WEBP = b"RIFF", b"WEBP"


def media_type_of(content: bytes) -> MediaType | None:
    """What a file is by its first bytes; whether it is so to its end, decoding tells."""
    if content.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if content[:4] == _RIFF and content[8:12] == _WEBP:
        return MediaType.WEBP
    if content.startswith(b"%PDF-"):
        return MediaType.PDF
    return None


def examine(content: bytes) -> tuple[Facts, bytes, bytes]:
    """What is to be known and kept of a file: facts, content, thumbnail (empty without one). Raises Refused."""
    media_type = media_type_of(content)
    if media_type is None:
        raise Refused(ContentFault.UNKNOWN_TYPE)
    if media_type is MediaType.PDF:
        from runtime.evidence.documents import examine_document  # noqa: PLC0415  each file needs one of the two

        document = examine_document(content)
        facts = Facts(
            media_type=media_type,
            pages=document.pages,
            signed=document.signed,
            content=len(document.content),
            thumbnail=0,
        )
        return facts, document.content, b""
    from runtime.evidence.images import examine_picture  # noqa: PLC0415

    picture = examine_picture(content, media_type)
    facts = Facts(
        media_type=media_type,
        width=picture.width,
        height=picture.height,
        coordinates=picture.coordinates,
        taken_at=picture.taken_at,
        content=len(picture.content),
        thumbnail=len(picture.thumbnail),
    )
    return facts, picture.content, picture.thumbnail


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Look at what comes in."""
    _limit()
    out = sys.stdout.buffer
    try:
        facts, content, thumbnail = examine(sys.stdin.buffer.read())
    except Refused as refused:
        out.write(Refusal(fault=refused.fault).model_dump_json().encode() + b"\n")
    except (MemoryError, RecursionError):
        out.write(Refusal(fault=ContentFault.TOO_DEMANDING).model_dump_json().encode() + b"\n")
    else:
        out.write(facts.model_dump_json().encode() + b"\n" + content + thumbnail)
    out.flush()


if __name__ == "__main__":
    main()
