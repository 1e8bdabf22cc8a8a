"""Files as people send them: pictures with what cameras note in them, papers, and things that are neither."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import ExifTags, Image

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless file that every virus scanner takes for a virus, in two pieces, so that this one is none."""

MAKER = "Samsung-SM-A155F"
LATITUDE, LONGITUDE = -7.3584722, 108.1034028


def exif_of_a_phone(*, place: bool = True) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned a quarter clockwise
    exif[ExifTags.Base.Make] = MAKER
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:20 09:15:00"
    if place:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(
            {1: "S", 2: (7.0, 21.0, 30.5), 3: "E", 4: (108.0, 6.0, 12.25), 31: 12.5},
        )
    return exif


def picture(
    size: tuple[int, int] = (640, 400),
    *,
    encoding: str = "JPEG",
    exif: Image.Exif | None = None,
    noise: int = 40,
    **options: Any,
) -> bytes:
    """A picture whose left half is dark, so that it shows which way is up."""
    image = Image.effect_noise(size, noise).convert("RGB")
    image.paste((20, 20, 20), (0, 0, size[0] // 2, size[1]))
    out = BytesIO()
    image.save(out, encoding, exif=exif or Image.Exif(), **options)
    return out.getvalue()


def photo(size: tuple[int, int] = (640, 400), *, place: bool = True) -> bytes:
    """A photo of a phone, with place, time, maker and a comment in it."""
    return picture(size, exif=exif_of_a_phone(place=place), comment=b"rumah Bu Dewi")


def document(pages: int = 1) -> Pdf:
    """An empty paper with an author, to be changed and then written by `written`."""
    pdf = pikepdf.new()
    for _ in range(pages):
        pdf.add_blank_page(page_size=(595, 842))
    pdf.docinfo["/Author"] = "Ujang Saepudin"
    return pdf


def written(pdf: Pdf, **options: Any) -> bytes:
    out = BytesIO()
    pdf.save(out, **options)
    return out.getvalue()


def with_photo(pdf: Pdf, jpeg: bytes) -> Pdf:
    """The first page shows a photo, as programs that make a PDF of a scan have it."""
    with Image.open(BytesIO(jpeg)) as image:
        shown = pdf.make_stream(
            jpeg,
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=image.width,
            Height=image.height,
            ColorSpace=Name.DeviceRGB,
            BitsPerComponent=8,
            Filter=Name.DCTDecode,
        )
    pdf.pages[0].Resources = Dictionary(XObject=Dictionary(Photo=shown))
    return pdf


def signed(pdf: Pdf) -> Pdf:
    """With the marks of an electronic signature."""
    signature = Dictionary(
        Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), ByteRange=Array([0, 1, 2, 3]), Contents=b"\0" * 64
    )
    field = pdf.make_indirect(Dictionary(FT=Name.Sig, T="ttd", V=pdf.make_indirect(signature)))
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)
    return pdf
