"""What is kept of a file and what is refused, each looked at by the examiner's own process."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Encryption, Name, Pdf
from PIL import Image, ImageStat

from domain.evidence import ContentFault, MediaType
from runtime.evidence import examination, examiner
from runtime.evidence.documents import without_metadata
from runtime.evidence.examination import Examination, Examined
from runtime.evidence.scanner import NoScanner
from runtime.evidence.verdicts import Refused
from tests.evidence.files import (
    LATITUDE,
    LONGITUDE,
    MAKER,
    document,
    exif_of_a_phone,
    photo,
    picture,
    signed,
    with_photo,
    written,
)


async def examined(content: bytes) -> Examined:
    return await Examination(NoScanner()).examine(content)


async def fault_of(content: bytes) -> ContentFault:
    with pytest.raises(Refused) as refused:
        await examined(content)
    return refused.value.fault


async def test_a_photo_is_kept_upright_and_without_anything_its_camera_noted() -> None:
    kept = await examined(photo())
    assert kept.facts.media_type is MediaType.JPEG
    assert (kept.facts.width, kept.facts.height) == (400, 640)
    for content in (kept.content, kept.thumbnail):
        with Image.open(BytesIO(content)) as image:
            assert dict(image.getexif()) == {}
            assert not image.getexif().get_ifd(0x8825)
            assert not {"exif", "comment", "icc_profile", "xmp", "photoshop"} & image.info.keys()
            upper = image.crop((0, 0, image.width, image.height // 2 - 8))
            lower = image.crop((0, image.height // 2 + 8, image.width, image.height))
            assert ImageStat.Stat(upper).mean[0] < 60 < ImageStat.Stat(lower).mean[0]
        assert MAKER.encode() not in content
        assert b"rumah" not in content
        assert b"Exif" not in content
    with Image.open(BytesIO(kept.thumbnail)) as small:
        assert max(small.size) == 320


async def test_where_and_when_it_was_taken_is_read_before() -> None:
    place = (await examined(photo())).facts.coordinates
    assert place is not None
    assert (place.latitude, place.longitude) == (LATITUDE, LONGITUDE)
    assert (place.accuracy_m, place.source) == (12.5, "photo")
    assert (await examined(photo())).facts.taken_at == "2026-11-20T09:15:00"
    assert (await examined(photo(place=False))).facts.coordinates is None


@pytest.mark.parametrize(
    ("tags", "place", "moment"),
    [
        ({1: "S", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, None, "2026-11-20T09:15:00"),
        ({1: "S", 2: (95.0, 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)}, None, "2026-11-20T09:15:00"),
        ({2: (7.0,), 4: (1.0, 2.0)}, None, "2026-11-20T09:15:00"),
        ({29: "2026:11:20", 7: (2.0, 15.0, 59.9)}, None, "2026-11-20T02:15:59+00:00"),
        ({1: "N", 2: (1.5, 0.0, 0.0), 3: "W", 4: (2.0, 30.0, 0.0)}, (1.5, -2.5), "2026-11-20T09:15:00"),
    ],
    ids=["no-fix", "beyond-the-pole", "junk", "satellite-time", "north-west"],
)
async def test_odd_notes_of_cameras_do_no_harm(
    tags: dict[int, Any], place: tuple[float, float] | None, moment: str
) -> None:
    exif = exif_of_a_phone(place=False)
    exif.get_ifd(0x8825).update(tags)
    facts = (await examined(picture(exif=exif))).facts
    found = facts.coordinates and (facts.coordinates.latitude, facts.coordinates.longitude)
    assert (found, facts.taken_at) == (place, moment)


@pytest.mark.parametrize(
    ("encoding", "media_type"),
    [("JPEG", MediaType.JPEG), ("PNG", MediaType.PNG), ("WEBP", MediaType.WEBP)],
)
async def test_a_picture_stays_of_its_type_and_is_scaled_to_what_a_paper_needs(
    encoding: str, media_type: MediaType
) -> None:
    kept = await examined(picture((3600, 900), encoding=encoding, noise=1))
    assert (kept.facts.media_type, kept.facts.width, kept.facts.height) == (media_type, 3000, 750)
    with Image.open(BytesIO(kept.content)) as image:
        assert image.format == encoding


async def test_the_same_picture_becomes_the_same_bytes() -> None:
    content = photo()
    assert (await examined(content)).content == (await examined(content)).content


def _claiming_pixels(width: int, height: int) -> bytes:
    """A small PNG that says it is huge."""
    png = bytearray(picture((8, 8), encoding="PNG"))
    png[16:24] = width.to_bytes(4) + height.to_bytes(4)
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4)
    return bytes(png)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"GIF89a" + bytes(100), ContentFault.UNKNOWN_TYPE),
        (b"<svg onload='alert(1)'/>", ContentFault.UNKNOWN_TYPE),
        (b"", ContentFault.UNKNOWN_TYPE),
        (photo()[:-4000], ContentFault.BROKEN),
        (b"\xff\xd8\xff" + bytes(500), ContentFault.BROKEN),
        (b"RIFF\0\0\0\0WEBPjunk", ContentFault.BROKEN),
        (b"%PDF-1.7 and nothing more", ContentFault.BROKEN),
        (_claiming_pixels(60_000, 60_000), ContentFault.TOO_MANY_PIXELS),
        (_claiming_pixels(2**31 - 1, 2**31 - 1), ContentFault.TOO_MANY_PIXELS),
        (written(document(51)), ContentFault.TOO_MANY_PAGES),
        (written(document(), encryption=Encryption(owner="a", user="b")), ContentFault.ENCRYPTED),
        (written(document(), encryption=Encryption(owner="a", user="")), ContentFault.ENCRYPTED),
    ],
    ids=[
        "gif",
        "svg",
        "nothing",
        "half-a-photo",
        "jpeg-head-alone",
        "webp-head-alone",
        "pdf-head-alone",
        "3600-megapixels",
        "largest-png",
        "51-pages",
        "password-to-open",
        "password-to-change",
    ],
)
async def test_what_cannot_be_evidence_is_refused(content: bytes, fault: ContentFault) -> None:
    assert await fault_of(content) is fault


async def test_a_pdf_is_written_anew_without_author_and_without_what_cameras_noted_in_its_pictures() -> None:
    sent = written(with_photo(document(2), photo()))
    assert b"Exif" in sent
    kept = await examined(sent)
    assert (kept.facts.media_type, kept.facts.pages, kept.facts.signed) == (MediaType.PDF, 2, False)
    assert kept.thumbnail == b""
    for gone in (b"Ujang", b"Exif", MAKER.encode(), b"rumah"):
        assert gone not in kept.content
    with Pdf.open(BytesIO(kept.content)) as pdf:
        shown = pdf.pages[0].Resources.XObject.Photo
        with Image.open(BytesIO(shown.read_raw_bytes())) as image:
            image.load()
            assert image.size == (640, 400)


async def test_a_signed_pdf_is_kept_byte_for_byte() -> None:
    sent = written(signed(document()))
    kept = await examined(sent)
    assert kept.facts.signed
    assert kept.content == sent


def _with_attachment(pdf: Pdf) -> None:
    pdf.attachments["tool.exe"] = b"MZ"


def _with_script_on_opening(pdf: Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS="app.alert(1)")


def _with_script_by_name(pdf: Pdf) -> None:
    script = pdf.make_indirect(Dictionary(S=Name.JavaScript, JS="1"))
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array(["a", script])))


def _with_program(pdf: Pdf) -> None:
    action = Dictionary(S=Name.Launch, F="cmd.exe")
    note = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=action))
    pdf.pages[0].Annots = Array([note])


def _with_form_of_scripts(pdf: Pdf) -> None:
    pdf.Root.AcroForm = Dictionary(XFA="<xdp/>", Fields=Array([]))


def _with_deed_on_page(pdf: Pdf) -> None:
    pdf.pages[0].AA = Dictionary(O=Dictionary(S=Name.GoTo))


def _with_player(pdf: Pdf) -> None:
    note = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=[0, 0, 9, 9]))
    pdf.pages[0].Annots = Array([note])


@pytest.mark.parametrize(
    "spoil",
    [
        _with_attachment,
        _with_script_on_opening,
        _with_script_by_name,
        _with_program,
        _with_form_of_scripts,
        _with_deed_on_page,
        _with_player,
    ],
)
@pytest.mark.parametrize("hidden", [False, True], ids=["plain", "in-object-streams"])
async def test_a_pdf_that_does_things_is_refused_signed_or_not(spoil: Callable[[Pdf], None], *, hidden: bool) -> None:
    mode = pikepdf.ObjectStreamMode.generate if hidden else pikepdf.ObjectStreamMode.disable
    for pdf in (document(), signed(document())):
        spoil(pdf)
        assert await fault_of(written(pdf, object_stream_mode=mode)) is ContentFault.ACTIVE_CONTENT


async def test_a_link_and_a_first_page_do_no_harm() -> None:
    pdf = document()
    link = Dictionary(S=Name.URI, URI="https://kemensos.go.id")
    note = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=link))
    pdf.pages[0].Annots = Array([note])
    pdf.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([pdf.pages[0].obj, Name.Fit]))
    assert (await examined(written(pdf))).facts.pages == 1


async def test_a_file_that_takes_too_long_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_PATIENCE", 0.001)
    assert await fault_of(photo()) is ContentFault.TOO_DEMANDING


async def test_a_file_that_takes_too_much_memory_costs_itself_alone(tmp_path: Any) -> None:
    """The examiner's own limit, met by a picture that is within the bound of pixels and needs more than is there."""
    del tmp_path
    assert examiner.MEMORY < 4 * 1024**3
    content = picture((7000, 7000), encoding="PNG", noise=1)
    program = "import runtime.evidence.examiner as e; e.MEMORY = 300 * 1024 * 1024; e.main()"
    import asyncio  # noqa: PLC0415
    import sys  # noqa: PLC0415

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdin=-1, stdout=-1, stderr=-1, cwd=examination.TREE
    )
    said, _ = await process.communicate(content)
    assert process.returncode or b"too_demanding" in said


@pytest.mark.parametrize("junk", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\xff\xff", b"\xff\xd8\x00"])
def test_no_jpeg_no_stripping(junk: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        without_metadata(junk)
