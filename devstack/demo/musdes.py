"""A musdes as the demonstration holds it: its paper is signed, scanned and recorded, and decides the cases it lists."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw

from devstack.demo.api import Api, DemoError, Document
from devstack.demo_people import VILLAGES
from domain.evidence import EvidenceType
from domain.vocabulary import AttendanceGroup, Outcome, ReasonCode

_POLL: Final = 0.3
_PATIENCE: Final = 60.0
_ATTENDED: Final = {
    AttendanceGroup.VILLAGE_HEAD: (1, 0),
    AttendanceGroup.VILLAGE_OPERATOR: (1, 1),
    AttendanceGroup.VILLAGE_COUNCIL: (3, 1),
    AttendanceGroup.NEIGHBOURHOODS: (9, 2),
    AttendanceGroup.FAMILIES: (6, 5),
    AttendanceGroup.BABINSA: (1, 0),
}
"""How many of each group, and how many of them are women."""


class Spoken(NamedTuple):
    """What the village says about one case."""

    update_id: str
    outcome: Outcome = Outcome.FORWARD
    reason: ReasonCode | None = None


async def hold_musdes(api: Api, village: str, spoken: Sequence[Spoken], *, scanned: bool = False) -> Document:
    """Record the minutes of a musdes as the head of the village; they, once every case has its result.

    With `scanned` a photo of the paper stands behind them.
    """
    name = VILLAGES[village].lower()
    head, today = f"kades.{name}", datetime.now(ZoneInfo("Asia/Jakarta")).date()
    number = f"400.9/{uuid4().hex[:6]}/BA-Musdes/{VILLAGES[village]}/{today:%Y}"
    scan = None
    if scanned:
        paper = _signed_paper(number, today)
        scan = await api.upload(head, paper, area_code=village, kind=EvidenceType.MUSDES_MINUTES.value)
    body: Document = {
        "area_code": village,
        "type": "musdes",
        "number": number,
        "held_on": today.isoformat(),
        "place": f"Balai Desa {VILLAGES[village]}",
        "attendance": [
            {"group": group.value, "present": present, "women": women} for group, (present, women) in _ATTENDED.items()
        ],
        "signed_by": [
            {"role": "village_head", "name": f"Kepala Desa {VILLAGES[village]}"},
            {"role": "village_operator", "name": f"Operator Desa {VILLAGES[village]}"},
        ],
        "scan": scan,
        "cases": [{"update_id": one.update_id, "outcome": one.outcome, "reason": one.reason} for one in spoken],
    }
    recorded = await api.post(head, "/v1/minutes", body)
    return await _carried_out(api, head, recorded["links"]["self"])


async def _carried_out(api: Api, head: str, path: str) -> Document:
    give_up_at = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        minutes = await api.get(head, path)
        if minutes["finished_at"] is not None:
            return minutes
        if asyncio.get_running_loop().time() > give_up_at:
            raise DemoError(f"waited {_PATIENCE:g} s for the minutes {minutes['number']} to be carried out")
        await asyncio.sleep(_POLL)


def _signed_paper(number: str, day: date) -> bytes:
    """A photo of the paper, as far as a demonstration has one."""
    page = Image.new("RGB", (620, 877), "white")
    pen = ImageDraw.Draw(page)
    for line, text in enumerate(("BERITA ACARA MUSYAWARAH DESA", f"Nomor: {number}", f"Tanggal: {day}", "ttd. / ttd.")):
        pen.text((40, 40 + 40 * line), text, fill="black")
    content = io.BytesIO()
    page.save(content, "PNG")
    return content.getvalue()
