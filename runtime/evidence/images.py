"""Pictures: decoded within bounds, turned upright, and encoded anew from nothing but their pixels.

Only the examiner's process imports this: decoders meet what strangers send.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Final, NamedTuple

from PIL import ExifTags, Image, ImageOps

from domain.evidence import ContentFault, Coordinates, MediaType
from runtime.evidence.verdicts import Refused

MOST_PIXELS: Final = 50_000_000
LONGEST_EDGE: Final = 3000
"""Pixels of the longer side as kept: a sheet of A4 at 256 dots an inch. What is larger is scaled down."""
THUMBNAIL_EDGE: Final = 320

_FORMATS: Final[Mapping[MediaType, str]] = {
    MediaType.JPEG: "JPEG",
    MediaType.PNG: "PNG",
    MediaType.WEBP: "WEBP",
}
_ENCODING: Final[Mapping[MediaType, dict[str, Any]]] = {
    MediaType.JPEG: {"format": "JPEG", "quality": 85, "optimize": True},
    MediaType.PNG: {"format": "PNG"},
    MediaType.WEBP: {"format": "WEBP", "quality": 85},
}
_THUMBNAIL: Final[dict[str, Any]] = {"format": "JPEG", "quality": 75, "optimize": True}
_MOMENT: Final = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_OFFSET: Final = re.compile(r"[+-]\d\d:\d\d")


class Picture(NamedTuple):
    """A picture as it is to be kept, and what its file said of where and when it was taken."""

    content: bytes
    thumbnail: bytes
    width: int
    height: int
    coordinates: Coordinates | None
    taken_at: str | None


def examine_picture(content: bytes, media_type: MediaType) -> Picture:
    """The picture anew. Raises Refused for one that is too large or cannot be decoded to its end."""
    Image.MAX_IMAGE_PIXELS = None  # the bound below is ours, and is asked before anything is decoded
    try:
        with Image.open(BytesIO(content), formats=(_FORMATS[media_type],)) as image:
            _require_bounded(image)
            exif = image.getexif()
            told = _coordinates(exif), _taken_at(exif)
            upright = _plain(ImageOps.exif_transpose(image), media_type)
    except (Refused, MemoryError):
        raise
    except Exception as fault:  # decoders raise anything: OSError, SyntaxError, struct.error, ...
        raise Refused(ContentFault.BROKEN) from fault
    upright.thumbnail((LONGEST_EDGE, LONGEST_EDGE), Image.Resampling.LANCZOS)
    return Picture(
        _encoded(upright, _ENCODING[media_type]),
        _thumbnail(upright),
        upright.width,
        upright.height,
        *told,
    )


def _require_bounded(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise Refused(ContentFault.TOO_MANY_PIXELS)


def _plain(image: Image.Image, media_type: MediaType) -> Image.Image:
    """The pixels alone, in a mode that every viewer shows."""
    opaque = media_type is MediaType.JPEG or not image.has_transparency_data
    grey = image.mode in {"1", "L", "LA", "I", "I;16", "F"} and opaque
    plain = image.convert("L" if grey else "RGB" if opaque else "RGBA")
    plain.info = {}  # comments and colour profiles would be written along
    return plain


def _thumbnail(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE))
    if small.mode == "RGBA":
        white = Image.new("RGB", small.size, "white")
        white.paste(small, mask=small.getchannel("A"))
        small = white
    return _encoded(small, _THUMBNAIL)


def _encoded(image: Image.Image, how: dict[str, Any]) -> bytes:
    out = BytesIO()
    image.save(out, **how)
    return out.getvalue()


def _coordinates(exif: Image.Exif) -> Coordinates | None:
    """The place in the picture's GPS data; None where it is missing or makes no sense."""
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    with suppress(ValueError, TypeError, ZeroDivisionError, KeyError, OverflowError):
        latitude = _degrees(gps[ExifTags.GPS.GPSLatitude], negative=_says(gps, ExifTags.GPS.GPSLatitudeRef, "S"))
        longitude = _degrees(gps[ExifTags.GPS.GPSLongitude], negative=_says(gps, ExifTags.GPS.GPSLongitudeRef, "W"))
        if latitude or longitude:  # cameras without a fix write zeros, a place in the Gulf of Guinea
            return Coordinates(latitude=latitude, longitude=longitude, accuracy_m=_accuracy(gps), source="photo")
    return None


def _degrees(parts: Any, *, negative: bool) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value):
        raise ValueError("not a number of degrees")
    return round(-value if negative else value, 7)


def _says(gps: Mapping[int, Any], tag: int, letter: str) -> bool:
    value = gps.get(tag, "")
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return text.strip("\0 ").upper().startswith(letter)


def _accuracy(gps: Mapping[int, Any]) -> float | None:
    with suppress(ValueError, TypeError, ZeroDivisionError, KeyError):
        metres = float(gps[ExifTags.GPS.GPSHPositioningError])
        if math.isfinite(metres) and 0 <= metres <= 100_000:  # noqa: PLR2004  beyond it, it is no accuracy
            return round(metres, 1)
    return None


def _taken_at(exif: Image.Exif) -> str | None:
    """When it was taken, in ISO 8601: by the satellites in UTC, else by the camera, with its offset if it has one."""
    return _by_satellite(exif.get_ifd(ExifTags.IFD.GPSInfo)) or _by_camera(exif)


def _by_satellite(gps: Mapping[int, Any]) -> str | None:
    with suppress(ValueError, TypeError, ZeroDivisionError, KeyError, OverflowError):
        year, month, day = (int(part) for part in str(gps[ExifTags.GPS.GPSDateStamp]).strip("\0 ").split(":"))
        hours, minutes, seconds = (float(part) for part in gps[ExifTags.GPS.GPSTimeStamp])
        clock = timedelta(hours=hours, minutes=minutes, seconds=int(seconds))
        return (datetime(year, month, day, tzinfo=UTC) + clock).isoformat()
    return None


def _by_camera(exif: Image.Exif) -> str | None:
    taken = exif.get_ifd(ExifTags.IFD.Exif)
    found = _MOMENT.match(str(taken.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime) or ""))
    if found is None:
        return None
    with suppress(ValueError):
        year, month, day, hour, minute, second = (int(part) for part in found.groups())
        moment = datetime(year, month, day, hour, minute, second).isoformat()  # noqa: DTZ001  the offset follows
        offset = str(taken.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
        return moment + (offset if _OFFSET.fullmatch(offset) else "")
    return None
